//! Reading scripts: short forms are accepted, and every error keeps its place in the file.

use std::{borrow::Cow, collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};
use serde_json::{Map, Value};

use super::script::{Call, Cut, Fail, Incomplete, RawCall, Round, Sees};
use crate::matcher::{Matcher, Path};

/// A list, or one value for a list of one.
pub(super) fn one_or_many<'de, T: FromOne + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

/// Types that may stand alone where a list is meant.
pub(super) trait FromOne: Sized {
    /// From a text alone.
    fn from_text(text: &str) -> Option<Self>;
}

impl FromOne for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl FromOne for Matcher {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::Literal(text.into()))
    }
}

impl FromOne for Call {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

impl FromOne for RawCall {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: FromOne + Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::from_text(text)
            .map(|one| vec![one])
            .ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Err(E::custom("expected a list, found nothing"))
    }
}

/// A round as it stands in the file; [`Round`] adds what must hold between its keys.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoundFields {
    /// What must be in the request.
    #[serde(default)]
    sees: Option<Sees>,
    /// Tools that the model calls: `[{ check_availability: { date: "2026-02-11" } }]`.
    #[serde(default, deserialize_with = "one_or_many")]
    call: Vec<Call>,
    /// Calls that are sent unchecked: `{ name: ..., arguments: "any text" }`.
    #[serde(default, deserialize_with = "one_or_many")]
    raw_call: Vec<RawCall>,
    /// What the model says.
    #[serde(default)]
    say: Option<String>,
    /// How the request fails: `503`, `empty`, or `{ status, retry_after, delay, cut, ... }`.
    #[serde(default)]
    fail: Option<Fail>,
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

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CallVisitor)
    }
}

struct CallVisitor;

impl<'de> Visitor<'de> for CallVisitor {
    type Value = Call;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call such as { check_availability: { date: \"2026-02-11\" } }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Call, A::Error> {
        let Some(name) = map.next_key::<String>()? else {
            return Err(de::Error::custom("a call names its tool: { tool: { argument: value } }"));
        };
        let arguments = map.next_value::<Option<Map<String, Value>>>()?.unwrap_or_default();
        if let Some(other) = map.next_key::<String>()? {
            return Err(de::Error::custom(format_args!(
                "a call is a map with one key; '{other}' stands beside '{name}': make it an item of its own"
            )));
        }
        Ok(Call { name, arguments })
    }
}

impl JsonSchema for Call {
    fn schema_name() -> Cow<'static, str> {
        "Call".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A tool's name and its arguments",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": { "type": ["object", "null"] }
        })
    }
}

/// The long form of a failure.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailFields {
    /// HTTP status with OpenAI's error body.
    #[serde(default)]
    #[schemars(with = "Option<u16>")]
    status: Option<Status>,
    /// The error body's code.
    #[serde(default)]
    code: Option<String>,
    /// Retry-After, in seconds.
    #[serde(default)]
    retry_after: Option<u32>,
    /// `300ms`, `20s`, `2m`, or milliseconds.
    #[serde(default)]
    delay: Option<Delay>,
    /// Where the connection is closed.
    #[serde(default)]
    cut: Option<Cut>,
    /// Arguments that break off; without a call, a body that is no JSON.
    #[serde(default)]
    malformed: bool,
    /// The model refuses with this text.
    #[serde(default)]
    refusal: Option<String>,
    /// The model answers with no output.
    #[serde(default)]
    empty: bool,
    /// The answer stops early.
    #[serde(default)]
    incomplete: Option<Incomplete>,
    /// How many requests it strikes.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    times: Option<Times>,
}

impl<'de> Deserialize<'de> for Fail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FailVisitor)
    }
}

struct FailVisitor;

impl<'de> Visitor<'de> for FailVisitor {
    type Value = Fail;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 503, empty, malformed, cut, or a map such as { status: 429, retry_after: 1 }")
    }

    fn visit_u64<E: de::Error>(self, status: u64) -> Result<Fail, E> {
        Ok(Fail { status: Some(checked_status(status)?), ..Fail::default() })
    }

    fn visit_i64<E: de::Error>(self, status: i64) -> Result<Fail, E> {
        self.visit_u64(u64::try_from(status).unwrap_or(0))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Fail, E> {
        Ok(match word {
            "empty" => Fail { empty: true, ..Fail::default() },
            "malformed" => Fail { malformed: true, ..Fail::default() },
            "cut" => Fail { cut: Some(Cut::Before), ..Fail::default() },
            other => {
                return Err(E::custom(format_args!(
                    "unknown failure '{other}', expected a status, empty, malformed, cut, or a map"
                )));
            }
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fail, A::Error> {
        let f = FailFields::deserialize(MapAccessDeserializer::new(map))?;
        let fail = Fail {
            status: f.status.map(|s| s.0),
            code: f.code,
            retry_after: f.retry_after,
            delay: f.delay.map(|d| d.0),
            cut: f.cut,
            malformed: f.malformed,
            refusal: f.refusal,
            empty: f.empty,
            incomplete: f.incomplete,
            times: f.times.map(|t| t.0),
        };
        let ends = [
            fail.status.is_some(),
            fail.cut.is_some(),
            fail.malformed,
            fail.refusal.is_some(),
            fail.empty,
            fail.incomplete.is_some(),
        ];
        // A stream may break off with an error instead of in silence.
        let broken = fail.status.is_some() && fail.cut == Some(Cut::MidStream);
        match ends.into_iter().filter(|set| *set).count() - usize::from(broken) {
            0 if fail.delay.is_none() => Err(de::Error::custom(
                "a failure needs one of status, delay, cut, malformed, refusal, empty or incomplete",
            )),
            0 | 1
                if fail.status.is_none() && (fail.code.is_some() || fail.retry_after.is_some()) =>
            {
                Err(de::Error::custom("'code' and 'retry_after' need a 'status'"))
            }
            0 | 1 => Ok(fail),
            _ => Err(de::Error::custom(
                "only one of status, cut, malformed, refusal, empty and incomplete can happen to a request",
            )),
        }
    }
}

impl JsonSchema for Fail {
    fn schema_name() -> Cow<'static, str> {
        "Fail".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = FailFields::json_schema(generator);
        json_schema!({
            "description": "A status, a word, or a map of what happens",
            "anyOf": [
                { "type": "integer", "minimum": 400, "maximum": 599 },
                { "enum": ["empty", "malformed", "cut"] },
                long
            ]
        })
    }
}

struct Status(u16);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked_status(u64::deserialize(deserializer)?).map(Self)
    }
}

fn checked_status<E: de::Error>(status: u64) -> Result<u16, E> {
    u16::try_from(status).ok().filter(|s| (400..600).contains(s)).ok_or_else(|| {
        E::custom(format_args!("{status} is not a failing HTTP status (400 to 599)"))
    })
}

struct Times(u32);

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            0 => Err(de::Error::custom("'times' counts from 1")),
            times => Ok(Self(times)),
        }
    }
}

/// A duration as it is written.
struct Delay(Duration);

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DelayVisitor).map(Self)
    }
}

struct DelayVisitor;

impl Visitor<'_> for DelayVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as 300ms, 20s or 2m, or a number of milliseconds")
    }

    fn visit_u64<E>(self, ms: u64) -> Result<Duration, E> {
        Ok(Duration::from_millis(ms))
    }

    fn visit_i64<E: de::Error>(self, ms: i64) -> Result<Duration, E> {
        u64::try_from(ms)
            .map(Duration::from_millis)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(ms), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        duration(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let factor = match text[unit..].trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(text[..unit].parse::<f64>().ok()? * factor).ok()
}

impl JsonSchema for Delay {
    fn schema_name() -> Cow<'static, str> {
        "Delay".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "300ms, 20s, 2m, or milliseconds",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }]
        })
    }
}
