//! Whether a schema is one at all, strict or not.
//!
//! The provider validates schemas with Python's `jsonschema` and passes its words on:
//! ag2ai/ag2#1990, maltekuhr/laravel-gpt#8.

use serde_json::{Map, Value};

const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// What makes a value no schema, in the words of that validator; `None` if it is one as far as is looked at.
pub(super) fn malformed(schema: &Value) -> Option<String> {
    let schema = schema.as_object()?;
    kind(schema)
        .or_else(|| {
            let properties = schema.get("properties").filter(|value| !value.is_object())?;
            Some(format!("{} is not of type 'object'.", python(properties)))
        })
        .or_else(|| {
            let required = schema.get("required").filter(|value| !value.is_array())?;
            Some(format!("{} is not of type 'array'.", python(required)))
        })
        .or_else(|| parts(schema).find_map(malformed))
}

fn kind(schema: &Map<String, Value>) -> Option<String> {
    let kind = schema.get("type")?;
    let is_type = |value: &Value| value.as_str().is_some_and(|name| TYPES.contains(&name));
    let right = match kind {
        Value::String(_) => is_type(kind),
        Value::Array(several) => several.iter().all(is_type),
        // A missing type is said in other words.
        _ => true,
    };
    (!right).then(|| format!("{} is not valid under any of the given schemas.", python(kind)))
}

/// The schemas inside of a schema.
fn parts(schema: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let named = ["properties", "$defs"].into_iter().filter_map(|key| schema.get(key)?.as_object());
    let listed =
        ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    let single = ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key));
    named.flat_map(Map::values).chain(listed.flatten()).chain(single)
}

/// A value as Python writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(python).collect::<Vec<_>>().join(", "))
        }
        Value::Object(object) => {
            let pairs: Vec<String> =
                object.iter().map(|(key, value)| format!("'{key}': {}", python(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_that_is_none_is_found_wherever_it_stands() {
        for (schema, why) in [
            (json!({ "type": "float" }), "'float' is not valid under any of the given schemas."),
            (
                json!({ "anyOf": [{ "type": ["string", "any"] }] }),
                "['string', 'any'] is not valid under any of the given schemas.",
            ),
            (json!({ "items": { "properties": [] } }), "[] is not of type 'object'."),
            (
                json!({ "properties": { "a": { "type": "string", "required": true } } }),
                "True is not of type 'array'.",
            ),
            (json!({ "$defs": { "a": { "required": null } } }), "None is not of type 'array'."),
        ] {
            assert_eq!(malformed(&schema).as_deref(), Some(why), "{schema}");
        }
        for schema in [
            json!({}),
            json!({ "type": null }),
            json!({ "type": ["string", "null"], "additionalProperties": true }),
            json!({ "properties": { "type": { "type": "string", "enum": ["float"] } } }),
        ] {
            assert_eq!(malformed(&schema), None, "{schema}");
        }
    }
}
