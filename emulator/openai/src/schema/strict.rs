//! Checks the schema of a tool or of a response format.
//!
//! Sources are public reports of the provider's errors; each is named where it is used.

use serde_json::{Map, Value};

use super::well_formed::malformed;

/// Keywords that strict schemas may not use.
///
/// `allOf`: makenotion/notion-mcp-server#102. `oneOf`: the discriminated unions of openai-node 6.9.
/// `default`: 567-labs/instructor#1074. `uniqueItems`: 1jehuang/jcode#687. `propertyNames`:
/// can1357/oh-my-pi#209. The others: "Some type-specific keywords are not yet supported" in
/// <https://developers.openai.com/api/docs/guides/structured-outputs>.
const REFUSED: [&str; 11] = [
    "oneOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "propertyNames",
    "uniqueItems",
    "default",
];

/// Formats of texts that strict schemas may use; the same guide, and cyanheads/git-mcp-server#47.
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Keywords that the schema of a function may not have at the top; chatanywhere/GPT_API_free#403.
const NOT_AT_THE_TOP: [&str; 5] = ["oneOf", "anyOf", "allOf", "enum", "not"];

/// Why the schema of a function's parameters is refused, in the provider's words, which follow
/// `Invalid schema for function 'f': `. `None` if it is accepted.
pub(crate) fn schema_error(parameters: &Value, strict: bool) -> Option<String> {
    if let Some(why) = malformed(parameters) {
        return Some(why);
    }
    let kind = parameters.get("type");
    if kind.and_then(Value::as_str) != Some("object") {
        let got = kind.map_or_else(|| "\"None\"".into(), ToString::to_string);
        return Some(format!(
            "schema must be a JSON Schema of 'type: \"object\"', got 'type: {got}'."
        ));
    }
    if NOT_AT_THE_TOP.iter().any(|keyword| parameters.get(keyword).is_some()) {
        return Some(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.".into(),
        );
    }
    // spring-projects/spring-ai#4776, evalstate/fast-agent#143: strict or not, at the top.
    if parameters.get("properties").is_none() {
        return Some("In context=(), object schema missing properties.".into());
    }
    if strict {
        strict_schema_error(parameters, &mut Vec::new())
    } else {
        loose_schema_error(parameters, &mut Vec::new())
    }
}

/// What is wrong with a part of a schema that is not strict. `path` leads to it and is unchanged
/// afterwards.
fn loose_schema_error(schema: &Value, path: &mut Vec<String>) -> Option<String> {
    let schema = schema.as_object()?;
    // sigoden/aichat#1049, modelscope/ms-agent#610. A tuple's entries may be listed otherwise.
    if !schema.contains_key("items")
        && !schema.contains_key("prefixItems")
        && let Some(at) = has_type(schema, "array")
    {
        return within(path, &at.steps(), |path| refusal(path, "array schema missing items."));
    }
    for name in ["properties", "$defs"] {
        let parts = schema.get(name).and_then(Value::as_object).into_iter().flatten();
        for (key, part) in parts {
            let found = within(path, &[name, key], |path| loose_schema_error(part, path));
            if found.is_some() {
                return found;
            }
        }
    }
    let found = schema
        .get("items")
        .and_then(|items| within(path, &["items"], |path| loose_schema_error(items, path)));
    found.or_else(|| {
        let options = schema.get("anyOf").and_then(Value::as_array)?;
        options.iter().enumerate().find_map(|(i, option)| {
            within(path, &["anyOf", &i.to_string()], |path| loose_schema_error(option, path))
        })
    })
}

/// The same for a part of a strict schema.
fn strict_schema_error(schema: &Value, path: &mut Vec<String>) -> Option<String> {
    let Some(schema) = schema.as_object() else {
        return refusal(path, "schema must be an object.");
    };
    if let Some(keyword) = REFUSED.iter().find(|k| schema.contains_key(**k)) {
        return refusal(path, &format!("'{keyword}' is not permitted."));
    }
    if schema.contains_key("$ref") {
        // camel-ai/camel#3001, vectorize-io/hindsight#3944: without the word "In".
        let beside: Vec<String> =
            schema.keys().filter(|key| *key != "$ref").map(|key| format!("'{key}'")).collect();
        return (!beside.is_empty()).then(|| {
            format!(
                "context={}, $ref cannot have keywords {{{}}}.",
                context(path),
                beside.join(", ")
            )
        });
    }
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        return options.iter().enumerate().find_map(|(i, option)| {
            within(path, &["anyOf", &i.to_string()], |path| strict_schema_error(option, path))
        });
    }
    if !schema.contains_key("type") && !schema.contains_key("enum") && !schema.contains_key("const")
    {
        return refusal(path, "schema must have a 'type' key.");
    }
    // can1357/oh-my-pi#206; tailcallhq/forgecode#2974 on the Responses endpoint.
    if let Some(at) = has_type(schema, "string")
        && let Some(format) = schema.get("format").and_then(Value::as_str)
        && !FORMATS.contains(&format)
    {
        let what = format!("'{format}' is not a valid format.");
        return within(path, &at.steps(), |path| refusal(path, &what));
    }
    if has_type(schema, "object").is_some() {
        let found = strict_object_error(schema, path);
        if found.is_some() {
            return found;
        }
    }
    if let Some(at) = has_type(schema, "array") {
        let Some(items) = schema.get("items") else {
            return within(path, &at.steps(), |path| refusal(path, "array schema missing items."));
        };
        return within(path, &["items"], |path| strict_schema_error(items, path));
    }
    schema.get("$defs").and_then(Value::as_object).and_then(|defs| {
        defs.iter().find_map(|(name, def)| {
            within(path, &["$defs", name], |path| strict_schema_error(def, path))
        })
    })
}

fn strict_object_error(schema: &Map<String, Value>, path: &mut Vec<String>) -> Option<String> {
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return refusal(path, "'additionalProperties' is required to be supplied and to be false.");
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
        return refusal(path, &format!("{must} Missing '{name}'."));
    }
    if let Some(name) = required.iter().find(|k| !properties.contains_key(**k)) {
        return refusal(path, &format!("{must} Extra required key '{name}' supplied."));
    }
    properties.iter().find_map(|(name, property)| {
        within(path, &["properties", name], |path| strict_schema_error(property, path))
    })
}

fn refusal(path: &[String], what: &str) -> Option<String> {
    Some(format!("In context={}, {what}", context(path)))
}

/// Runs `f` with a longer path.
fn within<T>(
    path: &mut Vec<String>,
    parts: &[impl AsRef<str>],
    f: impl FnOnce(&mut Vec<String>) -> T,
) -> T {
    let length = path.len();
    path.extend(parts.iter().map(|part| part.as_ref().to_owned()));
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

/// Where a schema names a type: alone, or in a list at an index.
struct TypeAt(Option<usize>);

impl TypeAt {
    /// What the provider adds to the path; a list is judged type by type (tidewave_phoenix#224).
    fn steps(&self) -> Vec<String> {
        self.0.map(|at| vec!["type".to_owned(), at.to_string()]).unwrap_or_default()
    }
}

fn has_type(schema: &Map<String, Value>, name: &str) -> Option<TypeAt> {
    match schema.get("type") {
        Some(Value::String(one)) => (one == name).then_some(TypeAt(None)),
        Some(Value::Array(several)) => {
            several.iter().position(|t| t == name).map(|at| TypeAt(Some(at)))
        }
        _ => None,
    }
}
