//! A round: one request of the backend and the model's response to it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{
    Call, RawCall, RequestExpectation, RoundFailure, StreamPace,
    one_or_many::{one_or_many, one_or_many_schema},
};
use rehearse_core::matcher::Path;

/// One request of the backend and the model's response to it.
///
/// Its `Display` is one line, as it could stand in a scenario file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// What the request must contain (`sees` in YAML).
    pub expectation: Option<RequestExpectation>,
    /// Tools that the model calls. They are checked against the tools that the request offers.
    pub call: Vec<Call>,
    /// Calls that are sent unchecked.
    pub raw_call: Vec<RawCall>,
    /// Whether the calls are made at once although the request has `parallel_tool_calls: false`. No
    /// model does that, so it is an error otherwise.
    pub at_once: bool,
    /// What the model says.
    pub say: Option<String>,
    /// How the request fails.
    pub fail: Option<RoundFailure>,
    /// How a stream is sent.
    pub stream: Option<StreamPace>,
    /// Names to set, each from a path into `{results, input, instructions}`.
    pub save: BTreeMap<String, Path>,
    /// Alternatives; the first whose expectation is met responds. A round with alternatives has
    /// nothing else.
    pub either: Vec<Round>,
    /// Whether a reasoning item comes first. `None`: it does when the round calls tools and the
    /// request includes `reasoning.encrypted_content`.
    pub reasoning: Option<bool>,
}

impl Round {
    /// How many tool results move the conversation past this round.
    pub(crate) fn call_count(&self) -> usize {
        self.call.len() + self.raw_call.len()
    }

    /// Whether it responds with text or calls, failures aside.
    pub(crate) fn has_reply(&self) -> bool {
        self.say.is_some() || self.call_count() > 0
    }

    /// Which combination of keys is not allowed, if any.
    fn invalid_combination(&self) -> Option<&'static str> {
        let responds = self.has_reply() || self.fail.is_some();
        if !self.either.is_empty() {
            let alone = !responds
                && self.expectation.is_none()
                && self.save.is_empty()
                && self.reasoning.is_none()
                && self.stream.is_none()
                && !self.at_once;
            return (!alone).then_some("'either' stands alone: put the other keys into its rounds");
        }
        if self.at_once && self.call_count() < 2 {
            return Some("'at_once' is for a round of several calls");
        }
        let Some(fail) = &self.fail else {
            return (!responds)
                .then_some("a round needs one of say, call, raw_call, fail or either");
        };
        if (fail.refusal.is_some() || fail.empty) && self.has_reply() {
            return Some(
                "a refusal or an empty answer leaves no room for say or call in its round",
            );
        }
        let only_delay = fail.delay.is_some()
            && !fail.replaces_reply(self.call_count())
            && !fail.has_own_reply();
        (only_delay && !self.has_reply())
            .then_some("a delay alone is not an answer: add say or call, or another failure")
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keys = Vec::new();
        if let Some(expectation) = &self.expectation {
            keys.push(format!("sees: {expectation}"));
        }
        if !self.call.is_empty() {
            let calls: Vec<String> = self
                .call
                .iter()
                .map(|c| format!("{{ {}: {} }}", c.name, Value::Object(c.arguments.clone())))
                .collect();
            keys.push(format!("call: [{}]", calls.join(", ")));
        }
        for call in &self.raw_call {
            let RawCall { name, arguments } = call;
            keys.push(format!("raw_call: {{ name: {name}, arguments: {arguments:?} }}"));
        }
        if self.at_once {
            keys.push("at_once: true".into());
        }
        if let Some(say) = &self.say {
            keys.push(format!("say: {say:?}"));
        }
        if let Some(fail) = &self.fail {
            keys.push(format!("fail: {fail}"));
        }
        if !self.either.is_empty() {
            keys.push(format!("either: {} rounds", self.either.len()));
        }
        write!(f, "{{ {} }}", keys.join(", "))
    }
}

/// A round as it is in the file. [`Round`] adds the checks between its keys.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoundFields {
    /// What must be in the request.
    #[serde(default)]
    sees: Option<RequestExpectation>,
    /// Tools that the model calls: `[{ check_availability: { date: "2026-02-11" } }]`.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<Call>")]
    call: Vec<Call>,
    /// Calls that are sent unchecked: `{ name: ..., arguments: "any text" }`.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<RawCall>")]
    raw_call: Vec<RawCall>,
    /// The calls are made at once although the request has parallel_tool_calls: false, which no model does.
    #[serde(default)]
    at_once: bool,
    /// What the model says.
    #[serde(default)]
    say: Option<String>,
    /// How the request fails: `503`, `empty`, or `{ status, retry_after, delay, cut, ... }`.
    #[serde(default)]
    fail: Option<RoundFailure>,
    /// How a stream is sent: `{ first: 300ms, tokens_per_second: 40, packet: 7 }`.
    #[serde(default)]
    stream: Option<StreamPace>,
    /// Names to keep: `{ ref: results[0].lead_id }`.
    #[serde(default)]
    save: BTreeMap<String, SavePath>,
    /// Alternatives of which one must match.
    #[serde(default)]
    either: Vec<Round>,
    /// Whether a reasoning item comes first.
    #[serde(default)]
    reasoning: Option<bool>,
}

impl<'de> Deserialize<'de> for Round {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let f = RoundFields::deserialize(deserializer)?;
        let round = Self {
            expectation: f.sees,
            call: f.call,
            raw_call: f.raw_call,
            at_once: f.at_once,
            say: f.say,
            fail: f.fail,
            stream: f.stream,
            save: f.save.into_iter().map(|(name, path)| (name, path.0)).collect(),
            either: f.either,
            reasoning: f.reasoning,
        };
        round.invalid_combination().map_or(Ok(round), |why| Err(de::Error::custom(why)))
    }
}

impl JsonSchema for Round {
    fn schema_name() -> Cow<'static, str> {
        "Round".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RoundFields::json_schema(generator)
    }
}

/// A path that is checked while it is read.
struct SavePath(Path);

impl<'de> Deserialize<'de> for SavePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for SavePath {
    fn schema_name() -> Cow<'static, str> {
        "SavePath".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A path such as results[0].lead_id" })
    }
}
