//! `faults:`

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::{
    faults::{Cut, Failure},
    scenario::{dispatch, time::Delay},
};

/// `faults:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultsStep {
    /// In the order in which they strike.
    pub faults: Vec<Fault>,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The crossing's name in the journal: `openai.responses`, `twilio.messages.create`.
    pub on: String,
    /// A status, or `{ status, code, retry_after, delay, cut }`.
    pub fail: Fail,
    /// How many calls it strikes; all from here on when left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many calls it lets through first.
    #[serde(default)]
    pub skip: u32,
}

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail(pub Failure);

impl<'de> Deserialize<'de> for Fail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FailVisitor;

        impl<'de> Visitor<'de> for FailVisitor {
            type Value = Fail;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status, or { status, code, retry_after, delay, cut }")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Fail, E> {
                let status = status(number).map_err(E::custom)?;
                Ok(Fail(Failure { status: Some(status), ..Failure::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fail, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("say how it fails"));
                };
                let fields: Fields = dispatch::whole(key, map)?;
                let delay = fields.delay.map(|d| u64::try_from(d.0.as_millis()));
                Ok(Fail(Failure {
                    status: fields.status.map(status).transpose().map_err(de::Error::custom)?,
                    code: fields.code,
                    retry_after: fields.retry_after,
                    delay_ms: delay.transpose().map_err(de::Error::custom)?,
                    cut: fields.cut,
                }))
            }
        }

        deserializer.deserialize_any(FailVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    status: Option<u64>,
    code: Option<String>,
    retry_after: Option<u32>,
    delay: Option<Delay>,
    cut: Option<Cut>,
}

fn status(number: u64) -> Result<u16, String> {
    u16::try_from(number)
        .ok()
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| format!("{number} is not an HTTP status"))
}

impl JsonSchema for Fail {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CallFailure".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let delay = generator.subschema_for::<Delay>();
        json_schema!({
            "description": "A status, or how the call fails in detail",
            "type": ["integer", "object"],
            "minimum": 100,
            "maximum": 599,
            "properties": {
                "status": { "type": "integer", "minimum": 100, "maximum": 599 },
                "code": { "type": ["string", "integer"], "description": "The provider's own code" },
                "retry_after": { "type": "integer", "minimum": 0 },
                "delay": delay,
                "cut": { "enum": ["before", "after"] },
            },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}
