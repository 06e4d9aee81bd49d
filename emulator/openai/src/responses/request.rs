//! Checks the parameters of a request as the provider does, and reads it as a conversation.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::input;
use crate::{
    conversation::{Conversation, get},
    error::ApiError,
    options::Options,
    params::{self, ParameterType},
    stored_responses::StoredResponses,
    tools,
};

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("model", ParameterType::Text),
    ("input", ParameterType::Any),
    ("instructions", ParameterType::Text),
    ("tools", ParameterType::Array),
    ("tool_choice", ParameterType::Any),
    ("store", ParameterType::Flag),
    ("stream", ParameterType::Flag),
    ("include", ParameterType::Array),
    ("parallel_tool_calls", ParameterType::Flag),
    ("safety_identifier", ParameterType::Short(64)),
    ("reasoning", ParameterType::Object),
    ("text", ParameterType::Object),
    ("max_output_tokens", ParameterType::Integer(16, i64::MAX)),
    ("max_tool_calls", ParameterType::Integer(1, i64::MAX)),
    ("temperature", ParameterType::Decimal(0.0, 2.0)),
    ("top_p", ParameterType::Decimal(0.0, 1.0)),
    ("top_logprobs", ParameterType::Integer(0, 20)),
    ("truncation", ParameterType::OneOf(&["auto", "disabled"])),
    ("previous_response_id", ParameterType::Text),
    ("conversation", ParameterType::Any),
    ("metadata", ParameterType::Metadata),
    (
        "service_tier",
        ParameterType::OneOf(&[
            "auto",
            "default",
            "flex",
            "scale",
            "priority",
            "fast",
            "ultrafast",
        ]),
    ),
    ("stream_options", ParameterType::Object),
    ("prompt", ParameterType::Object),
    ("prompt_cache_key", ParameterType::Text),
    ("prompt_cache_retention", ParameterType::OneOf(&["in_memory", "in-memory", "24h"])),
    ("prompt_cache_options", ParameterType::Object),
    ("background", ParameterType::Flag),
    ("context_management", ParameterType::Array),
    ("moderation", ParameterType::Object),
    ("access_programs", ParameterType::Any),
    ("user", ParameterType::Text),
];

const INCLUDES: [&str; 8] = [
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
];

const TOOLS: [&str; 18] = [
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

/// Reads a request as a conversation. `prior` are the items of `previous_response_id`; `input` is
/// the request's input with references resolved.
///
/// # Errors
/// What the provider refuses, in its words, and what this fake does not reproduce.
pub(crate) fn read<'r>(
    request: &'r Map<String, Value>,
    input: Option<&'r Value>,
    prior: &'r [Value],
    options: &Options,
    stored: &StoredResponses,
) -> Result<Conversation<'r>, ApiError> {
    params::check(request, PARAMETERS, "")?;
    let model = params::text(request, "model", "")?;
    if !options.has_model(model) {
        return Err(ApiError::model_not_found(model));
    }
    check_nested(request)?;
    check_supported(request)?;
    let given = |name: &str| request.get(name).is_some_and(|v| !v.is_null());
    if given("previous_response_id") && given("conversation") {
        return Err(ApiError::invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
        )
        .code("mutually_exclusive_parameters"));
    }
    if given("stream_options") && request.get("stream") != Some(&Value::Bool(true)) {
        return Err(ApiError::invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
        .param("stream_options"));
    }
    let mut conversation = Conversation {
        operation: "openai.responses",
        model,
        identifier: request.get("safety_identifier").and_then(Value::as_str),
        instructions: Cow::Borrowed(get(request, "instructions")),
        reasoning: includes_reasoning(request)?,
        ..Conversation::default()
    };
    for (i, tool) in list(request, "tools").iter().enumerate() {
        let path = format!("tools[{i}]");
        let tool = params::object(tool, &path)?;
        match params::text(tool, "type", &path)? {
            "function" => conversation.tools.push(tools::function(tool, &path, true)?),
            kind if TOOLS.contains(&kind) => {}
            kind => return Err(ApiError::invalid_value(&path, kind, &TOOLS)),
        }
    }
    conversation.choice = tools::choice(request.get("tool_choice"), &conversation.tools, |c| {
        c.get("name").and_then(Value::as_str)
    })?;
    input::read(request, input, prior, stored, &mut conversation)?;
    Ok(conversation)
}

/// Whether the request includes encrypted reasoning. Unknown names are refused.
fn includes_reasoning(request: &Map<String, Value>) -> Result<bool, ApiError> {
    let mut reasoning = false;
    for (i, name) in list(request, "include").iter().enumerate() {
        let path = format!("include[{i}]");
        let Some(name) = name.as_str() else {
            return Err(ApiError::invalid_type(&path, "a string", name));
        };
        if !INCLUDES.contains(&name) {
            return Err(ApiError::invalid_value(&path, name, &INCLUDES));
        }
        reasoning |= name == "reasoning.encrypted_content";
    }
    Ok(reasoning)
}

/// Checks the parameters that are objects.
fn check_nested(request: &Map<String, Value>) -> Result<(), ApiError> {
    const REASONING: &[(&str, ParameterType)] = &[
        (
            "effort",
            ParameterType::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        ),
        ("summary", ParameterType::OneOf(&["auto", "concise", "detailed"])),
        ("generate_summary", ParameterType::OneOf(&["auto", "concise", "detailed"])),
        ("mode", ParameterType::Any),
    ];
    const TEXT: &[(&str, ParameterType)] = &[
        ("format", ParameterType::Object),
        ("verbosity", ParameterType::OneOf(&["low", "medium", "high"])),
    ];
    const STREAM: &[(&str, ParameterType)] = &[("include_obfuscation", ParameterType::Flag)];
    for (name, table) in [("reasoning", REASONING), ("text", TEXT), ("stream_options", STREAM)] {
        if let Some(object) = request.get(name).and_then(Value::as_object) {
            params::check(object, table, name)?;
        }
    }
    Ok(())
}

/// Refuses what the provider has and this fake does not reproduce; it is never ignored.
fn check_supported(request: &Map<String, Value>) -> Result<(), ApiError> {
    if request.get("background") == Some(&Value::Bool(true)) {
        return Err(ApiError::ours("background responses are not reproduced").param("background"));
    }
    for (name, what) in [("conversation", "Conversation"), ("prompt", "Prompt")] {
        let id = match request.get(name) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(object)) => get(object, "id"),
            Some(other) => other.as_str().unwrap_or_default(),
        };
        let message = format!("{what} with id '{id}' not found.");
        return Err(ApiError::invalid(message).param(name).status(404));
    }
    Ok(())
}

fn list<'r>(request: &'r Map<String, Value>, name: &str) -> &'r [Value] {
    request.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
