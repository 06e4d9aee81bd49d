//! Checks a request as the provider does, and reads it as a conversation.

use serde_json::{Map, Value};

use crate::{
    conversation::{Conversation, content, get},
    error::ApiError,
    options::Options,
    params::{self, ParameterType, join},
    tools,
};

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("model", ParameterType::Text),
    ("messages", ParameterType::Array),
    ("tools", ParameterType::Array),
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

const ROLES: [&str; 5] = ["system", "developer", "assistant", "user", "tool"];

/// Reads a request as a conversation.
///
/// # Errors
/// What the provider refuses, in its words, and what this fake does not reproduce.
pub(crate) fn read<'r>(
    request: &'r Map<String, Value>,
    options: &Options,
) -> Result<Conversation<'r>, ApiError> {
    params::check(request, PARAMETERS, "")?;
    let model = match request.get("model") {
        None | Some(Value::Null) => {
            return Err(ApiError::invalid("you must provide a model parameter"));
        }
        _ => params::text(request, "model", "")?,
    };
    if !options.has_model(model) {
        return Err(ApiError::model_not_found(model));
    }
    check_supported(request, model)?;
    let mut conversation = Conversation {
        operation: "openai.chat",
        model,
        identifier: request.get("safety_identifier").and_then(Value::as_str),
        ..Conversation::default()
    };
    let tools = request.get("tools").and_then(Value::as_array);
    for (i, tool) in tools.into_iter().flatten().enumerate() {
        let path = format!("tools[{i}]");
        let tool = params::object(tool, &path)?;
        match params::text(tool, "type", &path)? {
            "function" => {
                let at = join(&path, "function");
                let function = tool.get("function").ok_or_else(|| ApiError::missing(&at))?;
                let function = params::object(function, &at)?;
                conversation.tools.push(tools::function(function, &at, false)?);
            }
            "custom" => {}
            kind => {
                return Err(ApiError::invalid_value(
                    &join(&path, "type"),
                    kind,
                    &["function", "custom"],
                ));
            }
        }
    }
    conversation.choice = tools::choice(request.get("tool_choice"), &conversation.tools, |c| {
        c.get("function").and_then(|f| f.get("name")).and_then(Value::as_str)
    })?;
    read_messages(request, &mut conversation)?;
    Ok(conversation)
}

fn check_supported(request: &Map<String, Value>, model: &str) -> Result<(), ApiError> {
    let given = |name: &str| request.get(name).is_some_and(|v| !v.is_null());
    if given("stream_options") && request.get("stream") != Some(&Value::Bool(true)) {
        return Err(ApiError::invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
        .param("stream_options"));
    }
    let has_tools =
        request.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty());
    let effort = request.get("reasoning_effort").and_then(Value::as_str);
    if has_tools && responses_only(model) && effort != Some("none") {
        return Err(ApiError::invalid(format!(
            "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'."
        ))
        .param("reasoning_effort"));
    }
    if given("max_tokens") && reasons(model) {
        return Err(ApiError::invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        )
        .param("max_tokens")
        .code("unsupported_parameter"));
    }
    if request.get("n").and_then(Value::as_i64).is_some_and(|n| n > 1) {
        return Err(ApiError::ours("more than one choice is not reproduced").param("n"));
    }
    if given("functions") || given("function_call") {
        return Err(ApiError::ours("'functions' is not reproduced; use 'tools'").param("functions"));
    }
    Ok(())
}

/// The version in a model's name: `gpt-5.6-luna` is 5.6.
fn version(model: &str) -> Option<f64> {
    let number = model.strip_prefix("gpt-")?;
    let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
    number[..end].parse().ok()
}

/// Whether a model reasons and takes function tools on the Responses endpoint only.
fn responses_only(model: &str) -> bool {
    version(model).is_some_and(|v| v >= 5.4)
}

/// Whether a model reasons.
fn reasons(model: &str) -> bool {
    version(model).is_some_and(|v| v >= 5.0)
}

fn read_messages<'r>(
    request: &'r Map<String, Value>,
    conversation: &mut Conversation<'r>,
) -> Result<(), ApiError> {
    let Some(messages) = request.get("messages").and_then(Value::as_array) else {
        return Err(ApiError::missing("messages"));
    };
    if messages.is_empty() {
        return Err(ApiError::invalid(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        )
        .param("messages")
        .code("empty_array"));
    }
    let mut open: Vec<&str> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        let message = params::object(message, &path)?;
        let role = params::text(message, "role", &path)?;
        if !ROLES.contains(&role) {
            return Err(ApiError::invalid_value(&join(&path, "role"), role, &ROLES));
        }
        let text = content(message.get("content"));
        if role == "tool" {
            let id = params::text(message, "tool_call_id", &path)?;
            let Some(at) = open.iter().position(|call| *call == id) else {
                return Err(ApiError::invalid(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                )
                .param(format!("messages.[{i}].role")));
            };
            open.remove(at);
            conversation.result(id, text);
            continue;
        }
        check_all_answered(&open, i)?;
        match role {
            "user" => conversation.user(text),
            "assistant" => {
                let calls = message.get("tool_calls").and_then(Value::as_array);
                if calls.is_none() || !text.is_empty() {
                    conversation.assistant(text);
                }
                for (n, call) in calls.into_iter().flatten().enumerate() {
                    let path = format!("{path}.tool_calls[{n}]");
                    let call = params::object(call, &path)?;
                    let id = params::text(call, "id", &path)?;
                    let at = join(&path, "function");
                    let function = call.get("function").ok_or_else(|| ApiError::missing(&at))?;
                    let function = params::object(function, &at)?;
                    params::text(function, "name", &at)?;
                    params::text(function, "arguments", &at)?;
                    conversation.call(id, get(function, "name"), get(function, "arguments"));
                    open.push(id);
                }
            }
            _ => conversation.instruct(text),
        }
    }
    check_all_answered(&open, messages.len())
}

/// Refuses calls without their tool messages. `before` is the index of the message that follows.
fn check_all_answered(open: &[&str], before: usize) -> Result<(), ApiError> {
    if open.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
        open.join(", ")
    ))
    .param(format!("messages.[{before}].role")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_a_model_decides_what_it_accepts() {
        assert!(responses_only("gpt-6-luna") && responses_only("gpt-5.4-mini"));
        assert!(!responses_only("gpt-5-mini") && reasons("gpt-5-mini"));
        assert!(!reasons("gpt-4.1") && !reasons("gpt-4o") && !reasons("text-embedding-3"));
    }
}
