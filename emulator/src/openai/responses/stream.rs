//! A response as a stream of events, in the documented order.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::openai::{
    reply::pieces,
    sse::{Event, Events},
};

/// The events that bring `response`.
pub(in crate::openai) fn events(response: &Value) -> Events {
    let mut writer = Writer::default();
    let Some(response) = response.as_object() else { return writer.events };
    for name in ["response.created", "response.in_progress"] {
        writer.event(name).field("response", &Unfinished(response));
    }
    let items = response.get("output").and_then(Value::as_array);
    for (at, item) in items.into_iter().flatten().enumerate() {
        writer.item(at, item);
    }
    let last = match response.get("status").and_then(Value::as_str) {
        Some("incomplete") => "response.incomplete",
        _ => "response.completed",
    };
    writer.event(last).field("response", response);
    writer.events
}

#[derive(Default)]
struct Writer {
    events: Events,
    sequence: u64,
}

impl Writer {
    fn event(&mut self, name: &str) -> Event<'_> {
        let sequence = self.sequence;
        self.sequence += 1;
        let mut event = self.events.named(name);
        event.field("sequence_number", &sequence);
        event
    }

    fn item(&mut self, at: usize, item: &Value) {
        let id = &item["id"];
        let bare = match item["type"].as_str() {
            Some("message") => with(item, "content", json!([])),
            Some("function_call") => with(item, "arguments", json!("")),
            _ => item.clone(),
        };
        let bare = if bare.get("status").is_some() {
            with(&bare, "status", json!("in_progress"))
        } else {
            bare
        };
        self.event("response.output_item.added").field("output_index", &at).field("item", &bare);
        match item["type"].as_str() {
            Some("message") => self.part(at, id, &item["content"][0]),
            Some("function_call") => {
                let arguments = item["arguments"].as_str().unwrap_or_default();
                for delta in pieces(arguments) {
                    self.event("response.function_call_arguments.delta")
                        .field("item_id", id)
                        .field("output_index", &at)
                        .field("delta", delta);
                }
                self.event("response.function_call_arguments.done")
                    .field("item_id", id)
                    .field("output_index", &at)
                    .field("name", &item["name"])
                    .field("arguments", arguments);
            }
            _ => {}
        }
        self.event("response.output_item.done").field("output_index", &at).field("item", item);
    }

    fn part(&mut self, at: usize, id: &Value, part: &Value) {
        let refused = part["type"] == "refusal";
        let key = if refused { "refusal" } else { "text" };
        let base = if refused { "response.refusal" } else { "response.output_text" };
        let text = part[key].as_str().unwrap_or_default();
        let bare = with(part, key, json!(""));
        self.on(at, id, "response.content_part.added").field("part", &bare);
        for delta in pieces(text) {
            let mut event = self.on(at, id, &format!("{base}.delta"));
            event.field("delta", delta);
            if !refused {
                event.field("logprobs", &[(); 0]);
            }
        }
        let mut event = self.on(at, id, &format!("{base}.done"));
        event.field(key, text);
        if !refused {
            event.field("logprobs", &[(); 0]);
        }
        drop(event);
        self.on(at, id, "response.content_part.done").field("part", part);
    }

    /// An event about the first content part of an item.
    fn on(&mut self, at: usize, id: &Value, name: &str) -> Event<'_> {
        let mut event = self.event(name);
        event.field("item_id", id).field("output_index", &at).field("content_index", &0);
        event
    }
}

fn with(value: &Value, key: &str, to: Value) -> Value {
    let mut value = value.clone();
    value[key] = to;
    value
}

/// A response before it has any output.
struct Unfinished<'r>(&'r Map<String, Value>);

impl Serialize for Unfinished<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            match key.as_str() {
                "status" => map.serialize_entry(key, "in_progress")?,
                "output" => map.serialize_entry(key, &[(); 0])?,
                "usage" | "completed_at" | "incomplete_details" => {
                    map.serialize_entry(key, &Value::Null)?;
                }
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}
