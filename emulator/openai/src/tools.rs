//! Checks the functions that a request offers, and its `tool_choice`.

use serde_json::{Map, Value};

use super::{
    conversation::{Tool, ToolChoice, get},
    error::ApiError,
    params::{self, ParameterType, join},
    respond::Endpoint,
    schema,
};

/// Most tools of a request, on both endpoints. Among many reports:
/// <https://github.com/anomalyco/opencode/issues/4909>, vishalmysore/Tools4AI#16.
pub(super) const MAX_TOOLS: usize = 128;

const NAME_PATTERN: &str = "^[a-zA-Z0-9_-]+$";

/// Of Chat Completions. The name: ravitemer/mcphub.nvim#243. The description has had no limit since May
/// 2025: run-llama/llama_index#18784.
const CHAT_FUNCTION: &[(&str, ParameterType)] = &[
    ("name", ParameterType::Short(64)),
    ("description", ParameterType::Text),
    ("parameters", ParameterType::Object),
    ("strict", ParameterType::Flag),
];
/// Of Responses, from `FunctionToolParam` in OpenAI's OpenAPI document, which limits the name to 128
/// characters and the description not at all.
const RESPONSES_FUNCTION: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("name", ParameterType::Short(128)),
    ("description", ParameterType::Text),
    ("parameters", ParameterType::Object),
    ("strict", ParameterType::Flag),
    ("defer_loading", ParameterType::Flag),
    ("async", ParameterType::Flag),
    ("output_schema", ParameterType::Object),
    ("allowed_callers", ParameterType::Array),
];

/// Tools of the Responses endpoint.
const RESPONSES_TOOLS: [&str; 18] = [
    "function",
    "file_search",
    "computer",
    "computer_use_preview",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "mcp",
    "code_interpreter",
    "programmatic_tool_calling",
    "image_generation",
    "local_shell",
    "shell",
    "custom",
    "namespace",
    "tool_search",
    "apply_patch",
];
const CHAT_TOOLS: [&str; 2] = ["function", "custom"];
const MODES: [&str; 3] = ["none", "auto", "required"];

/// Reads the tools that a request offers.
///
/// # Errors
/// What the provider refuses, in its words, and tools that are no functions, which this fake does not
/// reproduce.
pub(super) fn read(
    request: &Map<String, Value>,
    endpoint: Endpoint,
) -> Result<Vec<Tool<'_>>, ApiError> {
    let tools = request.get("tools").and_then(Value::as_array);
    let tools = tools.into_iter().flatten().enumerate();
    tools.map(|(i, tool)| read_one(tool, &format!("tools[{i}]"), endpoint)).collect()
}

fn read_one<'r>(tool: &'r Value, path: &str, endpoint: Endpoint) -> Result<Tool<'r>, ApiError> {
    let tool = params::object(tool, path)?;
    let kind = params::text(tool, "type", path)?;
    match (endpoint, kind) {
        (Endpoint::Responses, "function") => function(tool, path, endpoint),
        (Endpoint::Chat, "function") => {
            let at = join(path, "function");
            let function_object = tool.get("function").ok_or_else(|| ApiError::missing(&at))?;
            function(params::object(function_object, &at)?, &at, endpoint)
        }
        (Endpoint::Responses, kind) if !RESPONSES_TOOLS.contains(&kind) => {
            Err(ApiError::invalid_value(path, kind, &RESPONSES_TOOLS))
        }
        (Endpoint::Chat, kind) if !CHAT_TOOLS.contains(&kind) => {
            Err(ApiError::invalid_value(&join(path, "type"), kind, &CHAT_TOOLS))
        }
        (_, kind) => Err(ApiError::ours(format!(
            "the tool '{kind}' is not reproduced, only functions are; leave it out here, or offer a function in its place"
        ))
        .param(path)),
    }
}

/// Reads one function. `path` leads to the object with its name and parameters.
///
/// # Errors
/// The function is not as the provider requires, or its schema is not allowed.
fn function<'r>(
    object: &'r Map<String, Value>,
    path: &str,
    endpoint: Endpoint,
) -> Result<Tool<'r>, ApiError> {
    // A missing name is said before unknown keys: a tool in the other endpoint's form lacks its name
    // (microsoft/autogen#6935).
    let name = params::text(object, "name", path)?;
    let table = match endpoint {
        Endpoint::Responses => RESPONSES_FUNCTION,
        Endpoint::Chat => CHAT_FUNCTION,
    };
    params::check(object, table, path)?;
    if name.is_empty() {
        return Err(ApiError::empty_string(&join(path, "name")));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(ApiError::no_match(&join(path, "name"), NAME_PATTERN));
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
    // On Responses a tool is strict by default. Without `strict`, a schema that strict tools may not
    // have makes it not strict.
    let strict = asked.unwrap_or(endpoint == Endpoint::Responses)
        && parameters.is_some_and(|p| schema::schema_error(p, true).is_none());
    Ok(Tool { name, strict, parameters })
}

/// Reads `tool_choice`.
///
/// # Errors
/// The value is unknown, or names a tool that is not offered or that this fake does not reproduce.
pub(super) fn choice<'r>(
    request: &'r Map<String, Value>,
    tools: &[Tool<'_>],
    endpoint: Endpoint,
) -> Result<ToolChoice<'r>, ApiError> {
    let object = match request.get("tool_choice") {
        None | Some(Value::Null) => return Ok(ToolChoice::Auto),
        Some(Value::String(mode)) => {
            return match mode.as_str() {
                "auto" => Ok(ToolChoice::Auto),
                "none" => Ok(ToolChoice::None),
                // Reported of the Responses endpoint; Chat Completions refuses it earlier.
                "required" if tools.is_empty() => Err(ApiError::invalid(
                    "Tool choice 'required' must be specified with 'tools' parameter.",
                )
                .param("tool_choice")),
                "required" => Ok(ToolChoice::Required),
                other => Err(ApiError::invalid_value("tool_choice", other, &MODES)),
            };
        }
        Some(Value::Object(object)) => object,
        Some(other) => {
            return Err(ApiError::invalid_type("tool_choice", "one of a string or object", other));
        }
    };
    match get(object, "type") {
        "function" => {
            let name = chosen_name(object, "tool_choice", endpoint)?;
            check_offered(name, tools, endpoint)?;
            Ok(ToolChoice::Named(name))
        }
        "allowed_tools" => allowed(object, tools, endpoint),
        kind if endpoint == Endpoint::Responses
            && (RESPONSES_TOOLS.contains(&kind) || kind == "computer_use") =>
        {
            Err(ApiError::ours(format!(
                "the tool '{kind}' is not reproduced, only functions are; choose a function"
            ))
            .param("tool_choice"))
        }
        "custom" => Err(ApiError::ours(
            "the tool 'custom' is not reproduced, only functions are; choose a function",
        )
        .param("tool_choice")),
        _ => Err(match endpoint {
            Endpoint::Chat => ApiError::missing("tool_choice.function"),
            Endpoint::Responses => ApiError::missing("tool_choice.type"),
        }),
    }
}

/// The choice among some of the tools (`allowed_tools`).
fn allowed<'r>(
    object: &'r Map<String, Value>,
    tools: &[Tool<'_>],
    endpoint: Endpoint,
) -> Result<ToolChoice<'r>, ApiError> {
    let (object, path) = match endpoint {
        Endpoint::Responses => (object, "tool_choice"),
        Endpoint::Chat => {
            let path = "tool_choice.allowed_tools";
            let object = object.get("allowed_tools").ok_or_else(|| ApiError::missing(path))?;
            (params::object(object, path)?, path)
        }
    };
    let mode = params::text(object, "mode", path)?;
    let required = match mode {
        "auto" => false,
        "required" => true,
        other => {
            return Err(ApiError::invalid_value(&join(path, "mode"), other, &["auto", "required"]));
        }
    };
    let at = join(path, "tools");
    let list = object.get("tools").ok_or_else(|| ApiError::missing(&at))?;
    let list =
        list.as_array().ok_or_else(|| ApiError::invalid_type(&at, "an array of objects", list))?;
    let mut names = Vec::with_capacity(list.len());
    for (i, tool) in list.iter().enumerate() {
        let path = format!("{at}[{i}]");
        let tool = params::object(tool, &path)?;
        match params::text(tool, "type", &path)? {
            "function" => {
                let name = chosen_name(tool, &path, endpoint)?;
                check_offered(name, tools, endpoint)?;
                names.push(name);
            }
            kind => {
                return Err(ApiError::ours(format!(
                    "the tool '{kind}' is not reproduced, only functions are; leave it out of allowed_tools"
                ))
                .param(path));
            }
        }
    }
    Ok(ToolChoice::Allowed { names, required })
}

/// The name of a chosen function, which has the endpoint's own form.
fn chosen_name<'r>(
    object: &'r Map<String, Value>,
    path: &str,
    endpoint: Endpoint,
) -> Result<&'r str, ApiError> {
    match endpoint {
        Endpoint::Responses => params::text(object, "name", path),
        Endpoint::Chat => {
            let at = join(path, "function");
            let function = object.get("function").ok_or_else(|| ApiError::missing(&at))?;
            params::text(params::object(function, &at)?, "name", &at)
        }
    }
}

fn check_offered(name: &str, tools: &[Tool<'_>], endpoint: Endpoint) -> Result<(), ApiError> {
    if tools.iter().any(|tool| tool.name == name) {
        return Ok(());
    }
    Err(match endpoint {
        Endpoint::Responses => ApiError::invalid(format!(
            "Tool choice 'function' not found in 'tools' parameter: '{name}'."
        ))
        .param("tool_choice"),
        // Chat Completions speaks of the older parameters here (a record of probes, 2026-09).
        Endpoint::Chat => ApiError::invalid(format!(
            "Invalid value for 'function_call': no function named '{name}' was specified in the 'functions' parameter."
        ))
        .param("function_call"),
    })
}
