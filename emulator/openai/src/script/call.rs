//! Tool calls of the model: a map with the tool as its only key, or a raw call.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::one_or_many::FromOne;

/// A tool call: `{ check_availability: { date: "2026-02-11" } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// A tool call that is sent exactly as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCall {
    /// The tool; need not exist.
    pub name: String,
    /// The arguments' text; need not be JSON.
    pub arguments: String,
}

impl FromOne for Call {}

impl FromOne for RawCall {}

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
