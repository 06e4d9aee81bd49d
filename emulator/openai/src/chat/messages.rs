//! Checks the messages of a request as the provider does, and adds them to the conversation.

use serde_json::{Map, Value};

use crate::{
    conversation::{Conversation, content, get},
    error::ApiError,
    images,
    params::{self, ParameterType, join},
    respond::Endpoint,
};

/// In the order in which the provider lists them.
const ROLES: [&str; 6] = ["system", "assistant", "user", "function", "tool", "developer"];

/// Most calls of a message; gptscript-ai/gptscript#547.
const MAX_CALLS: usize = 128;

/// Most characters of a message's content; Shopify/roast#52.
const MAX_CONTENT: usize = 10_485_760;

/// What the name of a called function looks like; mcp-use/mcp-use#94.
const NAME_PATTERN: &str = "^[a-zA-Z0-9_-]+$";

/// Keys of each role's messages, from OpenAI's OpenAPI document. `annotations` stands in messages of
/// the model, which clients send back as they are; `name` beside results in OpenAI's own examples.
const INSTRUCTIONS: &[(&str, ParameterType)] =
    &[("role", ParameterType::Any), ("content", ParameterType::Any), ("name", ParameterType::Text)];
const ASSISTANT: &[(&str, ParameterType)] = &[
    ("role", ParameterType::Any),
    ("content", ParameterType::Any),
    ("name", ParameterType::Text),
    ("refusal", ParameterType::Text),
    ("audio", ParameterType::Object),
    ("annotations", ParameterType::Array),
    ("function_call", ParameterType::Object),
    // home-assistant/core#118577, openai/openai-node#1341.
    ("tool_calls", ParameterType::Entries(1, MAX_CALLS)),
];
const RESULT: &[(&str, ParameterType)] = &[
    ("role", ParameterType::Any),
    ("content", ParameterType::Any),
    ("name", ParameterType::Text),
    ("tool_call_id", ParameterType::Text),
];
const CALL: &[(&str, ParameterType)] = &[
    // microsoft/autogen#6377, langmanus/langmanus#119.
    ("id", ParameterType::Short(40)),
    ("type", ParameterType::Text),
    ("function", ParameterType::Object),
    ("custom", ParameterType::Object),
];
const CALLED: &[(&str, ParameterType)] =
    &[("name", ParameterType::Text), ("arguments", ParameterType::Text)];

/// Parts of contents, in the order in which the provider lists them (icereed/paperless-gpt#46).
const PARTS: [&str; 6] = ["text", "image_url", "input_audio", "refusal", "audio", "file"];

/// Reads `messages` into the conversation.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn read<'r>(
    request: &'r Map<String, Value>,
    conversation: &mut Conversation<'r>,
) -> Result<(), ApiError> {
    let messages = request.get("messages").and_then(Value::as_array);
    let messages = messages.map_or(&[][..], Vec::as_slice);
    let mut open: Vec<&str> = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let path = format!("messages[{i}]");
        let message = params::object(message, &path)?;
        let role = params::text(message, "role", &path)?;
        check(message, role, i, &path)?;
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
                    open.push(read_call(call, &format!("{path}.tool_calls[{n}]"), conversation)?);
                }
            }
            _ => conversation.instruct(text),
        }
    }
    check_all_answered(&open, messages.len())
}

/// Checks a message's keys and content. `at` is its index.
fn check(message: &Map<String, Value>, role: &str, at: usize, path: &str) -> Result<(), ApiError> {
    let table = match role {
        "system" | "developer" | "user" => INSTRUCTIONS,
        "assistant" => ASSISTANT,
        "tool" => RESULT,
        "function" => {
            return Err(ApiError::ours(
                "messages with role 'function' are not reproduced; use 'tools' and role 'tool'",
            )
            .param(join(path, "role")));
        }
        _ => return Err(ApiError::invalid_value(&join(path, "role"), role, &ROLES)),
    };
    params::check(message, table, path)?;
    let given = |name: &str| message.get(name).is_some_and(|value| !value.is_null());
    let at_content = join(path, "content");
    match message.get("content") {
        // A text of fewer bytes has no more characters.
        Some(Value::String(text)) if text.len() > MAX_CONTENT => match text.chars().count() {
            length if length > MAX_CONTENT => {
                Err(ApiError::too_long(&at_content, MAX_CONTENT, length))
            }
            _ => Ok(()),
        },
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) => {
            // From `minItems` in OpenAI's OpenAPI document.
            if parts.is_empty() {
                return Err(ApiError::empty_array(&at_content));
            }
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(i, part)| check_part(part, role, &format!("{at_content}[{i}]")))
        }
        None | Some(Value::Null) => {
            let replaced = ["tool_calls", "function_call", "audio", "refusal"];
            if role == "assistant" && replaced.into_iter().any(given) {
                return Ok(());
            }
            // langchain-ai/langchainjs#4153, docker/docker-agent#63.
            Err(ApiError::invalid("Invalid value for 'content': expected a string, got null.")
                .param(format!("messages.[{at}].content")))
        }
        Some(other) => {
            Err(ApiError::invalid_type(&at_content, "one of a string or array of objects", other))
        }
    }
}

/// Checks a part of a content. Under the roles with instructions the provider does not mind other
/// keys, so keys are not checked at all.
fn check_part(part: &Value, role: &str, path: &str) -> Result<(), ApiError> {
    let part = params::object(part, path)?;
    let kind = params::text(part, "type", path)?;
    if !PARTS.contains(&kind) {
        return Err(ApiError::invalid_value(&join(path, "type"), kind, &PARTS));
    }
    match kind {
        "text" | "refusal" => params::text(part, kind, path).map(|_| ()),
        "image_url" | "input_audio" | "file" if role == "user" => {
            let at = join(path, kind);
            let object = part.get(kind).ok_or_else(|| ApiError::missing(&at))?;
            match params::object(object, &at)?.get("url").and_then(Value::as_str) {
                Some(url) if kind == "image_url" => {
                    images::check(url, &join(&at, "url"), Endpoint::Chat)
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Reads a call of the model and returns its id.
fn read_call<'r>(
    call: &'r Value,
    path: &str,
    conversation: &mut Conversation<'r>,
) -> Result<&'r str, ApiError> {
    let call = params::object(call, path)?;
    let id = params::text(call, "id", path)?;
    // An index belongs into streams: a record of Chat Completions, 2026.
    params::check(call, CALL, path)?;
    if get(call, "type") == "custom" {
        return Err(ApiError::ours("calls of custom tools are not reproduced").param(path));
    }
    let at = join(path, "function");
    let function = call.get("function").ok_or_else(|| ApiError::missing(&at))?;
    let function = params::object(function, &at)?;
    let name = params::text(function, "name", &at)?;
    params::text(function, "arguments", &at)?;
    params::check(function, CALLED, &at)?;
    // continuedev/continue#11645.
    if name.is_empty() {
        return Err(ApiError::empty_string(&join(&at, "name")));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(ApiError::no_match(&join(&at, "name"), NAME_PATTERN));
    }
    conversation.call(id, name, get(function, "arguments"));
    Ok(id)
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
