//! A round, and what must hold between its keys.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{one_or_many, one_or_many_schema};
use crate::script::{Call, RawCall, RequestExpectation, Round, RoundFailure};
use rehearse_core::matcher::Path;

/// A round as it stands in the file; [`Round`] adds what must hold between its keys.
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
    /// What the model says.
    #[serde(default)]
    say: Option<String>,
    /// How the request fails: `503`, `empty`, or `{ status, retry_after, delay, cut, ... }`.
    #[serde(default)]
    fail: Option<RoundFailure>,
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
            sees: f.sees,
            call: f.call,
            raw_call: f.raw_call,
            say: f.say,
            fail: f.fail,
            save: f.save.into_iter().map(|(name, path)| (name, path.0)).collect(),
            either: f.either,
            reasoning: f.reasoning,
        };
        complain(&round).map_or(Ok(round), |why| Err(de::Error::custom(why)))
    }
}

/// What is wrong between a round's keys.
fn complain(round: &Round) -> Option<&'static str> {
    let plain = round.answers() || round.fail.is_some();
    if !round.either.is_empty() {
        let alone =
            !plain && round.sees.is_none() && round.save.is_empty() && round.reasoning.is_none();
        return (!alone).then_some("'either' stands alone: put the other keys into its rounds");
    }
    let Some(fail) = &round.fail else {
        return (!plain).then_some("a round needs one of say, call, raw_call, fail or either");
    };
    if (fail.refusal.is_some() || fail.empty) && round.answers() {
        return Some("a refusal or an empty answer leaves no room for say or call in its round");
    }
    let only_delay = fail.delay.is_some() && !fail.is_hard(round) && !fail.answers();
    (only_delay && !round.answers())
        .then_some("a delay alone answers nothing: add say or call, or another failure")
}

impl JsonSchema for Round {
    fn schema_name() -> Cow<'static, str> {
        "Round".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RoundFields::json_schema(generator)
    }
}

/// A path, checked while it is read.
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
