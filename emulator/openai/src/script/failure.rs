//! How a round fails: a status, a word, or a map.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// How a request fails.
///
/// A failure without a reply (`status`, `cut`, and `malformed` where there is no call) happens
/// `times` times; then the round's own reply follows, or the next round. Without `times` it happens
/// once if something follows, else on every request. The other failures change the round's reply,
/// on every request unless `times` is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoundFailure {
    /// HTTP status with OpenAI's error body.
    pub status: Option<u16>,
    /// The body's `code`, if it is not the usual one of the status.
    pub code: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// Real time to wait before responding.
    pub delay: Option<Duration>,
    /// The connection is closed.
    pub cut: Option<CutPoint>,
    /// The calls' arguments break off; without calls, the body is not JSON.
    pub malformed: bool,
    /// The model refuses with this text.
    pub refusal: Option<String>,
    /// The response has no output.
    pub empty: bool,
    /// The response stops early for this reason.
    pub incomplete: Option<IncompleteReason>,
    /// How many requests fail.
    pub times: Option<u32>,
}

impl RoundFailure {
    /// Whether the request gets no reply of the model. `calls` is how many calls the round makes.
    pub(crate) fn replaces_reply(&self, calls: usize) -> bool {
        self.status.is_some() || self.cut.is_some() || (self.malformed && calls == 0)
    }

    /// Whether the failure itself is a reply of the model.
    pub(crate) fn has_own_reply(&self) -> bool {
        self.refusal.is_some() || self.empty || self.incomplete.is_some()
    }
}

/// The failure in one word.
impl fmt::Display for RoundFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(status) = self.status {
            return write!(f, "{status}");
        }
        f.write_str(match self {
            Self { cut: Some(_), .. } => "cut",
            Self { malformed: true, .. } => "malformed",
            Self { refusal: Some(_), .. } => "refusal",
            Self { empty: true, .. } => "empty",
            Self { incomplete: Some(reason), .. } => reason.as_str(),
            _ => "delay",
        })
    }
}

/// Where a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CutPoint {
    /// Before the request has any effect.
    Before,
    /// After the request took effect; the response is lost.
    After,
    /// In the middle of the response.
    MidStream,
}

/// Why a response stops early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncompleteReason {
    /// The limit of output tokens is reached.
    MaxOutputTokens,
    /// The content filter held the rest back.
    ContentFilter,
}

impl IncompleteReason {
    /// The provider's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::MaxOutputTokens => "max_output_tokens",
            Self::ContentFilter => "content_filter",
        }
    }
}

/// The long form of a failure in the file.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoundFailureFields {
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
    cut: Option<CutPoint>,
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
    incomplete: Option<IncompleteReason>,
    /// How many requests fail.
    #[serde(default)]
    #[schemars(with = "Option<u32>")]
    times: Option<Times>,
}

impl<'de> Deserialize<'de> for RoundFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RoundFailureVisitor)
    }
}

struct RoundFailureVisitor;

impl<'de> Visitor<'de> for RoundFailureVisitor {
    type Value = RoundFailure;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status such as 503, empty, malformed, cut, or a map such as { status: 429, retry_after: 1 }")
    }

    fn visit_u64<E: de::Error>(self, status: u64) -> Result<RoundFailure, E> {
        Ok(RoundFailure { status: Some(checked_status(status)?), ..RoundFailure::default() })
    }

    fn visit_i64<E: de::Error>(self, status: i64) -> Result<RoundFailure, E> {
        self.visit_u64(u64::try_from(status).unwrap_or(0))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<RoundFailure, E> {
        Ok(match word {
            "empty" => RoundFailure { empty: true, ..RoundFailure::default() },
            "malformed" => RoundFailure { malformed: true, ..RoundFailure::default() },
            "cut" => RoundFailure { cut: Some(CutPoint::Before), ..RoundFailure::default() },
            other => {
                return Err(E::custom(format_args!(
                    "unknown failure '{other}', expected a status, empty, malformed, cut, or a map"
                )));
            }
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RoundFailure, A::Error> {
        let f = RoundFailureFields::deserialize(MapAccessDeserializer::new(map))?;
        let fail = RoundFailure {
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
        let effects = [
            fail.status.is_some(),
            fail.cut.is_some(),
            fail.malformed,
            fail.refusal.is_some(),
            fail.empty,
            fail.incomplete.is_some(),
        ];
        // A stream may end with an error event instead of silently.
        let error_event = fail.status.is_some() && fail.cut == Some(CutPoint::MidStream);
        match effects.into_iter().filter(|set| *set).count() - usize::from(error_event) {
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

impl JsonSchema for RoundFailure {
    fn schema_name() -> Cow<'static, str> {
        "RoundFailure".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = RoundFailureFields::json_schema(generator);
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

/// A duration as it is in the file: a text with a unit, or milliseconds.
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
