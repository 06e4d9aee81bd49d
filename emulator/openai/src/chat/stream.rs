//! A completion as a stream of chunks.

use serde_json::{Value, json};

use crate::{reply::pieces, sse::Events};

/// The chunks that bring `completion`; `usage` adds the one that counts tokens.
pub(crate) fn chunks(completion: &Value, usage: bool) -> Events {
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
    delta(&mut events, json!({}), &choice["finish_reason"]);
    if usage {
        chunk(&mut events, json!([]), Some(&completion["usage"]));
    }
    events.done();
    events
}
