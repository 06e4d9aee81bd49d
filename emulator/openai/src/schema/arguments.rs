//! Checks the arguments of a call, or a text that must be JSON, against a schema.

use serde_json::{Map, Value};

/// Where arguments do not match a schema; empty if a model with strict tools could have sent them.
pub(crate) fn argument_errors(arguments: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(arguments, schema, schema, "", 0, &mut found);
    found
}

/// The arguments with null for every required one that is missing and may be null, as a model with
/// strict tools sends it.
pub(crate) fn with_nulls(mut arguments: Value, schema: &Value) -> Value {
    let Some(object) = arguments.as_object_mut() else { return arguments };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        let mut errors = Vec::new();
        check(&Value::Null, &schema["properties"][name], schema, name, 0, &mut errors);
        if errors.is_empty() && schema["properties"][name].is_object() {
            object.entry(name).or_insert(Value::Null);
        }
    }
    arguments
}

fn check(
    value: &Value,
    schema: &Value,
    root: &Value,
    path: &str,
    depth: u8,
    found: &mut Vec<String>,
) {
    let Some(schema) = schema.as_object() else { return };
    let at = if path.is_empty() { "the whole" } else { path };
    // A schema may refer to itself, so the depth is bounded.
    if depth > 64 {
        return;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if let Some(target) = target.strip_prefix('#').and_then(|p| root.pointer(p)) {
            check(value, target, root, path, depth + 1, found);
        }
        return;
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        let fits_one = options.iter().any(|option| {
            let mut errors = Vec::new();
            check(value, option, root, path, depth + 1, &mut errors);
            errors.is_empty()
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
    if !named.is_empty() && !named.iter().any(|name| has_type(value, name)) {
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
        Value::Object(object) => check_object(object, schema, root, path, depth, found),
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (i, item) in items.iter().enumerate() {
                    check(item, schema, root, &format!("{path}[{i}]"), depth + 1, found);
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

fn check_object(
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
            Some(schema) => check(value, schema, root, &join(name), depth + 1, found),
            None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                found.push(format!("{}: the schema has no such name", join(name)));
            }
            None => {}
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
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
