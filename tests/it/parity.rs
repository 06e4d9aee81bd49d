//! Both targets leave the same journal: what crosses a boundary does not depend on how functions run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::suite;

/// Why an exchange need not be on both sides, and which ones those are.
type Allowed = (&'static str, fn(&Value) -> bool);

/// There are no others.
const ALLOWED: [Allowed; 4] = [
    ("processes write their logs to the journal, functions in process to the terminal", |entry| {
        entry["crossing"]["kind"] == "log"
    }),
    ("every process fetches its secrets once, and after a crash there is a new process", |entry| {
        entry["crossing"]["kind"] == "secret"
    }),
    (
        "a claim is renewed while a turn takes real time, and a new process takes more of it",
        |entry| update(entry).starts_with("SET until_ms = :until"),
    ),
    (
        "an attempt looks until another one's lease is over, and the machine's speed says how often",
        |entry| {
            let refused = entry["outcome"]["error"] == "ConditionalCheckFailedException";
            let turn =
                entry["crossing"]["request"]["Key"]["item_id"]["S"].as_str().unwrap_or_default();
            let looks = entry["name"] == "dynamodb.GetItem" && turn.starts_with("turn#");
            looks || (refused && update(entry).starts_with("SET holder = :holder"))
        },
    ),
];

fn update(entry: &Value) -> &str {
    entry["crossing"]["request"]["UpdateExpression"].as_str().unwrap_or_default()
}

/// The exchanges of each step, in any order: a turn makes some of its calls at the same time.
type Steps = Vec<Vec<String>>;

#[test]
fn every_scenario_leaves_the_same_journal_on_both_targets() {
    let (in_process, races) = journals(&suite::in_process().0);
    let (processes, _) = journals(&suite::in_processes().0);
    let names = |all: &BTreeMap<String, Steps>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&in_process), names(&processes));
    assert!(in_process.len() > 100, "only {} scenarios", in_process.len());
    // Who wins a race is not decided; what everyone is told then is the scenario's own to check.
    assert!(races.len() < 15, "{races:?} cannot be compared");
    let mut wrong = String::new();
    for (name, one) in in_process.iter().filter(|(name, _)| !races.contains(*name)) {
        let other = &processes[name];
        for (step, (one, other)) in one.iter().zip(other).enumerate() {
            for (side, line) in difference(one, other) {
                wrong.push_str(&format!("{name}, step {step}, only {side}:\n  {line}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every scenario's journal in a report, and the scenarios with steps at the same time.
fn journals(report: &Path) -> (BTreeMap<String, Steps>, BTreeSet<String>) {
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let normal = Normal::new(report["started_at"].as_str().unwrap());
    let (mut all, mut races) = (BTreeMap::new(), BTreeSet::new());
    let timed = |scenario: &Value| {
        // How far a turn has come by its deadline or the end of its lease depends on the machine.
        scenario["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "timing"))
    };
    let scenarios = report["scenarios"].as_array().unwrap().iter();
    for scenario in scenarios.filter(|scenario| !timed(scenario)) {
        let name = scenario["name"].as_str().unwrap().to_owned();
        let mut steps = vec![Vec::new()];
        for entry in scenario["journal"].as_array().unwrap() {
            if entry["crossing"]["kind"] == "step" {
                steps.push(Vec::new());
                if entry["crossing"]["step"].as_str().unwrap().contains('.') {
                    races.insert(name.clone());
                }
            }
            if !ALLOWED.iter().any(|(_, allowed)| allowed(entry)) {
                steps.last_mut().unwrap().push(normal.line(entry));
            }
        }
        steps.iter_mut().for_each(|step| step.sort());
        all.insert(name, steps);
    }
    (all, races)
}

/// What only one of two sorted lists has.
fn difference<'a>(one: &'a [String], other: &'a [String]) -> Vec<(&'static str, &'a str)> {
    let only = |here: &'a [String], there: &[String], side| {
        let mut rest = there.to_vec();
        here.iter()
            .filter(|line| match rest.iter().position(|other| other == *line) {
                Some(place) => {
                    rest.remove(place);
                    false
                }
                None => true,
            })
            .map(|line| (side, line.as_str()))
            .collect::<Vec<_>>()
    };
    [only(one, other, "in process"), only(other, one, "on Lambda")].concat()
}

/// Takes away what no two runs have in common: random ids, ports, and the machine's clock.
struct Normal {
    rules: Vec<(Regex, &'static str)>,
    number: Regex,
    /// Seconds since 1970 when the run began; scenarios' own times are far from it.
    now: i64,
}

impl Normal {
    fn new(started: &str) -> Self {
        let rule = |pattern: &str, to| (Regex::new(pattern).unwrap(), to);
        Self {
            rules: vec![
                rule(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>"),
                rule(r"127\.0\.0\.1(:|%3A)\d+", "<address>"),
                rule(r"(LEAD-\d{8}-\d{6})-[0-9a-f]{6}", "$1-<id>"),
                rule(r"\b[0-9a-f]{32}\b", "<id>"),
                // Codes of the form's confirmation: in texts, in what confirms them, as digests.
                rule(r"(Your.code.is.)\d{6}", "${1}<code>"),
                rule(r#"(\\"code\\":\\"|&code=)\d{3} ?\d{3}"#, "${1}<code>"),
                rule(r#"("code_hash":(?:\{"S":)?")[0-9a-f]{64}"#, "${1}<digest>"),
                // What derives from the random key that a page gives with each of its forms.
                rule(r"form#[0-9a-f]{64}", "form#<digest>"),
                rule(r#"("(?:item_id|id)":(?:\{"S":)?")[0-9a-f]{64}"#, "${1}<digest>"),
                rule(r"[0-9a-f]{64}-<id>", "<hold>"),
                // Two texts that go out at the same time get their ids in any order.
                rule(r"\bSM[0-9a-f]{32}\b", "SM<id>"),
            ],
            number: Regex::new(r"\b\d{10}(\d{3})?\b").unwrap(),
            now: started.parse::<jiff::Timestamp>().unwrap().as_second(),
        }
    }

    fn line(&self, entry: &Value) -> String {
        let outcome = &entry["outcome"];
        let mut exchange = entry["crossing"].clone();
        if let Some(rows) = exchange.get_mut("rows").and_then(Value::as_array_mut) {
            // A table's rows come in the order of their keys, which may be random ids.
            let mut texts: Vec<String> = rows.iter().map(|row| self.text(row.clone())).collect();
            texts.sort();
            *rows = texts.into_iter().map(Value::String).collect();
        }
        self.text(serde_json::json!([
            entry["name"],
            entry["at"],
            exchange,
            outcome["status"],
            outcome["error"],
            outcome["answer"],
        ]))
    }

    fn text(&self, mut value: Value) -> String {
        value.sort_all_objects();
        let mut text = value.to_string();
        for (pattern, to) in &self.rules {
            text = pattern.replace_all(&text, *to).into_owned();
        }
        let day = 86_400;
        let wall = |found: &regex::Captures<'_>| {
            let seconds: i64 = found[0][..10].parse().unwrap();
            if (self.now - day..self.now + 30 * day).contains(&seconds) {
                "<wall>".to_owned()
            } else {
                found[0].to_owned()
            }
        };
        self.number.replace_all(&text, wall).into_owned()
    }
}
