//! What is wrong with a file, independent of the backend.

use std::collections::BTreeSet;

use super::{
    Check, all_steps,
    names::{is_name, is_number, unknown_exchange},
};
use crate::{document::Document, expectation::Expect, model::File, places::YamlPath, step::Step};
use rehearse_core::yaml::YamlError;

/// What is wrong with a file, independent of the backend.
pub(crate) fn file_alone(file: &File) -> Vec<YamlError> {
    let mut check = Check::of(file);
    check.head(&file.document);
    check.each(&file.document);
    for (step, at) in all_steps(file) {
        step.check(&mut check, &at);
    }
    for (index, step) in file.document.steps.iter().enumerate() {
        if let Step::Customer(customer) = step
            && customer.repeat.is_some()
        {
            let at = YamlPath::new().to("steps").to(index).to("repeat");
            check.wrong_key(&at, "'repeat' is for the steps of 'together'");
        }
    }
    if let Some(always) = &file.document.always {
        check.exchanges(always, &YamlPath::new().to("always"));
    }
    check.errors
}

impl Check<'_> {
    fn head(&mut self, document: &Document) {
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

    fn each(&mut self, document: &Document) {
        let Some(entries) = &document.each else { return };
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

    /// The names of exchanges that an expectation counts.
    pub(crate) fn exchanges(&mut self, expect: &Expect, at: &YamlPath) {
        for name in expect.calls.keys() {
            if let Some(wrong) = unknown_exchange(name) {
                self.wrong_key(&at.to("calls").to(name.as_str()), wrong);
            }
        }
        let timed =
            expect.sms.iter().flat_map(|sms| sms.entries()).any(|text| text.within.is_some());
        if timed {
            let message =
                "'within' counts from a step's beginning: write it at the reply of a step";
            self.wrong(&at.to("sms"), message);
        }
    }
}
