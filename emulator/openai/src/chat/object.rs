//! The completion object.

use serde_json::{Map, Value, json};

use crate::{
    reply::{Part, Reply},
    script::IncompleteReason,
};

/// The finished completion of `request`.
pub(crate) fn object(
    request: &Map<String, Value>,
    reply: &Reply,
    created: i64,
    input_tokens: u64,
) -> Value {
    json!({
        "id": reply.ids.completion(),
        "object": "chat.completion",
        "created": created,
        "model": request.get("model"),
        "choices": [{
            "index": 0,
            "message": message(reply),
            "logprobs": null,
            "finish_reason": finish_reason(reply)
        }],
        "usage": usage(reply, input_tokens),
        "service_tier": "default",
        "system_fingerprint": null
    })
}

fn message(reply: &Reply) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), json!("assistant"));
    message.insert("content".into(), Value::Null);
    message.insert("refusal".into(), Value::Null);
    message.insert("annotations".into(), json!([]));
    let mut calls = Vec::new();
    for part in &reply.parts {
        match part {
            Part::Text(text) => message["content"] = json!(text),
            Part::Refusal(refusal) => message["refusal"] = json!(refusal),
            Part::Call { name, arguments } => calls.push(json!({
                "id": reply.ids.call(calls.len()),
                "type": "function",
                "function": { "name": name, "arguments": arguments }
            })),
        }
    }
    if !calls.is_empty() {
        message.insert("tool_calls".into(), Value::Array(calls));
    }
    Value::Object(message)
}

fn finish_reason(reply: &Reply) -> &'static str {
    match reply.incomplete {
        Some(IncompleteReason::MaxOutputTokens) => "length",
        Some(IncompleteReason::ContentFilter) => "content_filter",
        None if reply.parts.iter().any(|p| matches!(p, Part::Call { .. })) => "tool_calls",
        None => "stop",
    }
}

fn usage(reply: &Reply, prompt_tokens: u64) -> Value {
    let completion_tokens = reply.tokens();
    json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": reply.reasoning_tokens(),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0
        }
    })
}
