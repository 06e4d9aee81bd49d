//! `faults:`

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::StepKind;
use crate::{
    check::{BackendCheck, Check, impossible, invalid_fault},
    dispatch,
    places::YamlPath,
    run::{Running, StepError},
    time::Delay,
};
use rehearse_core::{
    faults::{Chance, Cut, Failure},
    names,
};

/// `faults:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultsStep {
    /// The first one that applies to a call is injected.
    pub faults: Vec<FaultEntry>,
}

impl StepKind for FaultsStep {
    fn title(&self) -> String {
        let on: Vec<_> = self.faults.iter().map(|fault| fault.on.as_str()).collect();
        format!("faults on {}", on.join(", "))
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        if self.faults.is_empty() {
            check.wrong(&at.to("faults"), "say which calls fail, and how");
        }
        for (index, fault) in self.faults.iter().enumerate() {
            fault.check(check, &at.to("faults").to(index));
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        for (index, fault) in self.faults.iter().enumerate() {
            if let Some(table) = &fault.table {
                check.table(table, &at.to("faults").to(index).to("table"));
            }
        }
    }

    fn delays(&self) -> bool {
        self.faults.iter().any(|fault| fault.fail.0.delay_ms.is_some())
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.arm(self, path)
    }
}

/// Which calls fail, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEntry {
    /// The exchange's name in the journal: `openai.responses`, `twilio.messages.create`;
    /// `dynamodb.*` is every call to the database.
    pub on: String,
    /// A status, a word such as `conflict`, or `{ status, code, retry_after, delay, cut, malformed, as }`.
    pub fail: CallFailure,
    /// Only calls that touch this table, by its logical id.
    #[serde(default)]
    pub table: Option<String>,
    /// Only calls with a row or key that has these attributes.
    #[serde(default)]
    pub key: Map<String, Value>,
    /// Only this one of the calls, counted from 1 when the step is reached.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub call: Option<u32>,
    /// How many calls fail; all from here on when left out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub times: Option<u32>,
    /// How many calls go through first.
    #[serde(default)]
    pub skip: u32,
    /// The part of the calls that fail, 0.2 for every fifth; which ones `--seed` decides.
    #[serde(default)]
    pub chance: Option<FaultChance>,
}

impl FaultEntry {
    /// How many calls to let through, and how many then fail; `None` is all.
    pub fn window(&self) -> (u32, Option<u32>) {
        match self.call {
            Some(nth) => (nth.saturating_sub(1), Some(1)),
            None => (self.skip, self.times),
        }
    }

    /// Reports what is wrong with it, independent of the backend.
    pub(crate) fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        let database = self.on.starts_with("dynamodb.");
        let database_fault = self.fail.0.database_fault;
        if let Some(wrong) = invalid_fault(&self.on) {
            check.wrong(&at.to("on"), wrong);
        } else if let Some(fault) = database_fault.filter(|fault| !fault.can_happen_to(&self.on)) {
            check.wrong(&at.to("fail"), impossible(fault, &self.on));
        } else if let Err(wrong) = self.fail.0.can_happen_to(&self.on) {
            check.wrong(&at.to("fail"), wrong);
        }
        for (name, given) in [("table", self.table.is_some()), ("key", !self.key.is_empty())] {
            if given && !database {
                let message = "only calls to the database are chosen by table and key";
                check.wrong_key(&at.to(name), message);
            }
        }
        for (name, number) in [("times", self.times), ("call", self.call)] {
            if number == Some(0) {
                check.wrong(&at.to(name), format!("'{name}' is at least 1"));
            }
        }
        if self.call.is_some() && (self.skip > 0 || self.times.is_some()) {
            let message = "'call' is one call: 'skip' and 'times' choose others";
            check.wrong_key(&at.to("call"), message);
        }
    }
}

/// A part of all calls, above 0 and up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultChance(pub Chance);

impl<'de> Deserialize<'de> for FaultChance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = f64::deserialize(deserializer)?;
        let chance = Chance::of(part).map(Self);
        chance.ok_or_else(|| de::Error::custom(format_args!("{part} is not above 0 and up to 1")))
    }
}

impl JsonSchema for FaultChance {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultChance".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 })
    }
}

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFailure(pub Failure);

fn failure_by_name<E: de::Error>(word: &str) -> Result<Failure, E> {
    Failure::named(word).ok_or_else(|| {
        let hint = match names::nearest(word, Failure::NAMES) {
            Some(nearest) => format!("did you mean '{nearest}'?"),
            None => format!("say a status such as 503, or one of {}", Failure::NAMES.join(", ")),
        };
        E::custom(format_args!("no call fails with '{word}'; {hint}"))
    })
}

impl<'de> Deserialize<'de> for CallFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FailVisitor;

        impl<'de> Visitor<'de> for FailVisitor {
            type Value = CallFailure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a status, a word, or { status, code, retry_after, delay, cut, malformed, as }",
                )
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<CallFailure, E> {
                failure_by_name(word).map(CallFailure)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<CallFailure, E> {
                let status = Failure::status_of(number).map_err(E::custom)?;
                Ok(CallFailure(Failure { status: Some(status), ..Failure::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CallFailure, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("say how it fails"));
                };
                let fields: Fields = dispatch::map_from(key, map)?;
                let delay = fields.delay.map(|d| u64::try_from(d.0.as_millis()));
                let word = fields.word.map(|word| word.0).unwrap_or_default();
                let own =
                    fields.status.map(Failure::status_of).transpose().map_err(de::Error::custom)?;
                Ok(CallFailure(Failure {
                    status: own.or(word.status),
                    code: fields.code.or(word.code),
                    retry_after: fields.retry_after,
                    delay_ms: delay.transpose().map_err(de::Error::custom)?,
                    cut: fields.cut.or(word.cut),
                    malformed: fields.malformed || word.malformed,
                    database_fault: word.database_fault,
                    crash: None,
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
    #[serde(default)]
    malformed: bool,
    #[serde(rename = "as")]
    word: Option<NamedFailure>,
}

/// A failure by its name; deserialized alone, so that an error points at it.
struct NamedFailure(Failure);

impl<'de> Deserialize<'de> for NamedFailure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        failure_by_name(&String::deserialize(deserializer)?).map(Self)
    }
}

impl JsonSchema for CallFailure {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CallFailure".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let delay = generator.subschema_for::<Delay>();
        let status = json_schema!({
            "type": "integer",
            "minimum": Failure::STATUSES.start(),
            "maximum": Failure::STATUSES.end(),
        });
        json_schema!({
            "description": "A status, a word, or how the call fails in detail",
            "anyOf": [
                status,
                { "enum": Failure::NAMES },
                {
                    "type": "object",
                    "properties": {
                        "status": status,
                        "code": { "type": ["string", "integer"], "description": "The provider's own code" },
                        "retry_after": { "type": "integer", "minimum": 0 },
                        "delay": delay,
                        "cut": { "enum": Cut::NAMES },
                        "malformed": { "type": "boolean", "description": "The body is no JSON" },
                        "as": { "enum": Failure::NAMES },
                    },
                    "additionalProperties": false,
                    "minProperties": 1,
                },
            ],
        })
    }
}
