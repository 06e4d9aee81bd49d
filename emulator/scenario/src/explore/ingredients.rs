//! What explorations are made of: parts of scenarios, and what their journals show of the backend.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{Scenario, sweep::InjectionKind};
use rehearse_core::{
    faults,
    journal::{Exchange, ExchangeDetail},
};

/// Names in templates that are there without a step that saves them.
const ALWAYS_KNOWN: [&str; 6] = ["day", "env", "shop", "now", "customer", "owner"];

/// Parts of scenarios, and what their journals show of the backend.
#[derive(Debug, Clone, Default)]
pub struct Ingredients {
    /// How conversations begin: `now`, `people` and `given`.
    pub(super) starts: Vec<Map<String, Value>>,
    /// Texts of customers.
    pub(super) texts: Vec<String>,
    /// Who writes, beside `customer`.
    pub(super) senders: Vec<String>,
    /// Numbers of those whom only some scenarios know.
    pub(super) people: BTreeMap<String, Value>,
    /// What the model says.
    pub(super) sayings: Vec<String>,
    /// Arguments of the model's calls, by tool.
    pub(super) calls: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Steps that call the backend's API.
    pub(super) requests: Vec<Value>,
    /// The tools that the backend offers, with the schemas of their arguments.
    pub(super) tools: BTreeMap<String, Value>,
    /// Names that tools' results have, and that arguments may take up: references.
    pub(super) references: BTreeSet<String>,
    /// Calls that can fail, each with how.
    pub(super) failures: Vec<(String, InjectionKind)>,
    /// Whether the backend keeps its own time and environment, as one that somebody else started does.
    pub has_own_time: bool,
}

impl Ingredients {
    /// The parts of scenarios.
    pub fn of(scenarios: &[Scenario]) -> Self {
        let mut all = Self::default();
        for scenario in scenarios {
            // It was read before.
            let Ok(Value::Object(document)) = scenario.file().source.parse::<Value>() else {
                continue;
            };
            let mut known: BTreeSet<String> = ALWAYS_KNOWN.map(str::to_owned).into();
            let people = document.get("people").and_then(Value::as_object);
            for (name, number) in people.into_iter().flatten() {
                all.people.entry(name.clone()).or_insert_with(|| number.clone());
            }
            let steps = document.get("steps").and_then(Value::as_array).into_iter().flatten();
            for step in steps {
                all.take(step, &known);
            }
            known.extend(people.into_iter().flatten().map(|(name, _)| name.clone()));
            // Entries of `each` have names of their own.
            let start = ["now", "people", "given"];
            let start: Map<String, Value> = start
                .into_iter()
                .filter_map(|key| Some((key.to_owned(), document.get(key)?.clone())))
                .collect();
            if has_only(&Value::Object(start.clone()), &known) && !all.starts.contains(&start) {
                all.starts.push(start);
            }
        }
        all
    }

    /// What a journal shows: which tools there are, and which calls can fail.
    pub fn learn(&mut self, journal: &[Exchange]) {
        for exchange in journal {
            let can_fail = faults::NAMES.contains(&exchange.name.as_str());
            for (_, kind) in InjectionKind::ALL {
                let failure = (exchange.name.clone(), kind);
                if can_fail
                    && !kind.is_crash()
                    && kind != InjectionKind::Duplicate
                    && kind.is_possible_for(&exchange.name)
                    && !self.failures.contains(&failure)
                {
                    self.failures.push(failure);
                }
            }
            if let ExchangeDetail::Model { request, .. } = &exchange.detail {
                self.learn_request(request);
            }
        }
    }

    /// Whether the backend has asked a model that may call tools.
    pub fn has_tools(&self) -> bool {
        !self.tools.is_empty()
    }

    fn learn_request(&mut self, request: &Value) {
        for tool in request["tools"].as_array().into_iter().flatten() {
            // Chat Completions has them one level deeper than Responses.
            let function = if tool["function"].is_object() { &tool["function"] } else { tool };
            if let Some(name) = function["name"].as_str() {
                self.tools.insert(name.to_owned(), function["parameters"].clone());
            }
        }
        let messages = request["messages"].as_array().into_iter().flatten();
        let outputs = request["input"].as_array().into_iter().flatten();
        for item in messages.chain(outputs) {
            let output = item["output"].as_str().or_else(|| item["content"].as_str());
            let Some(Ok(Value::Object(fields))) = output.map(serde_json::from_str) else {
                continue;
            };
            let texts = fields.into_iter().filter(|(_, value)| value.is_string());
            self.references.extend(texts.map(|(name, _)| name));
        }
    }

    fn take(&mut self, step: &Value, known: &BTreeSet<String>) {
        for inner in step["together"].as_array().into_iter().flatten() {
            self.take(inner, known);
        }
        if step["request"].is_string() {
            let mut request = step.clone();
            if let Some(fields) = request.as_object_mut() {
                for key in ["response", "save", "replies", "reply", "crash"] {
                    fields.remove(key);
                }
            }
            if has_only(&request, known) && !self.requests.contains(&request) {
                self.requests.push(request);
            }
        }
        push_text(&mut self.texts, &step["customer"], known);
        push_text(&mut self.senders, &step["from"], known);
        let mut rounds: Vec<&Value> = step["model"].as_array().into_iter().flatten().collect();
        while let Some(round) = rounds.pop() {
            rounds.extend(round["either"].as_array().into_iter().flatten());
            push_text(&mut self.sayings, &round["say"], known);
            let calls = match &round["call"] {
                Value::Array(calls) => calls.as_slice(),
                call => std::slice::from_ref(call),
            };
            for (tool, arguments) in calls.iter().filter_map(Value::as_object).flatten() {
                let seen = self.calls.entry(tool.clone()).or_default();
                if let Value::Object(arguments) = arguments
                    && !seen.contains(arguments)
                {
                    seen.push(arguments.clone());
                }
            }
        }
    }
}

fn push_text(texts: &mut Vec<String>, text: &Value, known: &BTreeSet<String>) {
    if let Value::String(words) = text
        && has_only(text, known)
        && !texts.contains(words)
    {
        texts.push(words.clone());
    }
}

/// Whether the templates in a value use known names only.
pub(super) fn has_only(value: &Value, known: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => names_in(text).all(|name| known.contains(name)),
        Value::Array(values) => values.iter().all(|value| has_only(value, known)),
        Value::Object(fields) => fields.values().all(|value| has_only(value, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The first word of each template in a text.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).map(|rest| {
        let rest = rest.trim_start_matches(['-', ' ']);
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}
