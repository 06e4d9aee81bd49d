//! Items as the provider keeps and answers them: each with an id and a status, messages with parts.

use serde_json::{Map, Value, json};

use super::input::kind;
use crate::{conversation::get, ids::Ids};

/// Items of an input as they are stored. `from` is how many came before with the same ids.
pub(crate) fn stored_items(items: &[Value], ids: Ids, from: usize) -> Vec<Value> {
    items.iter().enumerate().map(|(at, item)| stored(item, ids, from + at)).collect()
}

fn stored(item: &Value, ids: Ids, at: usize) -> Value {
    let Some(object) = item.as_object() else { return item.clone() };
    let mut object = object.clone();
    let kind = kind(&object).to_owned();
    let prefix = match kind.as_str() {
        "message" => "msg_",
        "function_call" => "fc_",
        "function_call_output" => "fco_",
        "reasoning" => "rs_",
        _ => "item_",
    };
    let given = |object: &Map<String, Value>, name| object.get(name).is_some_and(|v| !v.is_null());
    if !given(&object, "id") {
        object.insert("id".into(), ids.stored(prefix, at).into());
    }
    if matches!(prefix, "msg_" | "fc_" | "fco_") && !given(&object, "status") {
        object.insert("status".into(), "completed".into());
    }
    if kind == "message" {
        object.insert("type".into(), "message".into());
        let assistant = get(&object, "role") == "assistant";
        if let Some(content) = object.get_mut("content") {
            *content = parts(content.take(), assistant);
        }
    }
    Value::Object(object)
}

/// The content of a message as a list of parts.
fn parts(content: Value, assistant: bool) -> Value {
    match content {
        Value::String(text) if assistant => json!([
            { "type": "output_text", "text": text, "annotations": [], "logprobs": [] }
        ]),
        Value::String(text) => json!([{ "type": "input_text", "text": text }]),
        Value::Array(parts) => parts.into_iter().map(part).collect(),
        other => other,
    }
}

/// A part with what the provider adds.
fn part(mut part: Value) -> Value {
    if let Some(object) = part.as_object_mut() {
        match object.get("type").and_then(Value::as_str) {
            Some("output_text") => {
                object.entry("annotations").or_insert(json!([]));
                object.entry("logprobs").or_insert(json!([]));
            }
            Some("input_image") => {
                object.entry("detail").or_insert(json!("auto"));
            }
            _ => {}
        }
    }
    part
}
