//! The response, as an object and as a stream of events.
//!
//! The object is serialised straight from the request and the reply, without a tree of values in
//! between, which would be most of the cost of a response.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::{
    ids,
    reply::{Failed, Part, Reply, pieces},
    sse::{EventWriter, Events},
};

/// The finished response to a request, with every required key and explicit nulls.
#[derive(Debug)]
pub(crate) struct ResponseObject<'r> {
    request: &'r Map<String, Value>,
    id: String,
    created_at: i64,
    /// Why it is incomplete.
    incomplete: Option<&'static str>,
    /// The error with which it fails.
    failed: Option<&'r Failed>,
    /// The output items.
    pub output: Vec<Value>,
    usage: Value,
}

impl<'r> ResponseObject<'r> {
    /// `created_at` is in seconds since 1970.
    pub fn new(
        request: &'r Map<String, Value>,
        reply: &'r Reply,
        created_at: i64,
        input_tokens: u64,
    ) -> Self {
        Self {
            request,
            id: reply.ids.response(),
            created_at,
            incomplete: reply.incomplete.map(|why| why.as_str()),
            failed: reply.failed.as_ref(),
            output: output(reply),
            usage: usage(reply, input_tokens),
        }
    }

    /// `completed`, `incomplete` or `failed`.
    pub fn status(&self) -> &'static str {
        if self.failed.is_some() {
            return "failed";
        }
        if self.incomplete.is_some() { "incomplete" } else { "completed" }
    }

    /// The response before it has any output.
    pub fn unfinished(&self) -> UnfinishedResponse<'_> {
        UnfinishedResponse(self)
    }

    fn write<S: Serializer>(&self, finished: bool, serializer: S) -> Result<S::Ok, S::Error> {
        let failed = self.failed.filter(|_| finished);
        let completed = finished && self.status() == "completed";
        let details = self
            .incomplete
            .filter(|_| finished && failed.is_none())
            .map(|why| json!({ "reason": why }));
        let error =
            failed.map(|failed| json!({ "code": failed.code, "message": failed.error.message }));
        // A response that failed has nothing that could be used.
        let whole = finished && failed.is_none();
        let output: &[Value] = if whole { &self.output } else { &[] };
        let effort = [("effort", Value::Null), ("summary", Value::Null)];
        let format = [("format", json!({ "type": "text" })), ("verbosity", json!("medium"))];
        let mut fields =
            ResponseFields { map: serializer.serialize_map(None)?, request: self.request };
        fields.set("id", &self.id)?;
        fields.set("object", "response")?;
        fields.set("created_at", &self.created_at)?;
        fields.set("status", if finished { self.status() } else { "in_progress" })?;
        fields.set("background", &false)?;
        fields.set("completed_at", &completed.then_some(self.created_at))?;
        fields.set("error", &error)?;
        fields.set("incomplete_details", &details)?;
        fields.echo("instructions")?;
        fields.echo("max_output_tokens")?;
        fields.echo("max_tool_calls")?;
        fields.echo("model")?;
        fields.set("output", output)?;
        fields.echo_or("parallel_tool_calls", &true)?;
        fields.echo("previous_response_id")?;
        fields.echo("prompt_cache_key")?;
        fields.echo("prompt_cache_retention")?;
        fields.set("reasoning", &with_defaults(self.request, "reasoning", effort))?;
        fields.echo("safety_identifier")?;
        fields.echo_or("service_tier", "default")?;
        fields.echo_or("store", &true)?;
        fields.echo_or("temperature", &1.0)?;
        fields.set("text", &with_defaults(self.request, "text", format))?;
        fields.echo_or("tool_choice", "auto")?;
        fields.set("tools", &EchoedTools(self.request))?;
        fields.echo_or("top_logprobs", &0)?;
        fields.echo_or("top_p", &1.0)?;
        fields.echo_or("truncation", "disabled")?;
        fields.set("usage", &whole.then_some(&self.usage))?;
        if let Ok(Some(id)) = super::conversation_id(self.request) {
            fields.set("conversation", &json!({ "id": id }))?;
        }
        fields.echo("user")?;
        fields.echo_or("metadata", &Map::new())?;
        fields.map.end()
    }
}

/// The events of a response, in the documented order.
pub(crate) fn events(response: &ResponseObject<'_>) -> Events {
    let mut writer = StreamWriter::default();
    for name in ["response.created", "response.in_progress"] {
        writer.event(name).field("response", &response.unfinished());
    }
    for (at, item) in response.output.iter().enumerate() {
        writer.item(at, item);
    }
    if let Some(failed) = response.failed {
        writer.fail(failed);
    }
    let last = format!("response.{}", response.status());
    writer.event(&last).field("response", response);
    writer.events
}

impl Serialize for ResponseObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(true, serializer)
    }
}

/// A response before it has any output.
pub(crate) struct UnfinishedResponse<'o>(&'o ResponseObject<'o>);

impl Serialize for UnfinishedResponse<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(false, serializer)
    }
}

/// The fields of a response, in order.
struct ResponseFields<'r, M> {
    map: M,
    request: &'r Map<String, Value>,
}

impl<M: SerializeMap> ResponseFields<'_, M> {
    fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), M::Error> {
        self.map.serialize_entry(name, value)
    }

    /// The value of the request, or null.
    fn echo(&mut self, name: &str) -> Result<(), M::Error> {
        self.echo_or(name, &())
    }

    /// The value of the request, or a default.
    fn echo_or<T: Serialize + ?Sized>(&mut self, name: &str, default: &T) -> Result<(), M::Error> {
        match self.request.get(name) {
            None | Some(Value::Null) => self.set(name, default),
            Some(value) => self.set(name, value),
        }
    }
}

/// An object of the request, completed with defaults.
fn with_defaults(
    request: &Map<String, Value>,
    name: &str,
    defaults: [(&str, Value); 2],
) -> Map<String, Value> {
    let mut object = request.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, default) in defaults {
        object.entry(key).or_insert(default);
    }
    object
}

/// The tools as the provider returns them: a function without `strict` is strict.
struct EchoedTools<'r>(&'r Map<String, Value>);

impl Serialize for EchoedTools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tools = self.0.get("tools").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        serializer.collect_seq(tools.iter().map(EchoedTool))
    }
}

struct EchoedTool<'r>(&'r Value);

impl Serialize for EchoedTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(tool) = self.0 else { return self.0.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in tool {
            map.serialize_entry(key, value)?;
        }
        if tool.get("type").and_then(Value::as_str) == Some("function") {
            if !tool.contains_key("description") {
                map.serialize_entry("description", &())?;
            }
            if !tool.contains_key("strict") {
                map.serialize_entry("strict", &true)?;
            }
        }
        map.end()
    }
}

/// The output items of a reply.
fn output(reply: &Reply) -> Vec<Value> {
    let ids = reply.ids;
    let mut items = Vec::with_capacity(reply.parts.len() + 1);
    if reply.reasoning {
        let id = ids.reasoning();
        let mut item = json!({ "id": id, "type": "reasoning", "summary": [] });
        if reply.encrypted {
            item["encrypted_content"] = json!(ids::encrypt(&id));
        }
        items.push(item);
    }
    let mut calls = 0;
    for (at, part) in reply.parts.iter().enumerate() {
        // What came before the last part was whole.
        let broken = reply.incomplete.is_some() && at + 1 == reply.parts.len();
        let status = if broken { "incomplete" } else { "completed" };
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

fn usage(reply: &Reply, input_tokens: u64) -> Value {
    let output_tokens = reply.tokens();
    json!({
        "input_tokens": input_tokens,
        "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
        "output_tokens": output_tokens,
        "output_tokens_details": { "reasoning_tokens": reply.reasoning_tokens() },
        "total_tokens": input_tokens + output_tokens
    })
}

/// Writes events and numbers them.
#[derive(Default)]
struct StreamWriter {
    events: Events,
    sequence: u64,
}

impl StreamWriter {
    /// An event with the next sequence number.
    fn event(&mut self, name: &str) -> EventWriter<'_> {
        let sequence = self.sequence;
        self.sequence += 1;
        let mut event = self.events.named(name);
        event.field("sequence_number", &sequence);
        event
    }

    /// Leaves out the later half of the events so far. The documented form of an error event is flat, real
    /// streams nest the error: the event has both. `response.failed` follows it (vercel/ai#6534).
    fn fail(&mut self, failed: &Failed) {
        // The response has begun: two events say so.
        let kept = (self.events.len() / 2).max(2);
        self.events.truncate(kept);
        self.sequence = kept as u64;
        if failed.event {
            let error = &failed.error;
            self.event("error")
                .field("code", &error.code)
                .field("message", &error.message)
                .field("param", &error.param)
                .field("error", &error.inner());
        }
    }

    /// The events of one output item.
    fn item(&mut self, at: usize, item: &Value) {
        let id = &item["id"];
        let bare = match item["type"].as_str() {
            Some("message") => replaced(item, "content", json!([])),
            Some("function_call") => replaced(item, "arguments", json!("")),
            _ => item.clone(),
        };
        let bare = if bare.get("status").is_some() {
            replaced(&bare, "status", json!("in_progress"))
        } else {
            bare
        };
        self.event("response.output_item.added").field("output_index", &at).field("item", &bare);
        match item["type"].as_str() {
            Some("message") => self.content_part(at, id, &item["content"][0]),
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

    /// The events of the content part of a message.
    fn content_part(&mut self, at: usize, id: &Value, part: &Value) {
        let refused = part["type"] == "refusal";
        let key = if refused { "refusal" } else { "text" };
        let base = if refused { "response.refusal" } else { "response.output_text" };
        let text = part[key].as_str().unwrap_or_default();
        let bare = replaced(part, key, json!(""));
        self.part_event(at, id, "response.content_part.added").field("part", &bare);
        for delta in pieces(text) {
            let mut event = self.part_event(at, id, &format!("{base}.delta"));
            event.field("delta", delta);
            if !refused {
                event.field("logprobs", &[(); 0]);
            }
        }
        let mut event = self.part_event(at, id, &format!("{base}.done"));
        event.field(key, text);
        if !refused {
            event.field("logprobs", &[(); 0]);
        }
        drop(event);
        self.part_event(at, id, "response.content_part.done").field("part", part);
    }

    /// An event about the content part of an item.
    fn part_event(&mut self, at: usize, id: &Value, name: &str) -> EventWriter<'_> {
        let mut event = self.event(name);
        event.field("item_id", id).field("output_index", &at).field("content_index", &0);
        event
    }
}

/// A copy with one key changed.
fn replaced(value: &Value, key: &str, to: Value) -> Value {
    let mut value = value.clone();
    value[key] = to;
    value
}
