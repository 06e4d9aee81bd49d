//! Checks and reads the input of a request: the shape of each item, then how items refer to each
//! other.

use serde_json::{Map, Value, json};

use super::references::check_references;
use crate::{
    conversation::{Conversation, content, get},
    error::ApiError,
    images,
    params::{self, ParameterType, join},
    respond::Endpoint,
    stored_responses::StoredResponses,
};

const ROLES: [&str; 4] = ["assistant", "system", "developer", "user"];
const INPUT_PARTS: [&str; 4] = ["input_text", "input_image", "input_file", "input_audio"];
const OUTPUT_PARTS: [&str; 2] = ["output_text", "refusal"];

/// Longest id of an item, in characters; github/app#409.
const MAX_ID: usize = 64;

const MESSAGE: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("role", ParameterType::OneOf(&ROLES)),
    ("content", ParameterType::Any),
    ("id", ParameterType::Short(MAX_ID)),
    ("status", ParameterType::OneOf(&STATUSES)),
    ("phase", ParameterType::Any),
];
const CALL: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("id", ParameterType::Short(MAX_ID)),
    ("call_id", ParameterType::Short(64)),
    ("name", ParameterType::Text),
    ("arguments", ParameterType::Text),
    ("status", ParameterType::OneOf(&STATUSES)),
    ("namespace", ParameterType::Any),
    ("caller", ParameterType::Any),
    ("async", ParameterType::Flag),
    ("created_by", ParameterType::Any),
];
const OUTPUT: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("id", ParameterType::Short(MAX_ID)),
    ("call_id", ParameterType::Short(64)),
    ("output", ParameterType::Any),
    ("name", ParameterType::Text),
    ("namespace", ParameterType::Any),
    ("status", ParameterType::OneOf(&STATUSES)),
    ("caller", ParameterType::Any),
    ("created_by", ParameterType::Any),
];
const REASONING: &[(&str, ParameterType)] = &[
    ("type", ParameterType::Any),
    ("id", ParameterType::Short(MAX_ID)),
    ("summary", ParameterType::Array),
    ("content", ParameterType::Array),
    ("encrypted_content", ParameterType::Text),
    ("status", ParameterType::OneOf(&STATUSES)),
];
const STATUSES: [&str; 3] = ["in_progress", "completed", "incomplete"];

/// Types of items that are accepted unchecked.
const OTHERS: [&str; 28] = [
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "tool_search_call",
    "tool_search_output",
    "additional_tools",
    "configuration_update",
    "compaction",
    "compaction_trigger",
    "image_generation_call",
    "code_interpreter_call",
    "local_shell_call",
    "local_shell_call_output",
    "shell_call",
    "shell_call_output",
    "apply_patch_call",
    "apply_patch_call_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "custom_tool_call",
    "custom_tool_call_output",
    "program",
    "program_output",
    "context_compaction",
    "memory",
];

/// Reads the input into the conversation, after the items of `previous_response_id`.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn read<'r>(
    request: &'r Map<String, Value>,
    input: Option<&'r Value>,
    prior: &'r [Value],
    stored: &StoredResponses,
    conversation: &mut Conversation<'r>,
) -> Result<(), ApiError> {
    for item in prior.iter().filter_map(Value::as_object) {
        add_item(item, conversation);
    }
    match input {
        _ if is_empty(input)
            && ["previous_response_id", "conversation"]
                .iter()
                .all(|n| request.get(*n).is_none_or(Value::is_null)) =>
        {
            return Err(ApiError::invalid(
                "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.",
            )
            .param("input")
            .code("missing_required_parameter"));
        }
        Some(Value::String(text)) => {
            // A call that the conversation ends with wants its output first.
            let all: Vec<&Map<String, Value>> = prior.iter().filter_map(Value::as_object).collect();
            let unstored = request.get("store") == Some(&Value::Bool(false));
            check_references(&all, prior.len(), unstored, stored)?;
            conversation.user(text.as_str().into());
        }
        Some(Value::Array(items)) => {
            let mut all: Vec<&Map<String, Value>> =
                prior.iter().filter_map(Value::as_object).collect();
            for (i, item) in items.iter().enumerate() {
                let path = format!("input[{i}]");
                let item = params::object(item, &path)?;
                check_shape(item, &path)?;
                all.push(item);
                add_item(item, conversation);
            }
            let unstored = request.get("store") == Some(&Value::Bool(false));
            check_references(&all, prior.len(), unstored, stored)?;
        }
        None | Some(Value::Null) => {}
        Some(other) => {
            let expected = "one of a string or array of input items";
            return Err(ApiError::invalid_type("input", expected, other));
        }
    }
    Ok(())
}

/// Checks the shape of each of some items. `path` leads to them.
///
/// # Errors
/// What the provider refuses, in its words.
pub(crate) fn check_items(items: &[Value], path: &str) -> Result<(), ApiError> {
    for (i, item) in items.iter().enumerate() {
        let path = format!("{path}[{i}]");
        check_shape(params::object(item, &path)?, &path)?;
    }
    Ok(())
}

/// The input as items, as they are given.
pub(crate) fn input_items(input: Option<&Value>) -> Vec<Value> {
    match input {
        Some(Value::String(text)) => {
            vec![json!({ "type": "message", "role": "user", "content": text })]
        }
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    }
}

/// Whether there is no input.
fn is_empty(input: Option<&Value>) -> bool {
    match input {
        None | Some(Value::Null) => true,
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// The type of an item. Messages and references may leave it out.
pub(super) fn kind(item: &Map<String, Value>) -> &str {
    match item.get("type") {
        None | Some(Value::Null) if item.contains_key("role") => "message",
        None | Some(Value::Null)
            if item.contains_key("id") && item.keys().all(|key| key == "id" || key == "type") =>
        {
            "item_reference"
        }
        kind => kind.and_then(Value::as_str).unwrap_or_default(),
    }
}

/// Whether an item only names another one.
pub(crate) fn is_reference(item: &Value) -> bool {
    item.as_object().is_some_and(|item| kind(item) == "item_reference")
}

fn check_shape(item: &Map<String, Value>, path: &str) -> Result<(), ApiError> {
    match kind(item) {
        "message" => check_message(item, path),
        "function_call" => {
            params::check(item, CALL, path)?;
            for name in ["call_id", "name", "arguments"] {
                params::text(item, name, path)?;
            }
            check_id_prefix(item, "fc", path)
        }
        "function_call_output" => {
            params::check(item, OUTPUT, path)?;
            params::text(item, "call_id", path)?;
            match item.get("output") {
                Some(Value::String(_)) => Ok(()),
                Some(Value::Array(list)) => check_parts(list, &INPUT_PARTS, &join(path, "output")),
                None | Some(Value::Null) => Err(ApiError::missing(&join(path, "output"))),
                Some(other) => Err(ApiError::invalid_type(
                    &join(path, "output"),
                    "one of a string or array of objects",
                    other,
                )),
            }
        }
        "reasoning" => {
            params::check(item, REASONING, path)?;
            // 1jehuang/jcode#1028, BerriAI/litellm#13420; the document has it.
            if item.get("status").is_some_and(|status| !status.is_null()) {
                return Err(ApiError::unknown_parameter(&join(path, "status")));
            }
            if !item.contains_key("summary") {
                return Err(ApiError::missing(&join(path, "summary")));
            }
            check_id_prefix(item, "rs", path)
        }
        "item_reference" => params::text(item, "id", path).map(|_| ()),
        "" => Err(ApiError::missing(&join(path, "type"))),
        other if OTHERS.contains(&other) => Ok(()),
        other => {
            let mut known = vec![
                "message",
                "function_call",
                "function_call_output",
                "reasoning",
                "item_reference",
            ];
            known.extend(OTHERS);
            known.sort_unstable();
            Err(ApiError::invalid_value(path, other, &known))
        }
    }
}

fn check_message(item: &Map<String, Value>, path: &str) -> Result<(), ApiError> {
    params::check(item, MESSAGE, path)?;
    let role = params::text(item, "role", path)?;
    let at = join(path, "content");
    match item.get("content") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(list)) => {
            check_parts(list, if role == "assistant" { &OUTPUT_PARTS } else { &INPUT_PARTS }, &at)
        }
        None | Some(Value::Null) => Err(ApiError::missing(&at)),
        Some(other) => {
            Err(ApiError::invalid_type(&at, "one of a string or array of objects", other))
        }
    }?;
    if role == "assistant" { check_id_prefix(item, "msg", path) } else { Ok(()) }
}

fn check_parts(list: &[Value], known: &[&str], path: &str) -> Result<(), ApiError> {
    for (i, part) in list.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let part = params::object(part, &path)?;
        match params::text(part, "type", &path)? {
            kind if !known.contains(&kind) => {
                return Err(ApiError::invalid_value(&path, kind, known));
            }
            "input_text" | "output_text" => {
                params::text(part, "text", &path)?;
            }
            "refusal" => {
                params::text(part, "refusal", &path)?;
            }
            "input_image" => {
                if let Some(url) = part.get("image_url").and_then(Value::as_str) {
                    images::check(url, &join(&path, "image_url"), Endpoint::Responses)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The id of an item, if it has one, must begin with the prefix of its type.
fn check_id_prefix(item: &Map<String, Value>, prefix: &str, path: &str) -> Result<(), ApiError> {
    match item.get("id").and_then(Value::as_str) {
        Some(id) if !id.starts_with(prefix) => {
            let at = join(path, "id");
            Err(ApiError::invalid(format!(
                "Invalid '{at}': '{id}'. Expected an ID that begins with '{prefix}'."
            ))
            .param(at)
            .code("invalid_value"))
        }
        _ => Ok(()),
    }
}

/// Adds an item to the conversation.
fn add_item<'r>(item: &'r Map<String, Value>, conversation: &mut Conversation<'r>) {
    match kind(item) {
        "message" => {
            let text = content(item.get("content"));
            match get(item, "role") {
                "user" => conversation.user(text),
                "assistant" => conversation.assistant(text),
                _ => conversation.instruct(text),
            }
        }
        "function_call" => {
            conversation.call(get(item, "call_id"), get(item, "name"), get(item, "arguments"));
        }
        "function_call_output" => {
            conversation.result(get(item, "call_id"), content(item.get("output")));
        }
        _ => {}
    }
}
