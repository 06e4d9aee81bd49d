//! `invoke:`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{CrashRequest, StepKind, short};
use crate::{
    check::{BackendCheck, Check},
    places::YamlPath,
    run::{Running, StepError},
};
use rehearse_core::{
    matcher::{self, Matcher},
    yaml::{Limit, Source, YamlError},
};

/// Most bytes of a file with an event: Lambda takes no more of an event.
const LIMIT: Limit = Limit { bytes: 6 << 20, advice: "Lambda takes no larger event" };

/// An event for a function, as a schedule, a queue or another function gives it one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invoke {
    /// Logical id of the function.
    pub invoke: String,
    /// The event; an empty object when left out, as on AWS.
    #[serde(default)]
    pub event: EventInput,
    /// The function ends at one of its calls.
    #[serde(default)]
    pub crash: Option<CrashRequest>,
    /// What the function must return. Without `result` and `error` it may return anything, and must not fail.
    #[serde(default)]
    pub result: Option<Matcher>,
    /// How the function must fail.
    #[serde(default)]
    pub error: Option<ErrorExpectation>,
    /// Names for parts of what came of it: `{ ref: result.lead_id }`. There is `result`, or `error`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub enum EventInput {
    /// As it stands in the scenario.
    Inline(Value),
    /// `{ file: PATH }`: in a file of JSON or YAML, relative to the scenario's folder.
    File(String),
}

/// How a function fails, as the Runtime API names it. What is left out may be anything.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ErrorExpectation {
    /// The error's type: `KeyError`, `Sandbox.Timedout`.
    #[serde(default)]
    pub error_type: Option<Matcher>,
    /// The error's message.
    #[serde(default)]
    pub error_message: Option<Matcher>,
}

impl StepKind for Invoke {
    fn title(&self) -> String {
        format!("invoke {}", short(&self.invoke))
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        if self.result.is_some() && self.error.is_some() {
            check.wrong_key(
                &at.to("error"),
                "a function returns a `result` or fails with an `error`",
            );
        }
        if self.error.as_ref().is_some_and(|error| *error == ErrorExpectation::default()) {
            check.wrong(&at.to("error"), "say errorType, errorMessage or both");
        }
        for (name, path) in &self.save {
            let at = at.to("save").to(name.as_str());
            if let Err(error) = path.parse::<matcher::Path>() {
                check.wrong(&at, error.to_string());
            } else if !["result", "error"]
                .contains(&path.split(['.', '[']).next().unwrap_or_default())
            {
                check.wrong(&at, "a path begins with result or error");
            }
        }
        if let EventInput::File(file) = &self.event
            // Where a template leads is known when it runs.
            && !file.contains("{{")
            && let Err(error) = EventInput::read(check.file(), file)
        {
            let message = format!("the event cannot be read: {error}");
            check.wrong(&at.to("event").to("file"), message);
        }
        if let Some(crash) = &self.crash {
            crash.check(check, &at.to("crash"));
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        check.invoked(&self.invoke, &at.to("invoke"));
        check.crash(self.crash.as_ref(), at);
    }

    fn delays(&self) -> bool {
        self.crash.as_ref().is_some_and(|crash| crash.timeout.is_some())
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.invoke(self, path).await
    }
}

impl EventInput {
    /// The event in a file, whose path is relative to the folder of a scenario.
    pub(crate) fn read(scenario: &str, file: &str) -> Result<Value, YamlError> {
        let folder = Path::new(scenario).parent().map(PathBuf::from).unwrap_or_default();
        Source::read_within(&folder.join(file), LIMIT)?.parse()
    }
}

impl Default for EventInput {
    fn default() -> Self {
        Self::Inline(Value::Object(serde_json::Map::new()))
    }
}

impl<'de> Deserialize<'de> for EventInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Value::deserialize(deserializer)?;
        match event.as_object() {
            Some(map) if map.len() == 1 && map.contains_key("file") => match &map["file"] {
                Value::String(file) if !file.is_empty() => Ok(Self::File(file.clone())),
                _ => Err(de::Error::custom(
                    "`file` is the path of a file with the event; an event that has this key alone stands in a file",
                )),
            },
            _ => Ok(Self::Inline(event)),
        }
    }
}

impl JsonSchema for EventInput {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventInput".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The event, or { file: PATH } for one in a file of JSON or YAML, relative to the scenario",
        })
    }
}
