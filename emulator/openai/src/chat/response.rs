//! The completion, as an object and as a stream of chunks.

use serde_json::{Map, Value, json};

use crate::{
    reply::{Failed, Part, Reply, pieces},
    script::IncompleteReason,
    sse::Events,
};

/// The completion of `request`. `created` is in seconds since 1970.
pub(crate) fn completion(
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

/// The chunks of a completion. `usage` adds a last one that counts the tokens. A completion that failed
/// ends after half of them with its error.
pub(crate) fn chunks(completion: &Value, usage: bool, failed: Option<&Failed>) -> Events {
    let mut events = Events::default();
    let chunk = |events: &mut Events, choices: Value, counted: Option<&Value>| {
        let mut data = json!({
            "id": completion["id"],
            "object": "chat.completion.chunk",
            "created": completion["created"],
            "model": completion["model"],
            "service_tier": "default",
            "system_fingerprint": null,
            "choices": choices
        });
        if usage {
            data["usage"] = counted.cloned().unwrap_or(Value::Null);
        }
        events.data(&data);
    };
    let delta = |events: &mut Events, delta: Value, finish: &Value| {
        let choice =
            json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish });
        chunk(events, json!([choice]), None);
    };
    let choice = &completion["choices"][0];
    let message = &choice["message"];
    let open = Value::Null;

    let start = if message["content"].is_string() { json!("") } else { Value::Null };
    let role = json!({ "role": "assistant", "content": start, "refusal": null });
    delta(&mut events, role, &open);
    for key in ["content", "refusal"] {
        for piece in pieces(message[key].as_str().unwrap_or_default()) {
            delta(&mut events, json!({ key: piece }), &open);
        }
    }
    for (index, call) in message["tool_calls"].as_array().into_iter().flatten().enumerate() {
        let function = &call["function"];
        let first = json!({
            "index": index,
            "id": call["id"],
            "type": "function",
            "function": { "name": function["name"], "arguments": "" }
        });
        delta(&mut events, json!({ "tool_calls": [first] }), &open);
        for piece in pieces(function["arguments"].as_str().unwrap_or_default()) {
            let next = json!({ "index": index, "function": { "arguments": piece } });
            delta(&mut events, json!({ "tool_calls": [next] }), &open);
        }
    }
    if let Some(failed) = failed {
        // As the provider ends such a stream: sashabaranov/go-openai#396.
        let half = events.len() / 2;
        events.truncate(half);
        events.data(&failed.error.body());
        events.done();
        return events;
    }
    delta(&mut events, json!({}), &choice["finish_reason"]);
    if usage {
        chunk(&mut events, json!([]), Some(&completion["usage"]));
    }
    events.done();
    events
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
