//! What the model is to see, say and do, as a scenario writes it.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::read;
use rehearse_core::matcher::{Matcher, Path, Vars};

/// The model's part in one customer step.
#[derive(Debug, Clone)]
pub struct Script {
    /// As it is shown and as ids derive from it: `step 3`.
    pub name: String,
    /// Whose text it answers.
    pub person: String,
    /// The text, as it was sent.
    pub text: String,
    /// How many pictures came with it.
    pub media: usize,
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// Names that the rounds' templates use and that `save` sets.
    pub vars: Vars,
}

impl Script {
    /// Whether another script asks for the same things; the name and the person may differ.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.text == other.text && self.media == other.media && self.rounds == other.rounds
    }
}

/// One request of the backend and the model's answer to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// What must be in the request.
    pub sees: Option<RequestExpectation>,
    /// Tools that the model calls; checked against those that the request offers.
    pub call: Vec<Call>,
    /// Calls that are not checked.
    pub raw_call: Vec<RawCall>,
    /// What the model says.
    pub say: Option<String>,
    /// How the request fails.
    pub fail: Option<RoundFailure>,
    /// Names to set: a path into `{results, input, instructions}` each.
    pub save: BTreeMap<String, Path>,
    /// Alternatives; the first whose `sees` matches is taken. Nothing else stands beside it.
    pub either: Vec<Round>,
    /// Whether a reasoning item comes first; left out, it does when the request
    /// includes `reasoning.encrypted_content`.
    pub reasoning: Option<bool>,
}

impl Round {
    /// How many tool results bring the conversation past this round.
    pub(super) fn calls(&self) -> usize {
        self.call.len() + self.raw_call.len()
    }

    /// Whether it answers at all, failures aside.
    pub(super) fn answers(&self) -> bool {
        self.say.is_some() || self.calls() > 0
    }
}

/// What a request must show. A plain text means that it is contained.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestExpectation {
    /// On the instructions, system and developer messages included; each must match.
    #[serde(default, deserialize_with = "read::one_or_many")]
    #[schemars(schema_with = "read::one_or_many_schema::<Matcher>")]
    pub instructions: Vec<Matcher>,
    /// Tools that are offered; others may be, too.
    #[serde(default, deserialize_with = "read::one_or_many")]
    #[schemars(schema_with = "read::one_or_many_schema::<String>")]
    pub tools: Vec<String>,
    /// On the last text of the user.
    #[serde(default)]
    pub input: Option<Matcher>,
    /// Earlier messages of either side; each must be found, in this order. An empty list: there are none.
    #[serde(default, deserialize_with = "read::one_or_many_if_there")]
    #[schemars(schema_with = "read::one_or_many_schema::<Matcher>")]
    pub history: Option<Vec<Matcher>>,
    /// The outputs that answer the round before, one matcher each, read as JSON where they are.
    #[serde(default, deserialize_with = "read::one_or_many")]
    #[schemars(schema_with = "read::one_or_many_schema::<Matcher>")]
    pub results: Vec<Matcher>,
    /// On the model's name.
    #[serde(default)]
    pub model: Option<Matcher>,
}

/// A tool call: `{ check_availability: { date: "2026-02-11" } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// A tool call that is sent as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCall {
    /// The tool; need not exist.
    pub name: String,
    /// The arguments' text; need not be JSON.
    pub arguments: String,
}

/// How a request fails.
///
/// Failures without an answer (`status`, `cut`, `malformed` where there is no
/// call) strike `times` times; then the round's own answer follows, or the next
/// round. Left out, `times` is 1 where something follows, else for ever. The
/// others shape the round's answer, and do so every time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoundFailure {
    /// HTTP status with OpenAI's error body.
    pub status: Option<u16>,
    /// The body's `code`, where it is not the usual one of the status.
    pub code: Option<String>,
    /// `Retry-After`, seconds.
    pub retry_after: Option<u32>,
    /// Real time before anything is answered.
    pub delay: Option<Duration>,
    /// The connection is closed.
    pub cut: Option<CutPoint>,
    /// The calls' arguments break off; without calls, the body is no JSON.
    pub malformed: bool,
    /// The model refuses with this text.
    pub refusal: Option<String>,
    /// The model answers with no output.
    pub empty: bool,
    /// The answer stops early for this reason.
    pub incomplete: Option<IncompleteReason>,
    /// How many requests it strikes.
    pub times: Option<u32>,
}

impl RoundFailure {
    /// Whether the request gets no answer of the model.
    pub(super) fn is_hard(&self, round: &Round) -> bool {
        self.status.is_some() || self.cut.is_some() || (self.malformed && round.calls() == 0)
    }

    /// Whether it gives an answer of its own.
    pub(super) fn answers(&self) -> bool {
        self.refusal.is_some() || self.empty || self.incomplete.is_some()
    }
}

/// Where a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CutPoint {
    /// Before the request has any effect.
    Before,
    /// After it was answered; the answer is lost.
    After,
    /// In the middle of the answer.
    MidStream,
}

/// Why an answer stops early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    /// The limit of tokens is used up.
    MaxOutputTokens,
    /// The filter held the rest back.
    ContentFilter,
}

impl IncompleteReason {
    /// As the provider writes it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::MaxOutputTokens => "max_output_tokens",
            Self::ContentFilter => "content_filter",
        }
    }
}
