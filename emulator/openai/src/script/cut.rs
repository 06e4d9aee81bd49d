//! Where a connection is closed: a word, or a place in a stream.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::delay::Delay;

/// Where a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutPoint {
    /// Before the request has any effect.
    Before,
    /// After the request took effect; the response is lost.
    After,
    /// In the middle of the response.
    MidStream,
    /// After this many events of a stream, and within the next one if `inside`. A body that is no stream
    /// is cut in the middle.
    Events {
        /// How many whole events arrive.
        whole: usize,
        /// Whether half of the next one arrives, too.
        inside: bool,
    },
    /// So long after the response began, in real time. Without a pace, all but a stream's last event have
    /// arrived by then.
    Elapsed(Duration),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CutFields {
    /// How many events of the stream arrive.
    #[serde(default)]
    events: Option<usize>,
    /// Whether half of the next event arrives, too.
    #[serde(default)]
    inside: bool,
    /// How long after the response began: `200ms`, `2s`, or milliseconds.
    #[serde(default)]
    after: Option<Delay>,
}

impl<'de> Deserialize<'de> for CutPoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CutVisitor)
    }
}

struct CutVisitor;

impl<'de> Visitor<'de> for CutVisitor {
    type Value = CutPoint;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before, after, mid-stream, or a map such as { events: 3 } or { after: 200ms }")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<CutPoint, E> {
        match word {
            "before" => Ok(CutPoint::Before),
            "after" => Ok(CutPoint::After),
            "mid-stream" => Ok(CutPoint::MidStream),
            other => Err(E::custom(format_args!(
                "unknown place '{other}' of a cut, expected before, after, mid-stream, or a map"
            ))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CutPoint, A::Error> {
        match CutFields::deserialize(MapAccessDeserializer::new(map))? {
            CutFields { events: Some(whole), inside, after: None } => {
                Ok(CutPoint::Events { whole, inside })
            }
            CutFields { events: None, inside: false, after: Some(after) } => {
                Ok(CutPoint::Elapsed(after.0))
            }
            _ => Err(de::Error::custom(
                "a cut has 'events', which may have 'inside' beside it, or 'after'",
            )),
        }
    }
}

impl JsonSchema for CutPoint {
    fn schema_name() -> Cow<'static, str> {
        "CutPoint".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let place = CutFields::json_schema(generator);
        json_schema!({
            "description": "A word, or a place in the stream",
            "anyOf": [{ "enum": ["before", "after", "mid-stream"] }, place]
        })
    }
}
