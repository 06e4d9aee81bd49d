//! What a request says about the form of the model's text: `text.format` on Responses,
//! `response_format` on Chat Completions.

use serde_json::{Map, Value};

use super::{
    error::ApiError,
    params::{self, ParameterType, join},
    schema,
};

/// Longest name of a schema, in characters, from its description in OpenAI's OpenAPI document.
const MAX_NAME: usize = 64;
const TYPES: [&str; 3] = ["json_object", "json_schema", "text"];
const NAME_PATTERN: &str = "^[a-zA-Z0-9_-]+$";

const SCHEMA: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("name", ParameterType::Short(MAX_NAME)),
    ("description", ParameterType::Text),
    ("schema", ParameterType::Object),
    ("strict", ParameterType::Flag),
];

const CHAT_FORMAT: &[(&str, ParameterType)] =
    &[("type", ParameterType::Any), ("json_schema", ParameterType::Any)];

/// The form of the model's text.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) enum Format<'r> {
    /// Any text.
    #[default]
    Text,
    /// A JSON object.
    JsonObject,
    /// JSON that matches this strict schema.
    Strict(&'r Value),
}

/// Reads `text.format` of a request to the Responses endpoint.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn of_responses(request: &Map<String, Value>) -> Result<Format<'_>, ApiError> {
    let Some(format) = request.get("text").and_then(|text| text.get("format")) else {
        return Ok(Format::Text);
    };
    if format.is_null() {
        return Ok(Format::Text);
    }
    let path = "text.format";
    let format = params::object(format, path)?;
    match kind(format, path)? {
        "json_schema" => {
            let name = name(format, path)?;
            params::check(format, SCHEMA, path)?;
            if !format.contains_key("schema") {
                return Err(ApiError::missing("text.format.schema"));
            }
            strict(format, name)
                .map_err(|error| error.param("text.format.schema").code("invalid_json_schema"))
        }
        "json_object" => Ok(Format::JsonObject),
        _ => Ok(Format::Text),
    }
}

/// Reads `response_format` of a request to Chat Completions.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn of_chat(request: &Map<String, Value>) -> Result<Format<'_>, ApiError> {
    let Some(format) = request.get("response_format").filter(|format| !format.is_null()) else {
        return Ok(Format::Text);
    };
    let path = "response_format";
    let format = params::object(format, path)?;
    let kind = kind(format, path)?;
    if kind != "json_schema" || format.contains_key("json_schema") {
        // i-am-bee/beeai-framework#980.
        params::check(format, CHAT_FORMAT, path)?;
    }
    match kind {
        "json_schema" => {
            let path = "response_format.json_schema";
            let schema = format.get("json_schema").ok_or_else(|| ApiError::missing(path))?;
            let schema = params::object(schema, path)?;
            let name = name(schema, path)?;
            params::check(schema, SCHEMA, path)?;
            strict(schema, name).map_err(|error| error.param("response_format"))
        }
        "json_object" => Ok(Format::JsonObject),
        _ => Ok(Format::Text),
    }
}

fn kind<'r>(format: &'r Map<String, Value>, path: &str) -> Result<&'r str, ApiError> {
    let kind = params::text(format, "type", path)?;
    if !TYPES.contains(&kind) {
        return Err(ApiError::invalid_value(&join(path, "type"), kind, &TYPES));
    }
    Ok(kind)
}

fn name<'r>(schema: &'r Map<String, Value>, path: &str) -> Result<&'r str, ApiError> {
    let name = params::text(schema, "name", path)?;
    let at = || join(path, "name");
    if name.is_empty() {
        return Err(ApiError::empty_string(&at()));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(ApiError::no_match(&at(), NAME_PATTERN));
    }
    Ok(name)
}

/// The strict schema, if the format has one.
fn strict<'r>(format: &'r Map<String, Value>, name: &str) -> Result<Format<'r>, ApiError> {
    let schema = format.get("schema").filter(|schema| schema.is_object());
    match schema.filter(|_| format.get("strict") == Some(&Value::Bool(true))) {
        None => Ok(Format::Text),
        Some(schema) => match schema::schema_error(schema, true) {
            None => Ok(Format::Strict(schema)),
            Some(why) => {
                let message = format!("Invalid schema for response_format '{name}': {why}");
                Err(ApiError::invalid(message))
            }
        },
    }
}
