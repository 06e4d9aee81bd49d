//! Rounds of the model that are answered by hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use rehearse_openai as openai;

/// Body of `PUT /model/hold`: what is true of the requests that are held. An empty one holds all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// The user's last text, or a part of it; any, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Name or number of the person whose text caused the request; anybody, when left out. A request
    /// whose person is not known is not held for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Response of `GET /model`: what is held.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ModelState {
    /// Which requests are held; null when none are. A person is given by number.
    pub holding: Option<HoldRequest>,
    /// Whether deadlines stand still, as they do while a round is held: Twilio's, API Gateway's and
    /// Lambda's timeouts, and the deadlines of functions of this process that count the world's time.
    /// What another process counts by itself goes on: a client's own timeout, and the time that Lambda's
    /// runtime says is left.
    pub time_stands_still: bool,
    /// The rounds that are held, in the order in which they came.
    pub held: Vec<HeldRound>,
    /// The last rounds that are no longer held, the latest last: at most 16.
    pub ended: Vec<EndedRound>,
}

/// A request to the model that waits for an answer by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HeldRound {
    /// Its id, for `POST /model/held/{id}/answer`.
    pub id: u64,
    /// Position of its exchange in the journal, which has the request as it came.
    pub exchange: u64,
    /// `openai.responses` or `openai.chat`.
    pub operation: String,
    /// Number of the person whose text caused it; null when that is not known.
    pub from: Option<String>,
    /// The user's last text.
    pub text: String,
    /// The instructions, system and developer messages included.
    pub instructions: String,
    /// The conversation so far.
    pub messages: Vec<HeldMessage>,
    /// The model's calls since the user's last text.
    pub calls: Vec<HeldCall>,
    /// The tools that the model may call.
    pub tools: Vec<OfferedTool>,
    /// Whether the model must call one.
    pub must_call: bool,
    /// Whether the model may make one call only.
    pub single_call: bool,
}

/// A message of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HeldMessage {
    /// `user` or `assistant`.
    pub role: String,
    /// Its text.
    pub text: String,
}

/// A call of the model.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct HeldCall {
    /// The tool and its arguments: `check_availability({"date":"2026-02-11"})`.
    pub call: String,
    /// Its result, read as JSON where it is; null when there is none yet.
    pub result: Value,
}

/// A tool that the model may call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OfferedTool {
    /// Its name.
    pub name: String,
    /// Whether its arguments must match its schema.
    pub strict: bool,
    /// JSON Schema of its arguments; null when it has none.
    pub parameters: Option<Value>,
}

/// A round that is no longer held.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct EndedRound {
    /// Its id.
    pub id: u64,
    /// Position of its exchange in the journal.
    pub exchange: u64,
    /// The user's last text.
    pub text: String,
    /// How it ended.
    pub how: HoldEnd,
}

/// How a held round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    /// Somebody answered it.
    Answered,
    /// It went to its script or to the persona.
    Released,
    /// The client closed the connection.
    HungUp,
}

impl From<openai::HeldRound> for HeldRound {
    fn from(round: openai::HeldRound) -> Self {
        let role = |user: bool| if user { "user" } else { "assistant" }.to_owned();
        let tool = |openai::OfferedTool { name, strict, parameters }| OfferedTool {
            name,
            strict,
            parameters,
        };
        Self {
            id: round.id,
            exchange: round.exchange,
            operation: round.operation.to_owned(),
            from: round.from,
            text: round.text,
            instructions: round.instructions,
            messages: round
                .messages
                .into_iter()
                .map(|(user, text)| HeldMessage { role: role(user), text })
                .collect(),
            calls: round
                .calls
                .into_iter()
                .map(|(call, result)| HeldCall { call, result })
                .collect(),
            tools: round.tools.into_iter().map(tool).collect(),
            must_call: round.must_call,
            single_call: round.single_call,
        }
    }
}

impl From<openai::EndedRound> for EndedRound {
    fn from(openai::EndedRound { id, exchange, text, how }: openai::EndedRound) -> Self {
        Self { id, exchange, text, how: how.into() }
    }
}

impl From<openai::HoldEnd> for HoldEnd {
    fn from(how: openai::HoldEnd) -> Self {
        match how {
            openai::HoldEnd::Answered => Self::Answered,
            openai::HoldEnd::Released => Self::Released,
            openai::HoldEnd::HungUp => Self::HungUp,
        }
    }
}
