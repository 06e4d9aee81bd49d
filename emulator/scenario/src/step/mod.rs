//! What a scenario does, step by step. A step's kind is its first key.

mod crash;
mod customer;
mod fault;
mod request;
mod together;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;

pub use self::{
    crash::Crash,
    customer::{Customer, Delivery, Duplicate, Signature},
    fault::{CallFailure, Chance, Fault, FaultsStep},
    request::{Request, RequestLine, Response},
    together::{Meet, Together},
};
use super::{
    dispatch,
    expectation::Expect,
    time::{Moment, Wait},
};

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// `customer:` a text reaches the shop's number.
    Customer(Customer),
    /// `request:` somebody calls the API.
    Request(Box<Request>),
    /// `expect:` a look at tables, texts, calls and cost.
    Expect(ExpectStep),
    /// `wait:` business time passes.
    Wait(WaitStep),
    /// `at:` business time moves to a moment.
    At(AtStep),
    /// `together:` steps at the same time.
    Together(Together),
    /// `faults:` providers fail from here on.
    Faults(FaultsStep),
}

/// The kinds of steps, by their first key.
pub const STEP_KINDS: [&str; 7] =
    ["customer", "request", "expect", "wait", "at", "together", "faults"];

/// `expect:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectStep {
    /// What must be so.
    pub expect: Expect,
}

/// `wait:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// How much later it is.
    pub wait: Wait,
}

/// `at:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtStep {
    /// What time it is from here on.
    pub at: Moment,
}

impl Step {
    /// The step in short, for progress lines and reports.
    pub fn title(&self) -> String {
        match self {
            Self::Customer(step) => {
                let who = step.from.as_deref().unwrap_or("customer");
                format!("{who}: {}", short(step.text.as_deref().unwrap_or("(pictures)")))
            }
            Self::Request(step) => {
                format!("{} {}", step.request.method, short(&step.request.path))
            }
            Self::Expect(_) => "expect".into(),
            Self::Wait(step) => format!("wait {}", step.wait),
            Self::At(step) => format!("at {}", step.at.as_str()),
            Self::Together(step) => format!("{} steps together", step.together.len()),
            Self::Faults(step) => {
                let on: Vec<_> = step.faults.iter().map(|f| f.on.as_str()).collect();
                format!("faults on {}", on.join(", "))
            }
        }
    }
}

/// At most 60 characters of a text, on one line.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;

        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a step, whose first key is one of {}", STEP_KINDS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let Some(kind) = map.next_key::<String>()? else {
                    return Err(de::Error::custom(format_args!(
                        "an empty step; its first key is one of {}",
                        STEP_KINDS.join(", ")
                    )));
                };
                match kind.as_str() {
                    "customer" => dispatch::map_from(kind, map).map(Step::Customer),
                    "request" => dispatch::map_from(kind, map).map(|r| Step::Request(Box::new(r))),
                    "expect" => dispatch::map_from(kind, map).map(Step::Expect),
                    "wait" => dispatch::map_from(kind, map).map(Step::Wait),
                    "at" => dispatch::map_from(kind, map).map(Step::At),
                    "together" => dispatch::map_from(kind, map).map(Step::Together),
                    "faults" => dispatch::map_from(kind, map).map(Step::Faults),
                    other => Err(de::Error::custom(format_args!(
                        "unknown kind of step '{other}'; a step's first key is one of {}",
                        STEP_KINDS.join(", ")
                    ))),
                }
            }
        }

        deserializer.deserialize_map(StepVisitor)
    }
}

impl JsonSchema for Step {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [
            generator.subschema_for::<Customer>(),
            generator.subschema_for::<Request>(),
            generator.subschema_for::<ExpectStep>(),
            generator.subschema_for::<WaitStep>(),
            generator.subschema_for::<AtStep>(),
            generator.subschema_for::<Together>(),
            generator.subschema_for::<FaultsStep>(),
        ];
        // An `anyOf` of kinds would make editors list every kind's errors at once.
        let rules: Vec<Value> = STEP_KINDS
            .iter()
            .zip(kinds)
            .map(|(key, kind)| serde_json::json!({ "if": { "required": [key] }, "then": kind }))
            .collect();
        let one: Vec<Value> =
            STEP_KINDS.iter().map(|key| serde_json::json!({ "required": [key] })).collect();
        json_schema!({
            "description": "One step; its kind is its first key",
            "type": "object",
            "allOf": rules,
            "oneOf": one,
        })
    }
}
