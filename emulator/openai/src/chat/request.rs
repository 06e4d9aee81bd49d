//! Checks the parameters of a request as the provider does, and reads it as a conversation.

use serde_json::{Map, Value};

use super::messages;
use crate::{
    conversation::Conversation,
    error::ApiError,
    format::{self, Format},
    options::Options,
    params::{self, ParameterType},
    respond::Endpoint,
    rules, tools,
};

/// Most stop sequences; continuedev/continue#2461. A list without any is taken.
const MAX_STOPS: usize = 4;

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("model", ParameterType::Text),
    // CopilotKit/CopilotKit#529.
    ("messages", ParameterType::Entries(1, usize::MAX)),
    // vllm-project/vllm#39741 compares with the provider.
    ("tools", ParameterType::Entries(1, tools::MAX_TOOLS)),
    ("tool_choice", ParameterType::Any),
    ("stream", ParameterType::Flag),
    ("stream_options", ParameterType::Object),
    ("temperature", ParameterType::Decimal(0.0, 2.0)),
    ("top_p", ParameterType::Decimal(0.0, 1.0)),
    ("n", ParameterType::Integer(1, 128)),
    ("max_completion_tokens", ParameterType::Integer(1, i64::MAX)),
    ("max_tokens", ParameterType::Integer(1, i64::MAX)),
    (
        "reasoning_effort",
        ParameterType::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    ),
    ("verbosity", ParameterType::OneOf(&["low", "medium", "high"])),
    ("response_format", ParameterType::Object),
    ("parallel_tool_calls", ParameterType::Flag),
    ("safety_identifier", ParameterType::Short(64)),
    ("user", ParameterType::Text),
    ("store", ParameterType::Flag),
    ("metadata", ParameterType::Metadata),
    ("stop", ParameterType::Any),
    ("seed", ParameterType::Integer(i64::MIN, i64::MAX)),
    ("frequency_penalty", ParameterType::Decimal(-2.0, 2.0)),
    ("presence_penalty", ParameterType::Decimal(-2.0, 2.0)),
    ("logit_bias", ParameterType::Object),
    ("logprobs", ParameterType::Flag),
    ("top_logprobs", ParameterType::Integer(0, 20)),
    ("modalities", ParameterType::Array),
    ("audio", ParameterType::Object),
    ("prediction", ParameterType::Object),
    (
        "service_tier",
        ParameterType::OneOf(&["auto", "default", "flex", "scale", "priority", "fast"]),
    ),
    ("web_search_options", ParameterType::Object),
    ("prompt_cache_key", ParameterType::Text),
    ("prompt_cache_retention", ParameterType::OneOf(&["in_memory", "in-memory", "24h"])),
    ("prompt_cache_options", ParameterType::Object),
    ("moderation", ParameterType::Object),
    ("functions", ParameterType::Array),
    ("function_call", ParameterType::Any),
];

const STREAM_OPTIONS: &[(&str, ParameterType)] =
    &[("include_usage", ParameterType::Flag), ("include_obfuscation", ParameterType::Flag)];

/// Parameters that the provider takes and this fake does not reproduce, with what to do instead.
const NOT_REPRODUCED: &[(&str, &str)] = &[
    ("functions", "'functions' is not reproduced; use 'tools'"),
    ("function_call", "'function_call' is not reproduced; use 'tool_choice'"),
    ("web_search_options", "web search is not reproduced; leave 'web_search_options' out here"),
    ("audio", "audio is not reproduced; leave 'audio' out here"),
    ("prediction", "predicted output is not reproduced; leave 'prediction' out here"),
    ("moderation", "moderation is not reproduced; leave 'moderation' out here"),
];

/// Reads a request as a conversation.
///
/// # Errors
/// What the provider refuses, in its words, and what this fake does not reproduce.
pub(crate) fn read<'r>(
    request: &'r Map<String, Value>,
    options: &Options,
) -> Result<Conversation<'r>, ApiError> {
    // The order in which the provider checks: model, messages, unknown keys, types.
    let model = match request.get("model") {
        None | Some(Value::Null) => {
            return Err(ApiError::invalid("you must provide a model parameter"));
        }
        _ => params::text(request, "model", "")?,
    };
    if request.get("messages").is_none_or(Value::is_null) {
        return Err(ApiError::missing("messages"));
    }
    params::check(request, PARAMETERS, "")?;
    options.check_model(model)?;
    if let Some(options) = request.get("stream_options").and_then(Value::as_object) {
        params::check(options, STREAM_OPTIONS, "stream_options")?;
    }
    let stop = stops(request)?;
    rules::check_needs(request, Endpoint::Chat)?;
    let tools = tools::read(request, Endpoint::Chat)?;
    rules::check(request, Endpoint::Chat, model)?;
    check_reproduced(request)?;
    let limit = ["max_completion_tokens", "max_tokens"]
        .into_iter()
        .find_map(|name| request.get(name).and_then(Value::as_u64));
    let mut conversation = Conversation {
        operation: Endpoint::Chat.name(),
        model,
        identifier: request.get("safety_identifier").and_then(Value::as_str),
        choice: tools::choice(request, &tools, Endpoint::Chat)?,
        tools,
        format: format::of_chat(request)?,
        single_call: request.get("parallel_tool_calls") == Some(&Value::Bool(false)),
        limit,
        stop,
        ..Conversation::default()
    };
    messages::read(request, &mut conversation)?;
    if conversation.format == Format::JsonObject && !says_json(request) {
        // ultimatejimmy/xray.koplugin#33, meta-llama/PurpleLlama#94.
        return Err(ApiError::invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        )
        .param("messages"));
    }
    Ok(conversation)
}

/// The texts before which the model stops.
fn stops(request: &Map<String, Value>) -> Result<Vec<&str>, ApiError> {
    let list = match request.get("stop") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(one)) => return Ok(vec![one]),
        Some(Value::Array(list)) => list,
        Some(other) => {
            let expected = "one of a string or array of strings";
            return Err(ApiError::invalid_type("stop", expected, other));
        }
    };
    if list.len() > MAX_STOPS {
        return Err(ApiError::long_array("stop", MAX_STOPS, list.len()));
    }
    let texts = list.iter().enumerate().map(|(i, value)| match value {
        Value::String(text) => Ok(text.as_str()),
        other => Err(ApiError::invalid_type(&format!("stop[{i}]"), "a string", other)),
    });
    texts.collect()
}

/// Refuses what the provider has and this fake does not reproduce; it is never ignored.
fn check_reproduced(request: &Map<String, Value>) -> Result<(), ApiError> {
    let given = |name: &str| request.get(name).is_some_and(|v| !v.is_null());
    if let Some((name, why)) = NOT_REPRODUCED.iter().find(|(name, _)| given(name)) {
        return Err(ApiError::ours(why).param(*name));
    }
    if request.get("n").and_then(Value::as_i64).is_some_and(|n| n > 1) {
        return Err(
            ApiError::ours("more than one choice is not reproduced; ask with n: 1").param("n")
        );
    }
    if request.get("logprobs") == Some(&Value::Bool(true)) {
        let why = "log probabilities are not reproduced, since no model is run; leave 'logprobs' out here";
        return Err(ApiError::ours(why).param("logprobs"));
    }
    let modalities = request.get("modalities").and_then(Value::as_array);
    if modalities.into_iter().flatten().any(|kind| kind != "text") {
        return Err(ApiError::ours("only text is reproduced; ask for the modality 'text' alone")
            .param("modalities"));
    }
    Ok(())
}

/// Whether the messages contain the word, in capitals or not.
fn says_json(request: &Map<String, Value>) -> bool {
    request
        .get("messages")
        .is_some_and(|messages| messages.to_string().to_ascii_lowercase().contains("json"))
}
