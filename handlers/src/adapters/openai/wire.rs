//! Bodies of `POST /responses`: the whole request, and of the response what is used.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::loggable::loggable;
use crate::{
    domain::turn::ConversationItem,
    ports::{ModelError, ModelRequest, ToolSpec},
};

/// Includes the tokens of the reasoning, so it is far more than a text message needs.
const MAX_OUTPUT_TOKENS: u32 = 4096;

/// The request. It does not ask for a stream, because an answer is sent as a whole.
#[derive(Debug, Serialize)]
pub(super) struct CreateResponse<'a> {
    model: &'a str,
    instructions: &'a str,
    input: Vec<Value>,
    tools: Vec<Tool<'a>>,
    parallel_tool_calls: bool,
    max_output_tokens: u32,
    /// False: the provider stores nothing, so every request carries the whole input.
    store: bool,
    /// Asks for the reasoning in encrypted form, so that it can be sent again with the next
    /// request.
    include: [&'static str; 1],
    safety_identifier: &'a str,
}

#[derive(Debug, Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    strict: bool,
}

impl<'a> CreateResponse<'a> {
    pub(super) fn new(model: &'a str, request: &ModelRequest<'a>) -> Self {
        let tool = |tool: &'a ToolSpec| Tool {
            kind: "function",
            name: tool.name,
            description: tool.description,
            parameters: &tool.parameters,
            strict: true,
        };
        Self {
            model,
            instructions: request.instructions,
            input: request.input.iter().map(input_item).collect(),
            tools: request.tools.iter().map(tool).collect(),
            parallel_tool_calls: false,
            max_output_tokens: MAX_OUTPUT_TOKENS,
            store: false,
            include: ["reasoning.encrypted_content"],
            safety_identifier: request.safety_identifier,
        }
    }
}

fn input_item(item: &ConversationItem) -> Value {
    match item {
        ConversationItem::User(text) => {
            json!({ "type": "message", "role": "user", "content": text })
        }
        ConversationItem::Assistant(text) => {
            json!({ "type": "message", "role": "assistant", "content": text })
        }
        ConversationItem::Reasoning { id, encrypted } => json!({
            "type": "reasoning",
            "id": id,
            "summary": [],
            "encrypted_content": encrypted,
        }),
        ConversationItem::Call { id, call_id, name, arguments } => {
            let mut call = json!({
                "type": "function_call",
                "call_id": call_id,
                "name": name,
                "arguments": arguments,
            });
            // Without `id` the provider identifies the call by `call_id`; it refuses an empty one.
            if !id.is_empty() {
                call["id"] = json!(id);
            }
            call
        }
        ConversationItem::Result { call_id, output } => json!({
            "type": "function_call_output",
            "call_id": call_id,
            "output": output,
        }),
    }
}

/// The response. Unknown fields are ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    incomplete_details: Option<IncompleteDetails>,
    #[serde(default)]
    error: Option<ResponseError>,
    #[serde(default)]
    output: Vec<OutputItem>,
}

#[derive(Debug, Deserialize)]
struct IncompleteDetails {
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ResponseError {
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OutputItem {
    Message {
        #[serde(default)]
        content: Vec<Part>,
    },
    Reasoning {
        id: String,
        #[serde(default)]
        encrypted_content: Option<String>,
    },
    FunctionCall {
        id: Option<String>,
        call_id: String,
        name: String,
        arguments: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    OutputText {
        text: String,
    },
    Refusal {},
    #[serde(other)]
    Other,
}

/// The provider reports that the response was not completed.
#[derive(Debug, thiserror::Error)]
#[error("the response is {}, code {}", loggable(Some(.status)), loggable(.code.as_deref()))]
struct UnfinishedResponse {
    status: String,
    code: Option<String>,
}

impl Response {
    /// Returns the output items in order.
    ///
    /// # Errors
    /// [`ModelError::Incomplete`], [`ModelError::Filtered`] and [`ModelError::Refused`] as the
    /// response says, [`ModelError::Empty`] without text and call, [`ModelError::Unavailable`] for
    /// any other status.
    pub(super) fn into_items(self) -> Result<Vec<ConversationItem>, ModelError> {
        match self.status.as_deref() {
            // A proxy may omit the status of a completed response.
            None | Some("completed") => {}
            Some("incomplete") => {
                let reason = self.incomplete_details.and_then(|details| details.reason);
                return Err(match reason.as_deref() {
                    Some("content_filter") => ModelError::Filtered,
                    _ => ModelError::Incomplete,
                });
            }
            Some(status) => {
                let code = self.error.and_then(|error| error.code);
                let status = status.to_owned();
                return Err(ModelError::Unavailable(Box::new(UnfinishedResponse { status, code })));
            }
        }
        let mut items = Vec::with_capacity(self.output.len());
        for item in self.output {
            items.extend(domain_item(item)?);
        }
        if items.iter().any(|item| {
            matches!(item, ConversationItem::Assistant(_) | ConversationItem::Call { .. })
        }) {
            Ok(items)
        } else {
            Err(ModelError::Empty)
        }
    }
}

fn domain_item(item: OutputItem) -> Result<Option<ConversationItem>, ModelError> {
    Ok(match item {
        OutputItem::Message { content } => text(content)?.map(ConversationItem::Assistant),
        OutputItem::Reasoning { id, encrypted_content: encrypted } => {
            Some(ConversationItem::Reasoning { id, encrypted })
        }
        OutputItem::FunctionCall { id, call_id, name, arguments } => {
            let id = id.unwrap_or_default();
            Some(ConversationItem::Call { id, call_id, name, arguments })
        }
        OutputItem::Other => None,
    })
}

/// The text of a message; `None` when it is blank.
///
/// # Errors
/// [`ModelError::Refused`] when a part of it is a refusal.
fn text(content: Vec<Part>) -> Result<Option<String>, ModelError> {
    let mut whole = String::new();
    for part in content {
        match part {
            Part::OutputText { text } => whole.push_str(&text),
            Part::Refusal {} => return Err(ModelError::Refused),
            Part::Other => {}
        }
    }
    Ok((!whole.trim().is_empty()).then_some(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<Vec<ConversationItem>, ModelError> {
        serde_json::from_value::<Response>(body).unwrap().into_items()
    }

    #[test]
    fn values_that_nobody_knows_yet_do_not_spoil_an_answer() {
        let items = read(json!({
            "status": "completed", "service_tier": "brand-new", "usage": { "odd": true },
            "output": [
                { "type": "telepathy_call", "id": "tp_1" },
                { "type": "message", "content": [
                    { "type": "output_scent", "scent": "rose" },
                    { "type": "output_text", "text": "Hi " , "annotations": [{ "type": "new" }] },
                    { "type": "output_text", "text": "there" },
                ] },
            ],
        }));
        assert_eq!(items.unwrap(), [ConversationItem::Assistant("Hi there".into())]);
    }

    #[test]
    fn a_text_of_spaces_is_empty_but_beside_a_call_it_is_only_dropped() {
        let message =
            json!({ "type": "message", "content": [{ "type": "output_text", "text": " \n" }] });
        let call = json!({ "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{" });
        let alone = read(json!({ "status": "completed", "output": [message] }));
        assert!(matches!(alone, Err(ModelError::Empty)));
        let items = read(json!({ "status": "completed", "output": [message, call] })).unwrap();
        assert_eq!(items.len(), 1);
    }

    #[test]
    fn reasoning_alone_is_empty() {
        let reasoning = json!({ "type": "reasoning", "id": "rs_1", "summary": [] });
        let answer = read(json!({ "status": "completed", "output": [reasoning] }));
        assert!(matches!(answer, Err(ModelError::Empty)));
    }

    #[test]
    fn an_answer_that_failed_says_why_in_the_log() {
        let answer = read(json!({
            "status": "failed", "output": [],
            "error": { "code": "server_error", "message": "secret words" },
        }));
        let Err(ModelError::Unavailable(source)) = answer else { panic!("{answer:?}") };
        assert_eq!(source.to_string(), "the response is failed, code server_error");
    }
}
