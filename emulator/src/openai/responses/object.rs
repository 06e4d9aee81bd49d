//! The response object, every required key there and nulls explicit.

use serde_json::{Map, Value, json};

use crate::openai::{
    ids,
    reply::{Part, Reply, usage},
};

/// The finished response to `request`.
pub(in crate::openai) fn object(
    request: &Map<String, Value>,
    reply: &Reply,
    created_at: i64,
    input_tokens: u64,
) -> Value {
    let echo = |name: &str| request.get(name).cloned().unwrap_or(Value::Null);
    let or = |name: &str, default: Value| match request.get(name) {
        None | Some(Value::Null) => default,
        Some(value) => value.clone(),
    };
    let (status, details) = match reply.incomplete {
        None => ("completed", Value::Null),
        Some(why) => ("incomplete", json!({ "reason": why.reason() })),
    };
    let completed_at = if reply.incomplete.is_none() { json!(created_at) } else { Value::Null };
    let fields = [
        ("id", json!(reply.ids.response())),
        ("object", json!("response")),
        ("created_at", json!(created_at)),
        ("status", json!(status)),
        ("background", json!(false)),
        ("completed_at", completed_at),
        ("error", Value::Null),
        ("incomplete_details", details),
        ("instructions", echo("instructions")),
        ("max_output_tokens", echo("max_output_tokens")),
        ("max_tool_calls", echo("max_tool_calls")),
        ("model", echo("model")),
        ("output", Value::Array(output(reply))),
        ("parallel_tool_calls", or("parallel_tool_calls", json!(true))),
        ("previous_response_id", echo("previous_response_id")),
        ("prompt_cache_key", echo("prompt_cache_key")),
        ("prompt_cache_retention", echo("prompt_cache_retention")),
        (
            "reasoning",
            filled(request, "reasoning", &[("effort", Value::Null), ("summary", Value::Null)]),
        ),
        ("safety_identifier", echo("safety_identifier")),
        ("service_tier", or("service_tier", json!("default"))),
        ("store", or("store", json!(true))),
        ("temperature", or("temperature", json!(1.0))),
        (
            "text",
            filled(
                request,
                "text",
                &[("format", json!({ "type": "text" })), ("verbosity", json!("medium"))],
            ),
        ),
        ("tool_choice", or("tool_choice", json!("auto"))),
        ("tools", tools(request)),
        ("top_logprobs", or("top_logprobs", json!(0))),
        ("top_p", or("top_p", json!(1.0))),
        ("truncation", or("truncation", json!("disabled"))),
        ("usage", usage(reply, input_tokens)),
        ("user", echo("user")),
        ("metadata", or("metadata", json!({}))),
    ];
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An object of the request with what it leaves out.
fn filled(request: &Map<String, Value>, name: &str, defaults: &[(&str, Value)]) -> Value {
    let mut object = request.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, default) in defaults {
        object.entry(*key).or_insert_with(|| default.clone());
    }
    Value::Object(object)
}

/// The tools as the provider shows them: functions are strict where nothing was said.
fn tools(request: &Map<String, Value>) -> Value {
    let mut tools = match request.get("tools") {
        Some(Value::Array(tools)) => tools.clone(),
        _ => Vec::new(),
    };
    for tool in tools.iter_mut().filter_map(Value::as_object_mut) {
        if tool.get("type").and_then(Value::as_str) == Some("function") {
            tool.entry("description").or_insert(Value::Null);
            tool.entry("strict").or_insert(Value::Bool(true));
        }
    }
    Value::Array(tools)
}

/// The output items.
fn output(reply: &Reply) -> Vec<Value> {
    let ids = reply.ids;
    let mut items = Vec::with_capacity(reply.parts.len() + 1);
    if reply.reasoning {
        let id = ids.reasoning();
        let mut item = json!({ "id": id, "type": "reasoning", "summary": [] });
        if reply.hidden {
            item["encrypted_content"] = json!(ids::encrypt(&id));
        }
        items.push(item);
    }
    let status = if reply.incomplete.is_some() { "incomplete" } else { "completed" };
    let mut calls = 0;
    for (at, part) in reply.parts.iter().enumerate() {
        let message = |content: Value| {
            json!({
                "id": ids.message(at, reply.reasoning),
                "type": "message",
                "status": status,
                "content": [content],
                "role": "assistant"
            })
        };
        items.push(match part {
            Part::Text(text) => message(json!({
                "type": "output_text", "annotations": [], "logprobs": [], "text": text
            })),
            Part::Refusal(refusal) => message(json!({ "type": "refusal", "refusal": refusal })),
            Part::Call { name, arguments } => {
                let item = json!({
                    "id": ids.call_item(at, reply.reasoning),
                    "type": "function_call",
                    "status": status,
                    "arguments": arguments,
                    "call_id": ids.call(calls),
                    "name": name
                });
                calls += 1;
                item
            }
        });
    }
    items
}
