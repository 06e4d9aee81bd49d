//! Checks the schema of a tool.

use serde_json::{Map, Value};

/// Keywords that strict schemas may not use.
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

/// Why the schema of a function's parameters is refused, in the provider's words, which follow
/// `Invalid schema for function 'f': `. `None` if it is accepted.
pub(crate) fn schema_error(parameters: &Value, strict: bool) -> Option<String> {
    let kind = parameters.get("type");
    if kind.and_then(Value::as_str) != Some("object") {
        let got = kind.map_or_else(|| "\"None\"".into(), ToString::to_string);
        return Some(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."
        ));
    }
    strict.then(|| strict_schema_error(parameters, &mut Vec::new())).flatten()
}

/// The same for a part of a strict schema. `path` leads to it and is unchanged afterwards.
fn strict_schema_error(schema: &Value, path: &mut Vec<String>) -> Option<String> {
    let refuse =
        |path: &[String], what: String| Some(format!("In context={}, {what}", context(path)));
    let Some(schema) = schema.as_object() else {
        return refuse(path, "schema must be an object.".into());
    };
    if let Some(keyword) = REFUSED.iter().find(|k| schema.contains_key(**k)) {
        return refuse(path, format!("'{keyword}' is not permitted."));
    }
    if schema.contains_key("$ref") {
        return None;
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        return options.iter().enumerate().find_map(|(i, option)| {
            within(path, &["anyOf", &i.to_string()], |path| strict_schema_error(option, path))
        });
    }
    if !schema.contains_key("type") && !schema.contains_key("enum") && !schema.contains_key("const")
    {
        return refuse(path, "schema must have a 'type' key.".into());
    }
    if has_type(schema, "object") {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return refuse(
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
            return refuse(path, format!("{must} Missing '{name}'."));
        }
        if let Some(name) = required.iter().find(|k| !properties.contains_key(**k)) {
            return refuse(path, format!("{must} Extra required key '{name}' supplied."));
        }
        for (name, property) in properties {
            let found =
                within(path, &["properties", name], |path| strict_schema_error(property, path));
            if found.is_some() {
                return found;
            }
        }
    }
    if has_type(schema, "array") {
        let Some(items) = schema.get("items") else {
            return refuse(path, "array schema missing items.".into());
        };
        return within(path, &["items"], |path| strict_schema_error(items, path));
    }
    schema.get("$defs").and_then(Value::as_object).and_then(|defs| {
        defs.iter().find_map(|(name, def)| {
            within(path, &["$defs", name], |path| strict_schema_error(def, path))
        })
    })
}

/// Runs `f` with a longer path.
fn within<T>(path: &mut Vec<String>, parts: &[&str], f: impl FnOnce(&mut Vec<String>) -> T) -> T {
    let length = path.len();
    path.extend(parts.iter().map(ToString::to_string));
    let result = f(path);
    path.truncate(length);
    result
}

/// A path in the form in which the provider shows it, a Python tuple.
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
