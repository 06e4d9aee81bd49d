//! What explorations are made of: parts of scenarios, and what their journals show of the backend.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{Scenario, sweep::InjectionKind};
use rehearse_core::{
    faults,
    journal::{Exchange, ExchangeDetail},
};

/// Names in templates that are there without a step that saves them, beside those of people.
const ALWAYS_KNOWN: [&str; 3] = ["day", "env", "shop"];

/// How long a slow call takes where nothing else is said, in milliseconds.
const DEFAULT_SLOW_MS: u64 = 2_000;

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
    /// Names of texts that a tool's results have, by tool.
    pub(super) results: BTreeMap<String, BTreeSet<String>>,
    /// Calls that can fail, each with how.
    pub(super) failures: BTreeSet<(String, InjectionKind)>,
    /// How long a slow call takes, in milliseconds.
    pub slow_ms: u64,
    /// Whether the backend keeps its own time and environment, as one that somebody else started does.
    pub has_own_time: bool,
}

impl Ingredients {
    /// The parts of scenarios; `people` are those that all scenarios know.
    pub fn of<'p>(scenarios: &[Scenario], people: impl IntoIterator<Item = &'p str>) -> Self {
        let mut all = Self { slow_ms: DEFAULT_SLOW_MS, ..Self::default() };
        let everywhere: BTreeSet<String> =
            people.into_iter().chain(ALWAYS_KNOWN).map(str::to_owned).collect();
        for scenario in scenarios {
            // It was read before.
            let Ok(Value::Object(document)) = scenario.file().source.parse::<Value>() else {
                continue;
            };
            let mut known = everywhere.clone();
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

    /// What a journal shows: which tools there are, what their results have, and which calls can fail. What
    /// several show is the same in whatever order they are learned.
    pub fn learn(&mut self, journal: &[Exchange]) {
        for exchange in journal {
            let can_fail = faults::NAMES.contains(&exchange.name.as_str());
            for (_, kind) in InjectionKind::ALL.into_iter().filter(|_| can_fail) {
                let is_possible = kind.is_possible_for(&exchange.name);
                if is_possible && !kind.is_crash() && kind != InjectionKind::Duplicate {
                    self.failures.insert((exchange.name.clone(), kind));
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
                let schema = &function["parameters"];
                let known = self.tools.entry(name.to_owned()).or_insert_with(|| schema.clone());
                // Of several schemas one is taken, whichever comes first.
                let (other, first) = (schema.to_string(), known.to_string());
                if other < first {
                    known.clone_from(schema);
                }
            }
        }
        let list = |key: &str| request[key].as_array().into_iter().flatten();
        // The tool of each call. Chat Completions has calls within messages, Responses beside them.
        let mut called: BTreeMap<&str, &str> = BTreeMap::new();
        for item in list("input") {
            if let (Some(id), Some(name)) = (item["call_id"].as_str(), item["name"].as_str()) {
                called.insert(id, name);
            }
        }
        for call in list("messages").flat_map(|message| message["tool_calls"].as_array()).flatten()
        {
            if let (Some(id), Some(name)) = (call["id"].as_str(), call["function"]["name"].as_str())
            {
                called.insert(id, name);
            }
        }
        for item in list("input").chain(list("messages")) {
            let id = item["call_id"].as_str().or_else(|| item["tool_call_id"].as_str());
            let output = item["output"].as_str().or_else(|| item["content"].as_str());
            let Some(tool) = id.and_then(|id| called.get(id)) else { continue };
            let Some(Ok(Value::Object(fields))) = output.map(serde_json::from_str) else {
                continue;
            };
            let texts = fields.into_iter().filter(|(_, value)| value.is_string());
            let results = self.results.entry((*tool).to_owned()).or_default();
            results.extend(texts.map(|(name, _)| name));
        }
    }

    /// Names that the results of a tool may have and that an argument of some tool may take up.
    pub(super) fn references(&self, tool: &str) -> Vec<&str> {
        let takes =
            |name: &str| self.tools.values().any(|schema| schema["properties"][name].is_object());
        let results = self.results.get(tool).into_iter().flatten();
        results.map(String::as_str).filter(|name| takes(name)).collect()
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
        Value::String(text) => {
            !text.contains("{%") && templates(text).all(|inside| is_filled(inside, known))
        }
        Value::Array(values) => values.iter().all(|value| has_only(value, known)),
        Value::Object(fields) => fields.values().all(|value| has_only(value, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What stands in the templates of a text.
fn templates(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or(rest).trim())
}

/// Whether a template is a known name, a part of one, or a day by its number.
fn is_filled(template: &str, known: &BTreeSet<String>) -> bool {
    if let Some(day) = template.strip_prefix("day(").and_then(|rest| rest.strip_suffix(')')) {
        return day.parse::<i64>().is_ok();
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let name = template.split('.').next().unwrap_or(template);
    template.chars().all(is_name) && name != "day" && known.contains(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_templates_that_can_be_filled_in_are_taken() {
        let known = BTreeSet::from(["env".to_owned(), "day".to_owned(), "ann".to_owned()]);
        for (text, taken) in [
            ("plain { text }", true),
            ("{{ ann }} and {{ env.TOKEN }}", true),
            ("{{ day(-1) }}", true),
            ("{{ day(n) }}", false),
            ("{{ ref }}", false),
            ("{{ ann", true),
            ("{{ ann | upper }}", false),
            ("{% if ann %}", false),
        ] {
            assert_eq!(has_only(&json!([{ "a": text }]), &known), taken, "{text}");
        }
    }

    #[test]
    fn results_are_those_of_their_tool_and_references_are_what_arguments_take_up() {
        let responses = json!({
            "tools": [{ "name": "cancel", "parameters": { "properties": { "id": {} } } }],
            "input": [
                { "type": "function_call", "call_id": "1", "name": "book" },
                { "type": "function_call_output", "call_id": "1",
                  "output": r#"{"id":"a","message":"done","count":1}"# },
            ],
        });
        let chat = json!({
            "tools": [{ "function": { "name": "cancel", "parameters": { "properties": { "id": {} } } } }],
            "messages": [
                { "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "book" } }] },
                { "role": "tool", "tool_call_id": "1", "content": r#"{"id":"a","message":"done"}"# },
            ],
        });
        for request in [responses, chat] {
            let mut all = Ingredients::default();
            all.learn_request(&request);
            assert_eq!(all.references("book"), ["id"], "{request}");
            assert!(all.references("cancel").is_empty());
        }
    }
}
