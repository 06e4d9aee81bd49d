//! The part of JSON Schema that strict tools may use: is a tool's schema
//! allowed, and do a call's arguments fit it.

use serde_json::{Map, Value};

/// Keywords that strict schemas refuse.
const REFUSED: [&str; 11] = [
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "patternProperties",
    "uniqueItems",
    "default",
];

/// Why a function's parameters are refused, as the provider words it after
/// `Invalid schema for function 'f': `.
pub(super) fn complaint(parameters: &Value, strict: bool) -> Option<String> {
    let kind = parameters.get("type");
    if kind.and_then(Value::as_str) != Some("object") {
        let got = kind.map_or_else(|| "\"None\"".into(), ToString::to_string);
        return Some(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."
        ));
    }
    strict.then(|| strictly(parameters, &mut Vec::new())).flatten()
}

fn strictly(schema: &Value, path: &mut Vec<String>) -> Option<String> {
    let says =
        |path: &[String], what: String| Some(format!("In context={}, {what}", context(path)));
    let Some(schema) = schema.as_object() else {
        return says(path, "schema must be an object.".into());
    };
    if let Some(keyword) = REFUSED.iter().find(|k| schema.contains_key(**k)) {
        return says(path, format!("'{keyword}' is not permitted."));
    }
    if schema.contains_key("$ref") {
        return None;
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        return options.iter().enumerate().find_map(|(i, option)| {
            within(path, &["anyOf", &i.to_string()], |path| strictly(option, path))
        });
    }
    if !schema.contains_key("type") && !schema.contains_key("enum") && !schema.contains_key("const")
    {
        return says(path, "schema must have a 'type' key.".into());
    }
    if has_type(schema, "object") {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return says(
                path,
                "'additionalProperties' is required to be supplied and to be false.".into(),
            );
        }
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|r| r.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let must = "'required' is required to be supplied and to be an array including every key in properties.";
        if let Some(name) = properties.keys().find(|k| !required.contains(&k.as_str())) {
            return says(path, format!("{must} Missing '{name}'."));
        }
        if let Some(name) = required.iter().find(|k| !properties.contains_key(**k)) {
            return says(path, format!("{must} Extra required key '{name}' supplied."));
        }
        for (name, property) in properties {
            let found = within(path, &["properties", name], |path| strictly(property, path));
            if found.is_some() {
                return found;
            }
        }
    }
    if has_type(schema, "array") {
        let Some(items) = schema.get("items") else {
            return says(path, "array schema missing items.".into());
        };
        return within(path, &["items"], |path| strictly(items, path));
    }
    schema.get("$defs").and_then(Value::as_object).and_then(|defs| {
        defs.iter()
            .find_map(|(name, def)| within(path, &["$defs", name], |path| strictly(def, path)))
    })
}

fn within<T>(path: &mut Vec<String>, parts: &[&str], f: impl FnOnce(&mut Vec<String>) -> T) -> T {
    let length = path.len();
    path.extend(parts.iter().map(ToString::to_string));
    let result = f(path);
    path.truncate(length);
    result
}

/// A path as the provider shows it, a Python tuple.
fn context(path: &[String]) -> String {
    match path {
        [one] => format!("('{one}',)"),
        parts => {
            let parts: Vec<String> = parts.iter().map(|p| format!("'{p}'")).collect();
            format!("({})", parts.join(", "))
        }
    }
}

fn has_type(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|t| t == name),
        _ => false,
    }
}

/// Where arguments do not fit a schema; nothing when a model bound to it could have sent them.
pub(super) fn misfits(arguments: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    fit(arguments, schema, schema, "", 0, &mut found);
    found
}

fn fit(
    value: &Value,
    schema: &Value,
    root: &Value,
    path: &str,
    depth: u8,
    found: &mut Vec<String>,
) {
    let Some(schema) = schema.as_object() else { return };
    let at = if path.is_empty() { "the arguments" } else { path };
    // A schema may refer to itself; the depth of the value bounds the work.
    if depth > 64 {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if let Some(target) = target.strip_prefix('#').and_then(|p| root.pointer(p)) {
            fit(value, target, root, path, depth + 1, found);
        }
        return;
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        let fits_one = options.iter().any(|option| {
            let mut misses = Vec::new();
            fit(value, option, root, path, depth + 1, &mut misses);
            misses.is_empty()
        });
        if !fits_one {
            found.push(format!("{at}: {value} fits none of the alternatives"));
        }
        return;
    }
    let named: Vec<&str> = match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !named.is_empty() && !named.iter().any(|name| is(value, name)) {
        found.push(format!("{at}: {value} is not of type {}", named.join(" or ")));
        return;
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array)
        && !values.contains(value)
    {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        found.push(format!("{at}: {value} is not one of {}", values.join(", ")));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        found.push(format!("{at}: {value} is not {only}"));
    }
    match value {
        Value::Object(object) => fit_object(object, schema, root, path, depth, found),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    fit(item, schema, root, &format!("{path}[{i}]"), depth + 1, found);
                }
            }
        }
        Value::String(text) => {
            if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
                && regex::Regex::new(pattern).is_ok_and(|r| !r.is_match(text))
            {
                found.push(format!("{at}: {value} does not match {pattern}"));
            }
        }
        Value::Number(number) => {
            let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
            let n = number.as_f64().unwrap_or_default();
            if limit("minimum").is_some_and(|least| n < least)
                || limit("maximum").is_some_and(|most| n > most)
            {
                found.push(format!("{at}: {value} is out of range"));
            }
        }
        _ => {}
    }
}

fn fit_object(
    object: &Map<String, Value>,
    schema: &Map<String, Value>,
    root: &Value,
    path: &str,
    depth: u8,
    found: &mut Vec<String>,
) {
    let join = |name: &str| if path.is_empty() { name.into() } else { format!("{path}.{name}") };
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = name.as_str().filter(|n| !object.contains_key(*n)) {
            found.push(format!(
                "{}: required and missing (strict tools want null for nothing)",
                join(name)
            ));
        }
    }
    for (name, value) in object {
        match properties.and_then(|p| p.get(name)) {
            Some(schema) => fit(value, schema, root, &join(name), depth + 1, found),
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(format!("{}: the tool has no such argument", join(name)));
            }
            None => {}
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool() -> Value {
        json!({
            "type": "object",
            "properties": {
                "date": { "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$" },
                "name": { "type": ["string", "null"] },
                "kind": { "anyOf": [{ "$ref": "#/$defs/kind" }, { "type": "null" }] },
                "list": { "type": "array", "items": { "type": "integer", "minimum": 1 } }
            },
            "required": ["date", "name", "kind", "list"],
            "additionalProperties": false,
            "$defs": { "kind": { "type": "string", "enum": ["a", "b"] } }
        })
    }

    #[test]
    fn a_strict_schema_is_accepted_and_each_fault_is_worded_as_the_provider_does() {
        assert_eq!(complaint(&tool(), true), None);
        let broken = |pointer: &str, value: Value| {
            let mut tool = tool();
            *tool.pointer_mut(pointer).unwrap() = value;
            complaint(&tool, true).unwrap()
        };
        assert_eq!(
            broken("/additionalProperties", json!(true)),
            "In context=(), 'additionalProperties' is required to be supplied and to be false."
        );
        assert_eq!(
            broken("/required", json!(["date", "name", "kind"])),
            "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'list'."
        );
        assert_eq!(
            broken("/required", json!(["date", "name", "kind", "list", "x"])),
            "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Extra required key 'x' supplied."
        );
        assert_eq!(
            broken("/properties/name", json!({})),
            "In context=('properties', 'name'), schema must have a 'type' key."
        );
        assert_eq!(
            broken("/properties/list", json!({ "type": "array" })),
            "In context=('properties', 'list'), array schema missing items."
        );
        assert_eq!(
            broken("/properties/name", json!({ "type": "string", "default": "x" })),
            "In context=('properties', 'name'), 'default' is not permitted."
        );
        assert_eq!(
            broken("/type", json!("array")),
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."
        );
    }

    #[test]
    fn a_loose_schema_needs_to_be_an_object_only() {
        assert_eq!(complaint(&json!({ "type": "object" }), false), None);
        assert!(complaint(&json!({}), false).unwrap().contains("got 'type: \"None\"'"));
    }

    #[test]
    fn arguments_fit_or_are_named() {
        let good = json!({ "date": "2026-02-11", "name": null, "kind": "a", "list": [1, 2] });
        assert_eq!(misfits(&good, &tool()), Vec::<String>::new());
        let bad = json!({ "date": "tomorrow", "name": 3, "kind": "c", "list": [0], "phone": "1" });
        let misses = misfits(&bad, &tool());
        assert_eq!(misses.len(), 5, "{misses:?}");
        assert!(misfits(&json!({}), &tool())[0].contains("required and missing"));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({ "$ref": "#" });
        assert!(misfits(&json!({}), &schema).is_empty());
    }
}
