//! Shorter variants of a conversation.

use serde_json::Value;

/// Lists of which any element may be left out.
const LISTS: [&str; 5] = ["steps", "together", "model", "call", "faults"];
/// Keys that may be left out.
const KEYS: [&str; 7] = ["duplicate", "media", "from", "save", "model", "given", "people"];

/// The document with one part less, the largest part first. Not every one makes sense.
pub fn smaller(document: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    without(document, &mut |smaller| found.push(smaller));
    found.sort_by_key(|smaller| smaller.to_string().len());
    found
}

/// Calls `found` with each variant of a value that has one part less.
fn without(value: &Value, found: &mut dyn FnMut(Value)) {
    match value {
        Value::Object(fields) => {
            for (key, part) in fields {
                let with = |part: Value| {
                    let mut fields = fields.clone();
                    fields.insert(key.clone(), part);
                    Value::Object(fields)
                };
                if KEYS.contains(&key.as_str()) {
                    let mut fields = fields.clone();
                    fields.remove(key);
                    found(fields.into());
                }
                if let (true, Value::Array(list)) = (LISTS.contains(&key.as_str()), part)
                    && list.len() > 1
                {
                    for index in 0..list.len() {
                        let mut list = list.clone();
                        list.remove(index);
                        // A group of one is a step.
                        match (key.as_str(), list.as_slice()) {
                            ("together", [only]) => found(only.clone()),
                            _ => found(with(list.into())),
                        }
                    }
                }
                without(part, &mut |smaller| found(with(smaller)));
            }
        }
        Value::Array(list) => {
            for (index, part) in list.iter().enumerate() {
                without(part, &mut |smaller| {
                    let mut list = list.clone();
                    list[index] = smaller;
                    found(list.into());
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_variant_has_one_part_less() {
        let document = json!({ "steps": [
            { "customer": "a", "from": "ann", "model": [{ "say": "b" }] },
            { "together": [{ "customer": "c" }, { "customer": "d" }] },
        ] });
        let variants = smaller(&document);
        let has = |expected: Value| variants.contains(&expected);
        assert!(has(json!({ "steps": [document["steps"][1]] })));
        assert!(has(json!({ "steps": [document["steps"][0]] })));
        assert!(has(json!({ "steps": [document["steps"][0], { "customer": "d" }] })));
        assert!(has(
            json!({ "steps": [{ "customer": "a", "model": [{ "say": "b" }] }, document["steps"][1]] })
        ));
        assert!(
            variants.iter().all(|variant| variant.to_string().len() < document.to_string().len())
        );
    }
}
