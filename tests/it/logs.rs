//! A run of every scenario, logged at every level on both targets: no line has a phone number, a text, a
//! name or a secret that went through the run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{process::Finished, suite};

/// Values of `rehearse.toml` and of the settings of a run that nobody may read.
const SECRETS: [&str; 3] =
    ["00000000000000000000000000000000", "sk-rehearse", "rehearse-admin-token"];
/// Members of rows, arguments of tools and fields of forms that a person filled in.
const PERSONAL: [&str; 9] = [
    "customer_name",
    "name",
    "device",
    "address",
    "notes",
    "greeting",
    "special_info",
    "location",
    "words",
];
/// Shortest part of a text that is looked for: shorter ones are words of the log, too.
const SHORTEST_PART: usize = 14;

#[test]
fn no_line_of_functions_in_process_or_of_the_emulator_holds_anything_private() {
    let (report, ran) = suite::in_process();
    let report = read(&report);
    let lines: Vec<String> = lines_of(ran, &report);
    for expected in ["text received", "exchange began", "webhook called", "tool call"] {
        assert!(lines.iter().any(|line| line.contains(expected)), "{expected:?} is not logged");
    }
    Private::of(&report).look_for_in(&lines);
}

#[test]
fn no_line_of_functions_as_processes_holds_anything_private() {
    let report = read(&suite::in_processes().0);
    let mut lines = Vec::new();
    for entry in journals(&report).filter(|entry| entry["crossing"]["kind"] == "log") {
        lines.push(entry["crossing"]["line"].as_str().unwrap().to_owned());
    }
    assert!(lines.iter().any(|line| line.contains("text received")), "nothing is logged");
    Private::of(&report).look_for_in(&lines);
}

fn read(report: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap()
}

fn journals(report: &Value) -> impl Iterator<Item = &Value> {
    let scenarios = report["scenarios"].as_array().unwrap().iter();
    scenarios.flat_map(|scenario| scenario["journal"].as_array().unwrap())
}

/// What the program logged, without times, counters and the names of scenarios, whose author chose
/// them and may quote a text in them.
fn lines_of(ran: &Finished, report: &Value) -> Vec<String> {
    let noise = Regex::new(r"^\S+Z|\b(took_us|seq|wait_ms)=\d+").unwrap();
    let scenarios = report["scenarios"].as_array().unwrap().iter();
    let names: BTreeSet<String> =
        scenarios.map(|scenario| format!("{:?}", scenario["name"].as_str().unwrap())).collect();
    let span = Regex::new(r#"scenario\{name=("(?:[^"\\]|\\.)*")\}"#).unwrap();
    ran.err
        .lines()
        .map(|line| {
            let line = noise.replace_all(line, "");
            // What is no scenario's name stays, and is searched.
            let name = |found: &regex::Captures<'_>| {
                if names.contains(&found[1]) { String::new() } else { found[0].to_owned() }
            };
            span.replace_all(&line, name).into_owned()
        })
        .collect()
}

/// What no line may have.
#[derive(Default)]
struct Private {
    /// The last ten digits of phone numbers.
    phones: BTreeSet<String>,
    /// Parts of texts, long enough that no line has them by chance.
    parts: BTreeSet<String>,
    /// Names and other short values, which are looked for as whole words.
    values: BTreeSet<String>,
}

impl Private {
    /// What a report's journals say.
    fn of(report: &Value) -> Self {
        let mut private = Self::default();
        for entry in journals(report).filter(|entry| entry["crossing"]["kind"] != "log") {
            private.add(entry);
        }
        let counts = (private.phones.len(), private.parts.len(), private.values.len());
        assert!(counts.0 >= 5 && counts.1 >= 300 && counts.2 >= 10, "only {counts:?} were found");
        private
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(values) => {
                // Fields of a form are pairs.
                if let [Value::String(name), Value::String(value)] = values.as_slice() {
                    self.add_named(name, value);
                }
                values.iter().for_each(|value| self.add(value));
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    let text = value.as_str().or_else(|| value["S"].as_str());
                    if let Some(text) = text {
                        self.add_named(name, text);
                    }
                    self.add(value);
                }
            }
            _ => {}
        }
    }

    /// A value with what it stands for.
    fn add_named(&mut self, name: &str, text: &str) {
        let is_text = ["body", "Body", "user", "assistant", "content"].contains(&name);
        if PERSONAL.contains(&name) && (3..60).contains(&text.len()) && is_typed(text) {
            self.values.insert(text.to_owned());
        }
        if is_text || PERSONAL.contains(&name) {
            let parts = text.split(['.', '!', '?', '\n', ',', ':', ';', '"', '\\']);
            let parts = parts.map(str::trim);
            let long = parts.filter(|part| part.len() >= SHORTEST_PART && part.contains(' '));
            self.parts.extend(long.map(str::to_owned));
        }
    }

    fn add_text(&mut self, text: &str) {
        for (at, _) in text.match_indices("+1") {
            let digits: String =
                text[at + 2..].chars().take_while(char::is_ascii_digit).take(10).collect();
            if digits.len() == 10 {
                self.phones.insert(digits);
            }
        }
        // JSON within JSON: arguments of tools, bodies of requests.
        if text.starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Value>(text)
        {
            self.add(&inner);
        }
    }

    #[track_caller]
    fn look_for_in(&self, lines: &[String]) {
        let anywhere = self.phones.iter().chain(&self.parts).map(String::as_str).chain(SECRETS);
        let anywhere: Vec<String> = anywhere.map(regex::escape).collect();
        // One search for all of them: there are thousands, and more lines than that. With less room the
        // automaton is not built, and the search is many times slower.
        let search = |parts: &[String]| {
            let mut search = RegexBuilder::new(&parts.join("|"));
            search.size_limit(1 << 28).dfa_size_limit(1 << 28).build().unwrap()
        };
        let anywhere = search(&anywhere);
        let values: Vec<String> = self.values.iter().map(|value| regex::escape(value)).collect();
        let any_value = search(&values);
        let mut found: BTreeMap<String, &str> = BTreeMap::new();
        for line in lines.iter().collect::<BTreeSet<_>>() {
            let has_any = any_value.is_match(line);
            let words =
                self.values.iter().filter(|value| has_any && has_word(line, value)).cloned();
            let parts = anywhere.find_iter(line).map(|part| part.as_str().to_owned());
            for private in parts.chain(words) {
                found.entry(private).or_insert(line);
            }
        }
        let told: Vec<String> =
            found.iter().map(|(private, line)| format!("{private:?} in {line}")).collect();
        assert!(told.is_empty(), "{} lines:\n{}", told.len(), told.join("\n"));
    }
}

/// Whether a person typed it: not a word of this program, which its log may have.
fn is_typed(text: &str) -> bool {
    // What the shop calls a device that nobody named.
    text != "Unknown" && (text.starts_with(|c: char| c.is_uppercase()) || text.contains(' '))
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// The test above would find each kind.
#[test]
fn what_is_private_is_found_in_a_line() {
    let entry = serde_json::json!({
        "params": [["From", "+19042520927"], ["Body", "Is my screen ready? Call me please"]],
        "request": { "Item": { "customer_name": { "S": "Ann" } } },
        "arguments": "{\"device\":\"Pixel 8\",\"address\":\"1 Main Street\"}",
    });
    let mut private = Private::default();
    private.add(&entry);
    for leak in [
        "customer=9042520927",
        "said \"Call me please\"",
        "name=Ann",
        "device=\"Pixel 8\"",
        "at 1 Main Street now",
        "key sk-rehearse",
    ] {
        let look = || private.look_for_in(&[leak.to_owned()]);
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)).is_err(), "{leak}");
    }
    private.look_for_in(&["Annual report of ***27".to_owned()]);
}
