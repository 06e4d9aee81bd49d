//! Checks the functions that a request offers, and its `tool_choice`.

use serde_json::{Map, Value};

use super::{
    conversation::{Tool, ToolChoice, get},
    error::ApiError,
    params::{self, ParameterType, join},
    schema,
};

const FUNCTION: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("name", ParameterType::Short(64)),
    ("description", ParameterType::Text),
    ("parameters", ParameterType::Object),
    ("strict", ParameterType::Flag),
    ("defer_loading", ParameterType::Flag),
    ("async", ParameterType::Flag),
    ("output_schema", ParameterType::Object),
    ("allowed_callers", ParameterType::Array),
];

/// Reads one function. `path` leads to the object with its name and parameters. `strict_by_default`
/// is the endpoint's rule for a missing `strict`.
///
/// # Errors
/// The function is not as the provider requires, or its schema is not allowed.
pub(super) fn function<'r>(
    object: &'r Map<String, Value>,
    path: &str,
    strict_by_default: bool,
) -> Result<Tool<'r>, ApiError> {
    params::check(object, FUNCTION, path)?;
    let name = params::text(object, "name", path)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        let at = join(path, "name");
        return Err(ApiError::invalid(format!(
            "Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        ))
        .param(at)
        .code("invalid_value"));
    }
    let asked = object.get("strict").and_then(Value::as_bool);
    let parameters = object.get("parameters").filter(|p| !p.is_null());
    if let Some(parameters) = parameters
        && let Some(why) = schema::schema_error(parameters, asked == Some(true))
    {
        return Err(ApiError::invalid(format!("Invalid schema for function '{name}': {why}"))
            .param(join(path, "parameters"))
            .code("invalid_function_parameters"));
    }
    // Without `strict`, a schema that strict tools may not have makes the tool not strict.
    let strict = asked.unwrap_or(strict_by_default)
        && parameters.is_some_and(|p| schema::schema_error(p, true).is_none());
    Ok(Tool { name, strict, parameters })
}

/// Reads `tool_choice`. `name` finds the function's name in its object form.
///
/// # Errors
/// The value is unknown, or names a function that is not offered.
pub(super) fn choice<'r>(
    value: Option<&'r Value>,
    tools: &[Tool<'_>],
    name: impl FnOnce(&'r Map<String, Value>) -> Option<&'r str>,
) -> Result<ToolChoice<'r>, ApiError> {
    const MODES: [&str; 3] = ["none", "auto", "required"];
    Ok(match value {
        None | Some(Value::Null) => return Ok(ToolChoice::Auto),
        Some(Value::String(mode)) => match mode.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            other => return Err(ApiError::invalid_value("tool_choice", other, &MODES)),
        },
        Some(Value::Object(object)) if get(object, "type") == "function" => {
            let name = name(object).ok_or_else(|| ApiError::missing("tool_choice.name"))?;
            if !tools.iter().any(|t| t.name == name) {
                return Err(ApiError::invalid(format!(
                    "Tool choice 'function' not found in 'tools' parameter: '{name}'."
                ))
                .param("tool_choice"));
            }
            ToolChoice::Named(name)
        }
        // Allowed tools and hosted tools: the model is free to choose.
        Some(Value::Object(_)) => ToolChoice::Auto,
        Some(other) => {
            return Err(ApiError::invalid_type("tool_choice", "one of a string or object", other));
        }
    })
}
