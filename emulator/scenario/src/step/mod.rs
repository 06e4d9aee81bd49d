//! What a scenario does, step by step. A step's kind is its first key.
//!
//! Each kind has a file with its keys and its [`StepKind`]; the table in [`step_kinds`] lists all.

mod clock;
mod crash;
mod customer;
mod delivery;
mod expect;
mod fault;
mod invoke;
mod request;
mod together;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;

pub(crate) use self::customer::check_rounds;
pub use self::{
    clock::{AtStep, WaitStep},
    crash::CrashRequest,
    customer::{Customer, Delivery, Duplicate, Repeat, Signature},
    delivery::{CallbackEntry, DeliveryEntry, DeliveryStep, StatusName},
    expect::ExpectStep,
    fault::{CallFailure, FaultChance, FaultEntry, FaultsStep},
    invoke::{ErrorExpectation, EventInput, Invoke},
    request::{Request, RequestLine, Response},
    together::{Meet, Together},
};
use crate::{
    check::{BackendCheck, Check},
    dispatch,
    expectation::Expect,
    places::YamlPath,
    run::{Running, StepError},
};

/// Everything that one kind of step does besides being read.
pub(crate) trait StepKind {
    /// The step in short, for reports.
    fn title(&self) -> String;

    /// Reports what is wrong with it, independent of the backend. `at` is the step's path.
    fn check(&self, _check: &mut Check<'_>, _at: &YamlPath) {}

    /// Reports names that the backend does not have: people, tables, functions.
    fn check_names(&self, _check: &mut BackendCheck<'_>, _at: &YamlPath) {}

    /// The first part that an external backend cannot give, and why.
    fn unsupported(&self, _at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        None
    }

    /// The expectation on tables, which are compared with their rows at the start.
    fn expectation(&self) -> Option<&Expect> {
        None
    }

    /// Whether it delays a call, so that running it takes real time.
    fn delays(&self) -> bool {
        false
    }

    /// Runs it. `label` is its position from 1, `path` its place in the file.
    async fn run(
        &self,
        running: &mut Running<'_>,
        label: &str,
        path: &YamlPath,
    ) -> Result<(), StepError>;
}

/// Declares [`Step`] and everything that needs the list of kinds.
macro_rules! step_kinds {
    ($($(#[$doc:meta])* $key:literal => $variant:ident($type:ty),)+) => {
        /// One step.
        #[derive(Debug, Clone)]
        pub enum Step {
            $($(#[$doc])* $variant($type),)+
        }

        /// The kinds of steps, by their first key.
        pub const STEP_KINDS: &[&str] = &[$($key),+];

        impl Step {
            /// The step in short, for reports.
            pub fn title(&self) -> String {
                match self { $(Self::$variant(step) => step.title(),)+ }
            }

            pub(crate) fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
                match self { $(Self::$variant(step) => step.check(check, at),)+ }
            }

            pub(crate) fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
                match self { $(Self::$variant(step) => step.check_names(check, at),)+ }
            }

            pub(crate) fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
                match self { $(Self::$variant(step) => step.unsupported(at),)+ }
            }

            pub(crate) fn expectation(&self) -> Option<&Expect> {
                match self { $(Self::$variant(step) => step.expectation(),)+ }
            }

            /// Its first key, such as `customer`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $key,)+ }
            }

            pub(crate) fn delays(&self) -> bool {
                match self { $(Self::$variant(step) => step.delays(),)+ }
            }

            pub(crate) async fn run(
                &self,
                running: &mut Running<'_>,
                label: &str,
                path: &YamlPath,
            ) -> Result<(), StepError> {
                match self { $(Self::$variant(step) => step.run(running, label, path).await,)+ }
            }

            fn read<'de, A: MapAccess<'de>>(kind: String, map: A) -> Result<Self, A::Error> {
                match kind.as_str() {
                    $($key => dispatch::map_from(kind, map).map(Self::$variant),)+
                    other => Err(de::Error::custom(format_args!(
                        "unknown kind of step '{other}'; a step's first key is one of {}",
                        STEP_KINDS.join(", ")
                    ))),
                }
            }

            fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
                vec![$(generator.subschema_for::<$type>()),+]
            }
        }
    };
}

step_kinds! {
    /// `customer:` a text reaches the shop's number.
    "customer" => Customer(Customer),
    /// `request:` somebody calls the API.
    "request" => Request(Box<Request>),
    /// `invoke:` a function gets an event.
    "invoke" => Invoke(Box<Invoke>),
    /// `expect:` a look at tables, texts, calls and cost.
    "expect" => Expect(ExpectStep),
    /// `wait:` business time passes.
    "wait" => Wait(WaitStep),
    /// `at:` business time moves to a moment.
    "at" => At(AtStep),
    /// `together:` steps at the same time.
    "together" => Together(Together),
    /// `faults:` providers fail from here on.
    "faults" => Faults(FaultsStep),
    /// `delivery:` what becomes of texts from here on.
    "delivery" => Delivery(DeliveryStep),
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
                match map.next_key::<String>()? {
                    Some(kind) => Step::read(kind, map),
                    None => Err(de::Error::custom(format_args!(
                        "an empty step; its first key is one of {}",
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
        // An `anyOf` of kinds would make editors list every kind's errors at once.
        let rules: Vec<Value> = STEP_KINDS
            .iter()
            .zip(Step::schemas(generator))
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
