//! What is wrong with a scenario, whatever the backend.

use std::collections::BTreeSet;

use super::{
    Check,
    names::{
        impossible, invalid_crash, invalid_fault, invalid_meeting, is_name, is_number,
        unknown_exchange,
    },
};
use crate::{
    expectation::Expect,
    model::File,
    places::YamlPath,
    step::{Crash, Customer, Fault, Request, Step},
};
use rehearse_core::{matcher, yaml::YamlError};
use rehearse_openai::Round;

/// What is wrong with a file, whatever the backend.
pub(crate) fn file_alone(file: &File) -> Vec<YamlError> {
    let mut check = Check { file, errors: Vec::new() };
    check.head();
    check.each();
    check.steps(&mut |check, step, at| check.shape(step, at));
    if let Some(always) = &file.document.always {
        check.exchanges(always, &YamlPath::new().to("always"));
    }
    check.errors
}

impl Check<'_> {
    fn head(&mut self) {
        let document = &self.file.document;
        if document.name.trim().is_empty() {
            self.wrong(&YamlPath::new().to("name"), "a scenario needs a name");
        }
        if document.steps.is_empty() {
            self.wrong(&YamlPath::new().to("steps"), "a scenario needs at least one step");
        }
        for (name, number) in &document.people {
            if !is_number(number) {
                let message = format!("'{number}' is not a number such as +15550100001");
                self.wrong(&YamlPath::new().to("people").to(name.as_str()), message);
            }
            if !is_name(name) {
                let message = format!(
                    "'{name}' cannot be a name: letters, digits and underscores, a letter first"
                );
                self.wrong_key(&YamlPath::new().to("people").to(name.as_str()), message);
            }
        }
    }

    fn each(&mut self) {
        let Some(entries) = &self.file.document.each else { return };
        if entries.is_empty() {
            self.wrong(&YamlPath::new().to("each"), "'each' needs at least one entry");
        }
        let names = |entry: &serde_json::Map<String, serde_json::Value>| {
            entry.keys().cloned().collect::<BTreeSet<_>>()
        };
        let first = entries.first().map(names).unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            let at = YamlPath::new().to("each").to(index);
            if entry.is_empty() {
                self.wrong(&at, "an entry of 'each' needs at least one value");
            } else if names(entry) != first {
                let all: Vec<_> = first.iter().map(String::as_str).collect();
                let message =
                    format!("every entry of 'each' has the same names: {}", all.join(", "));
                self.wrong(&at, message);
            } else if entries[..index].contains(entry) {
                self.wrong(&at, "this entry of 'each' is there already");
            }
        }
    }

    /// Where a function ends: at one of its own calls, and in one way.
    fn crash_of(&mut self, crash: Option<&Crash>, at: &YamlPath) {
        let Some(crash) = crash else { return };
        let at = at.to("crash");
        match crash.place() {
            None => self.wrong(&at, "say where it ends: one of before, after and timeout"),
            Some((key, on, ..)) => {
                if let Some(wrong) = invalid_crash(on) {
                    self.wrong(&at.to(key), wrong);
                }
            }
        }
        if crash.attempt == Some(0) {
            self.wrong(&at.to("attempt"), "attempts are counted from 1");
        }
    }

    /// What holds between the keys of one step.
    fn shape(&mut self, step: &Step, at: &YamlPath) {
        let below = |key: &str| at.to(key);
        match step {
            Step::Customer(step) => {
                self.customer(step, at);
                self.crash_of(step.crash.as_ref(), at);
            }
            Step::Request(step) => {
                self.request(step, at);
                self.crash_of(step.crash.as_ref(), at);
            }
            Step::Expect(step) => {
                if step.expect == Expect::default() {
                    self.wrong(&below("expect"), "say what is expected: tables, sms, calls, cost");
                }
                self.exchanges(&step.expect, &below("expect"));
            }
            Step::Together(step) => {
                if step.together.len() < 2 {
                    self.wrong(&below("together"), "a group needs at least two steps");
                }
                if step.schedules == Some(0) {
                    self.wrong(&below("schedules"), "'schedules' is at least 1");
                }
                if let Some(wrong) = step.meet.as_ref().and_then(|meet| invalid_meeting(&meet.on)) {
                    let on = below("meet").to("on");
                    let at = if self.file.tree.contains(&on) { on } else { below("meet") };
                    self.wrong(&at, wrong);
                }
                for (index, inner) in step.together.iter().enumerate() {
                    if !matches!(inner, Step::Customer(_) | Step::Request(_)) {
                        let at = at.to("together").to(index);
                        self.wrong(&at, "only customer and request steps can be together");
                    }
                }
            }
            Step::Faults(step) => {
                if step.faults.is_empty() {
                    self.wrong(&below("faults"), "say which calls fail, and how");
                }
                for (index, fault) in step.faults.iter().enumerate() {
                    self.fault(fault, &at.to("faults").to(index));
                }
            }
            Step::Wait(_) | Step::At(_) => {}
        }
    }

    fn fault(&mut self, fault: &Fault, at: &YamlPath) {
        let database = fault.on.starts_with("dynamodb.");
        if let Some(wrong) = invalid_fault(&fault.on) {
            self.wrong(&at.to("on"), wrong);
        } else if let Some(database_fault) =
            fault.fail.0.database_fault.filter(|q| !q.can_happen_to(&fault.on))
        {
            self.wrong(&at.to("fail"), impossible(database_fault, &fault.on));
        }
        for (name, given) in [("table", fault.table.is_some()), ("key", !fault.key.is_empty())] {
            if given && !database {
                self.wrong_key(
                    &at.to(name),
                    "only calls to the database are chosen by table and key",
                );
            }
        }
        for (name, number) in [("times", fault.times), ("call", fault.call)] {
            if number == Some(0) {
                self.wrong(&at.to(name), format!("'{name}' is at least 1"));
            }
        }
        if fault.call.is_some() && (fault.skip > 0 || fault.times.is_some()) {
            let message = "'call' is one call: 'skip' and 'times' choose others";
            self.wrong_key(&at.to("call"), message);
        }
    }

    fn customer(&mut self, step: &Customer, at: &YamlPath) {
        let below = |key: &str| at.to(key);
        if step.text.as_deref().is_none_or(str::is_empty) && step.media.is_empty() {
            self.wrong(&below("customer"), "a text without pictures needs words");
        }
        if step.duplicate.is_some_and(|d| d.times < 2) {
            let at = at.to("duplicate").to("times");
            self.wrong(&at, "'times' counts all deliveries, so it is at least 2");
        }
        if step.signature.is_some() && step.model.is_some() {
            self.wrong(&below("model"), "a text that nobody signed must not reach the model");
        }
        let Some(rounds) = &step.model else { return };
        if rounds.is_empty() {
            self.wrong(
                &below("model"),
                "a script needs at least one round; without 'model' the model must not be asked",
            );
        }
        for (index, pair) in rounds.windows(2).enumerate() {
            if is_final(&pair[0]) {
                let at = at.to("model").to(index + 1);
                self.wrong(&at, "no request can reach this round: the one before it ends the turn");
            }
        }
    }

    fn request(&mut self, step: &Request, at: &YamlPath) {
        let bodies = [
            ("json", step.json.is_some()),
            ("form", step.form.is_some()),
            ("body", step.body.is_some()),
        ];
        let given: Vec<&str> = bodies.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("a request has one body: '{first}' or '{second}'");
            self.wrong_key(&at.to(*second), message);
        }
        for (name, path) in &step.save {
            let at = at.to("save").to(name.as_str());
            if let Err(error) = path.parse::<matcher::Path>() {
                self.wrong(&at, error.to_string());
            } else if !["status", "headers", "json", "text"]
                .contains(&path.split(['.', '[']).next().unwrap_or_default())
            {
                self.wrong(&at, "a path begins with status, headers, json or text");
            }
        }
    }

    fn exchanges(&mut self, expect: &Expect, at: &YamlPath) {
        for name in expect.calls.keys() {
            if let Some(wrong) = unknown_exchange(name) {
                self.wrong_key(&at.to("calls").to(name.as_str()), wrong);
            }
        }
    }
}

/// Whether no request can follow a round in the same turn.
fn is_final(round: &Round) -> bool {
    round.say.is_some()
        && round.call.is_empty()
        && round.raw_call.is_empty()
        && round.fail.is_none()
}
