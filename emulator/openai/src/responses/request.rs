//! Checks the parameters of a request as the provider does, and reads it as a conversation.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::input;
use crate::{
    conversation::{Conversation, get},
    error::ApiError,
    format::{self, Format},
    options::Options,
    params::{self, ParameterType},
    respond::Endpoint,
    rules,
    stored_responses::StoredResponses,
    tools,
};

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("model", ParameterType::Text),
    ("input", ParameterType::Any),
    ("instructions", ParameterType::Text),
    ("tools", ParameterType::Entries(0, tools::MAX_TOOLS)),
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
    ("presence_penalty", ParameterType::Decimal(-2.0, 2.0)),
    ("frequency_penalty", ParameterType::Decimal(-2.0, 2.0)),
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

/// Parameters of Chat Completions that have another name here. The provider says so instead of calling
/// them unknown: madox2/vim-ai#162, OpenHands/software-agent-sdk#755, and public records of probes.
/// `max_tokens` is not among them: it is an unknown parameter.
const MOVED: [(&str, &str); 3] = [
    ("messages", "input"),
    ("reasoning_effort", "reasoning.effort"),
    ("response_format", "text.format"),
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
    // The order in which the provider checks: the model, unknown keys, types.
    let model = params::text(request, "model", "")?;
    if let Some((name, moved)) = MOVED.iter().find(|(name, _)| request.contains_key(*name)) {
        return Err(ApiError::invalid(format!(
            "Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{moved}'. Try again with the new parameter. See the API documentation for more information: https://platform.openai.com/docs/api-reference/responses/create."
        ))
        .code("unsupported_parameter"));
    }
    params::check(request, PARAMETERS, "")?;
    options.check_model(model)?;
    check_nested(request)?;
    rules::check_needs(request, Endpoint::Responses)?;
    rules::check(request, Endpoint::Responses, model)?;
    let reasoning = includes_reasoning(request)?;
    check_reproduced(request)?;
    let given = |name: &str| request.get(name).is_some_and(|v| !v.is_null());
    if given("previous_response_id") && given("conversation") {
        return Err(ApiError::invalid(
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
        )
        .code("mutually_exclusive_parameters"));
    }
    let tools = tools::read(request, Endpoint::Responses)?;
    let mut conversation = Conversation {
        operation: Endpoint::Responses.name(),
        model,
        identifier: request.get("safety_identifier").and_then(Value::as_str),
        instructions: Cow::Borrowed(get(request, "instructions")),
        reasoning,
        choice: tools::choice(request, &tools, Endpoint::Responses)?,
        tools,
        format: format::of_responses(request)?,
        single_call: request.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        limit: request.get("max_output_tokens").and_then(Value::as_u64),
        ..Conversation::default()
    };
    input::read(request, input, prior, stored, &mut conversation)?;
    if conversation.format == Format::JsonObject && !says_json(input, prior) {
        return Err(ApiError::invalid(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        )
        .param("input"));
    }
    Ok(conversation)
}

/// The id of the conversation that a request goes on with.
///
/// # Errors
/// It is neither an id nor an object with one, or no id of a conversation.
pub(crate) fn conversation_id(request: &Map<String, Value>) -> Result<Option<&str>, ApiError> {
    let (id, name) = match request.get("conversation") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(id)) => (id.as_str(), "conversation"),
        Some(Value::Object(object)) => {
            (params::text(object, "id", "conversation")?, "conversation.id")
        }
        Some(other) => {
            return Err(ApiError::invalid_type("conversation", "one of a string or object", other));
        }
    };
    params::check_id(id, "conv", name)?;
    Ok(Some(id))
}

/// Whether the input contains the word, in capitals or not. Instructions do not count, as public reports
/// of this error find.
fn says_json(input: Option<&Value>, prior: &[Value]) -> bool {
    let mut values = input.into_iter().chain(prior);
    values.any(|value| value.to_string().to_ascii_lowercase().contains("json"))
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
        ("context", ParameterType::OneOf(&["auto", "current_turn", "all_turns"])),
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
fn check_reproduced(request: &Map<String, Value>) -> Result<(), ApiError> {
    if request.get("background") == Some(&Value::Bool(true)) {
        return Err(ApiError::ours("background responses are not reproduced").param("background"));
    }
    if let Some(prompt) = request.get("prompt").and_then(Value::as_object) {
        let id = get(prompt, "id");
        // Without a parameter: a record of probes, 2026-08.
        return Err(ApiError::invalid(format!("Prompt with id '{id}' not found.")).status(404));
    }
    let logprobs =
        list(request, "include").iter().any(|name| name == "message.output_text.logprobs")
            || request.get("top_logprobs").and_then(Value::as_i64).is_some_and(|n| n > 0);
    if logprobs {
        let why =
            "log probabilities are not reproduced, since no model is run; leave them out here";
        return Err(ApiError::ours(why).param("top_logprobs"));
    }
    for (name, what) in [("context_management", "context management"), ("moderation", "moderation")]
    {
        if request.get(name).is_some_and(|value| !value.is_null()) {
            let why = format!("{what} is not reproduced; leave '{name}' out here");
            return Err(ApiError::ours(why).param(name));
        }
    }
    Ok(())
}

fn list<'r>(request: &'r Map<String, Value>, name: &str) -> &'r [Value] {
    request.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
