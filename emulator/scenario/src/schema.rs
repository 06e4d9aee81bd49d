//! The scenario format as JSON Schema, for editors.

use serde_json::{Value, json};

use super::document::Document;
use rehearse_core::faults::NAMES;
use rehearse_world::Backend;

/// The format of a scenario file.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    // What may be left out is not written as null, and saying so doubles every editor message.
    without_null(&mut schema);
    // Aliases are unknown to the generator.
    for step in ["Customer", "Together"] {
        let properties = &mut schema["$defs"][step]["properties"];
        properties["reply"] = properties["replies"].clone();
    }
    schema["$defs"]["Customer"]["properties"]["customer"]["type"] = json!(["string", "null"]);
    let scalar = json!({ "type": ["string", "number", "boolean"] });
    schema["$defs"]["Given"]["properties"]["env"]["additionalProperties"] = scalar;
    schema
}

/// The format of a scenario file of this project: with its fixtures, tables, people, functions and routes, for
/// an editor to complete and to mark.
pub fn schema_for(backend: &Backend) -> Value {
    let mut schema = schema();
    let template = backend.template();
    let tables: Vec<&str> = template.tables.iter().map(|table| table.id.as_str()).collect();
    let functions: Vec<&str> = template.functions.iter().map(|f| f.id.as_str()).collect();
    let fixtures: Vec<&str> = backend.fixtures().collect();
    let people: Vec<&str> = backend.settings().people.keys().map(String::as_str).collect();
    let routes: Vec<String> = template
        .functions
        .iter()
        .flat_map(|function| &function.routes)
        .filter(|route| route.method != "ANY" && route.path.starts_with('/'))
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let exchanges: Vec<&str> = NAMES.into_iter().collect();
    // What must be one of these; without any, nothing could be written there.
    let only = |names: &[&str]| json!({ "type": "string", "enum": names });
    for (pointer, names) in [
        ("/$defs/Given/properties/fixtures/items", &fixtures),
        ("/$defs/Given/properties/tables/propertyNames", &tables),
        ("/$defs/Expect/properties/tables/propertyNames", &tables),
        ("/$defs/FaultEntry/properties/table", &tables),
        ("/$defs/CrashRequest/properties/function", &functions),
        ("/$defs/Invoke/properties/invoke", &functions),
    ] {
        put(&mut schema, pointer, |old| {
            let mut new = only(names);
            if let (Some(about), Some(new)) = (old.get("description").cloned(), new.as_object_mut())
            {
                new.insert("description".into(), about);
            }
            *old = new;
        });
    }
    // What may also be something else: a number, a template, a prefix.
    let examples = |names: Value| move |old: &mut Value| old["examples"] = names.clone();
    for (pointer, names) in [
        ("/$defs/Customer/properties/from", json!(people)),
        ("/$defs/Repeat/properties/from/items", json!(people)),
        ("/$defs/Reply/properties/to", json!(people)),
        ("/$defs/RequestLine", json!(routes)),
        ("/$defs/FaultEntry/properties/on", json!(exchanges)),
        ("/$defs/Expect/properties/calls/propertyNames", json!(exchanges)),
    ] {
        put(&mut schema, pointer, examples(names));
    }
    schema
}

/// Changes a part of a schema whose parent is there.
fn put(schema: &mut Value, pointer: &str, change: impl FnOnce(&mut Value)) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    let parent = schema.pointer_mut(parent).and_then(Value::as_object_mut);
    if let Some(parent) = parent {
        change(parent.entry(key).or_insert_with(|| json!({})));
    }
}

/// Takes `null` out of every choice of types.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.retain(|key, value| key != "default" || !value.is_null());
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".into(), only);
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(without_null);
        }
        Value::Array(list) => list.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::STEP_KINDS;

    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    found.push(to.clone());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = schema();
        let customer = &schema["$defs"]["Customer"];
        assert_eq!(customer["properties"]["reply"]["$ref"], "#/$defs/Replies");
        assert!(!customer.to_string().contains("anyOf"), "{customer}");
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 20);
        for to in found {
            let pointer = to.strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{to}");
        }
    }

    #[test]
    fn a_step_is_described_by_its_first_key() {
        let schema = schema();
        let step = &schema["$defs"]["Step"];
        let keys: Vec<&str> = step["allOf"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["if"]["required"][0].as_str().unwrap())
            .collect();
        assert_eq!(keys, STEP_KINDS);
        assert_eq!(schema["properties"]["steps"]["items"]["$ref"], "#/$defs/Step");
    }
}
