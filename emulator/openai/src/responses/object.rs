//! The response object, every required key there and nulls explicit.
//!
//! It is written straight from the request and the reply: a tree of it would be
//! most of what an answer costs.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::{
    ids,
    reply::{Part, Reply, usage},
};

/// The finished response to a request.
#[derive(Debug)]
pub(crate) struct ResponseObject<'r> {
    request: &'r Map<String, Value>,
    id: String,
    created_at: i64,
    /// Why it is incomplete.
    incomplete: Option<&'static str>,
    /// The output items.
    pub output: Vec<Value>,
    usage: Value,
}

impl<'r> ResponseObject<'r> {
    pub fn new(
        request: &'r Map<String, Value>,
        reply: &Reply,
        created_at: i64,
        input_tokens: u64,
    ) -> Self {
        Self {
            request,
            id: reply.ids.response(),
            created_at,
            incomplete: reply.incomplete.map(|why| why.reason()),
            output: output(reply),
            usage: usage(reply, input_tokens),
        }
    }

    /// `completed` or `incomplete`.
    pub fn status(&self) -> &'static str {
        if self.incomplete.is_some() { "incomplete" } else { "completed" }
    }

    /// As it is before it has any output.
    pub fn unfinished(&self) -> UnfinishedResponse<'_> {
        UnfinishedResponse(self)
    }

    fn write<S: Serializer>(&self, finished: bool, serializer: S) -> Result<S::Ok, S::Error> {
        let completed = finished && self.incomplete.is_none();
        let details = self.incomplete.filter(|_| finished).map(|why| json!({ "reason": why }));
        let output: &[Value] = if finished { &self.output } else { &[] };
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
        fields.set("error", &())?;
        fields.set("incomplete_details", &details)?;
        fields.echo("instructions")?;
        fields.echo("max_output_tokens")?;
        fields.echo("max_tool_calls")?;
        fields.echo("model")?;
        fields.set("output", output)?;
        fields.or("parallel_tool_calls", &true)?;
        fields.echo("previous_response_id")?;
        fields.echo("prompt_cache_key")?;
        fields.echo("prompt_cache_retention")?;
        fields.set("reasoning", &filled(self.request, "reasoning", effort))?;
        fields.echo("safety_identifier")?;
        fields.or("service_tier", "default")?;
        fields.or("store", &true)?;
        fields.or("temperature", &1.0)?;
        fields.set("text", &filled(self.request, "text", format))?;
        fields.or("tool_choice", "auto")?;
        fields.set("tools", &EchoedTools(self.request))?;
        fields.or("top_logprobs", &0)?;
        fields.or("top_p", &1.0)?;
        fields.or("truncation", "disabled")?;
        fields.set("usage", &finished.then_some(&self.usage))?;
        fields.echo("user")?;
        fields.or("metadata", &Map::new())?;
        fields.map.end()
    }
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

    /// What the request says.
    fn echo(&mut self, name: &str) -> Result<(), M::Error> {
        self.or(name, &())
    }

    /// What the request says, if it says anything.
    fn or<T: Serialize + ?Sized>(&mut self, name: &str, default: &T) -> Result<(), M::Error> {
        match self.request.get(name) {
            None | Some(Value::Null) => self.set(name, default),
            Some(value) => self.set(name, value),
        }
    }
}

/// An object of the request with what it leaves out.
fn filled(
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

/// The tools as the provider shows them: functions are strict where nothing was said.
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
