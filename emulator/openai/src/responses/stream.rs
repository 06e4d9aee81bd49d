//! A response as a stream of events, in the documented order.

use serde_json::{Value, json};

use super::object::ResponseObject;
use crate::{
    reply::pieces,
    sse::{EventWriter, Events},
};

/// The events that bring `response`.
pub(crate) fn events(response: &ResponseObject<'_>) -> Events {
    let mut writer = StreamWriter::default();
    for name in ["response.created", "response.in_progress"] {
        writer.event(name).field("response", &response.unfinished());
    }
    for (at, item) in response.output.iter().enumerate() {
        writer.item(at, item);
    }
    let last = format!("response.{}", response.status());
    writer.event(&last).field("response", response);
    writer.events
}

#[derive(Default)]
struct StreamWriter {
    events: Events,
    sequence: u64,
}

impl StreamWriter {
    fn event(&mut self, name: &str) -> EventWriter<'_> {
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
    fn on(&mut self, at: usize, id: &Value, name: &str) -> EventWriter<'_> {
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
