//! How a round fails: a status, a word, or a map.

use std::{borrow::Cow, fmt, time::Duration};

use super::{CutPoint, delay::Delay};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// What `error.code` of a failed response can be, from `ResponseErrorCode` in OpenAI's OpenAPI document.
/// The others are about pictures.
const FAILED_CODES: [&str; 6] = [
    "server_error",
    "rate_limit_exceeded",
    "invalid_prompt",
    "data_residency_mismatch",
    "bio_policy",
    "vector_store_timeout",
];

/// How a request fails.
///
/// A failure without a reply (`status`, `cut`, `failed`, and `malformed` where there is no call) happens
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
    /// The response stops early for this reason. The arguments of its last call break off.
    pub incomplete: Option<IncompleteReason>,
    /// The response ends with the status `failed` and this error code; a stream after half of its events.
    /// On Chat Completions, which have no such status, a stream ends with an error and a body is one.
    pub failed: Option<String>,
    /// How many requests fail.
    pub times: Option<u32>,
}

impl RoundFailure {
    /// Whether the request gets no reply of the model. `calls` is how many calls the round makes.
    pub(crate) fn replaces_reply(&self, calls: usize) -> bool {
        self.status.is_some()
            || self.cut.is_some()
            || self.failed.is_some()
            || (self.malformed && calls == 0)
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
            Self { failed: Some(_), .. } => "failed",
            _ => "delay",
        })
    }
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
    /// The response ends with the status `failed`; the error's code.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    failed: Option<FailedCode>,
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
        f.write_str("a status such as 503, empty, malformed, cut, failed, or a map such as { status: 429, retry_after: 1 }")
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
            "failed" => {
                RoundFailure { failed: Some(FAILED_CODES[0].into()), ..RoundFailure::default() }
            }
            "cut" => RoundFailure { cut: Some(CutPoint::Before), ..RoundFailure::default() },
            other => {
                return Err(E::custom(format_args!(
                    "unknown failure '{other}', expected a status, empty, malformed, cut, failed, or a map"
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
            failed: f.failed.map(|code| code.0),
            times: f.times.map(|t| t.0),
        };
        let effects = [
            fail.status.is_some(),
            fail.cut.is_some(),
            fail.malformed,
            fail.refusal.is_some(),
            fail.empty,
            fail.incomplete.is_some(),
            fail.failed.is_some(),
        ];
        // A stream may end with an error event instead of silently.
        let error_event = fail.status.is_some() && fail.cut == Some(CutPoint::MidStream);
        match effects.into_iter().filter(|set| *set).count() - usize::from(error_event) {
            0 if fail.delay.is_none() => Err(de::Error::custom(
                "a failure needs one of status, delay, cut, malformed, refusal, empty, incomplete or failed",
            )),
            0 | 1
                if fail.status.is_none() && (fail.code.is_some() || fail.retry_after.is_some()) =>
            {
                Err(de::Error::custom("'code' and 'retry_after' need a 'status'"))
            }
            0 | 1 => Ok(fail),
            _ => Err(de::Error::custom(
                "only one of status, cut, malformed, refusal, empty, incomplete and failed can happen to a request",
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
                { "enum": ["empty", "malformed", "cut", "failed"] },
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

/// An error code that a failed response can have.
struct FailedCode(String);

impl<'de> Deserialize<'de> for FailedCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        if FAILED_CODES.contains(&code.as_str()) {
            return Ok(Self(code));
        }
        Err(de::Error::custom(format_args!(
            "a failed response has no error code '{code}'; it has one of {}",
            FAILED_CODES.join(", ")
        )))
    }
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
