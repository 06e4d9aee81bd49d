//! What is wrong with a scenario for a backend: names that it does not know, rows that do not fit.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Check, entry_path,
    names::{is_number, unknown},
    replies_path,
};
use crate::{
    expectation::Expect,
    model::{File, Scenario},
    places::YamlPath,
    read::LoadError,
    reply::Reply,
    run::names,
    step::{Crash, Step},
};
use rehearse_core::yaml::YamlError;
use rehearse_dynamodb::row;
use rehearse_world::Backend;

/// What a backend offers to scenarios.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    /// People that every scenario knows.
    pub(crate) people: BTreeSet<String>,
    /// Logical ids of tables.
    pub(crate) tables: Vec<String>,
    /// Names of fixtures.
    pub(crate) fixtures: Vec<String>,
    /// Logical ids of functions.
    pub(crate) functions: Vec<String>,
}

impl KnownNames {
    /// What a backend offers.
    pub(crate) fn of(backend: &Backend) -> Self {
        Self {
            people: backend.settings().people.keys().cloned().collect(),
            tables: backend.template().tables.iter().map(|table| table.id.clone()).collect(),
            fixtures: backend.fixtures().map(str::to_owned).collect(),
            functions: backend.template().functions.iter().map(|f| f.id.clone()).collect(),
        }
    }
}

/// What is wrong with the fixtures that scenarios name.
pub(crate) fn fixtures(scenarios: &[Scenario], backend: &Backend) -> Vec<LoadError> {
    let named: BTreeSet<&String> =
        scenarios.iter().flat_map(|scenario| &scenario.given().fixtures).collect();
    let known: Vec<&str> = backend.fixtures().collect();
    named
        .into_iter()
        .filter(|name| known.contains(&name.as_str()))
        .filter_map(|name| backend.fixture(name).err())
        .map(LoadError::File)
        .collect()
}

/// What is wrong with the rows that a scenario gives.
pub(crate) fn rows(scenario: &Scenario, backend: &Backend) -> Vec<YamlError> {
    let file = scenario.file();
    // What is wrong with names and times is told elsewhere, or by running it.
    let Ok(names) = names(scenario, backend.settings(), None) else { return Vec::new() };
    let mut errors = Vec::new();
    for (id, rows) in &scenario.given().tables {
        let Some(table) = backend.template().tables.iter().find(|t| t.id == *id) else { continue };
        let mut seen: Vec<Vec<String>> = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let at = YamlPath::new().to("given").to("tables").to(id.as_str()).to(index);
            let Ok(row) = names.vars.render(&Value::Object(row.clone())) else { continue };
            let key = row::key_text(table, &row);
            if let Err(error) = row::check(table, &row) {
                let at = error.attribute().map_or(at.clone(), |name| at.to(name));
                errors.push(file.source.error(file.tree.locate(&at), error.to_string()));
            } else if seen.contains(&key) {
                let message = format!("key {} of {id} is given twice", key.join(" / "));
                errors.push(file.source.error(file.tree.locate(&at), message));
            }
            seen.push(key);
        }
    }
    errors
}

/// What is wrong with a file for a backend.
pub(crate) fn for_backend(file: &File, known: &KnownNames) -> Vec<YamlError> {
    let mut check = Check { file, errors: Vec::new() };
    let people: BTreeSet<&str> = known
        .people
        .iter()
        .map(String::as_str)
        .chain(file.document.people.keys().map(String::as_str))
        .collect();
    check.given(known);
    if let Some(always) = &file.document.always {
        check.expectation(always, known, &people, &YamlPath::new().to("always"));
    }
    check.steps(&mut |check, step, at| check.named(step, known, &people, at));
    check.templates(&people);
    check.errors
}

impl Check<'_> {
    fn given(&mut self, known: &KnownNames) {
        let given = &self.file.document.given;
        for (index, fixture) in given.fixtures.iter().enumerate() {
            if !known.fixtures.contains(fixture) {
                let message = unknown("fixture", fixture, known.fixtures.iter());
                self.wrong(&YamlPath::new().to("given").to("fixtures").to(index), message);
            }
        }
        for table in given.tables.keys() {
            self.table(table, known, &YamlPath::new().to("given").to("tables").to(table.as_str()));
        }
    }

    fn table(&mut self, table: &String, known: &KnownNames, at: &YamlPath) {
        if !known.tables.contains(table) {
            let message = if known.tables.is_empty() {
                format!("unknown table '{table}'; no template describes a table")
            } else {
                unknown("table", table, known.tables.iter())
            };
            self.wrong_key(at, message);
        }
    }

    fn table_value(&mut self, table: &String, known: &KnownNames, at: &YamlPath) {
        if !known.tables.contains(table) {
            self.wrong(at, unknown("table", table, known.tables.iter()));
        }
    }

    fn expectation(
        &mut self,
        expect: &Expect,
        known: &KnownNames,
        people: &BTreeSet<&str>,
        at: &YamlPath,
    ) {
        for table in expect.tables.keys() {
            self.table(table, known, &at.to("tables").to(table.as_str()));
        }
        let replies = expect.sms.as_ref().map(|sms| sms.entries()).unwrap_or_default();
        self.replies(replies, people, &at.to("sms"));
    }

    /// People and tables that a step names.
    fn named(&mut self, step: &Step, known: &KnownNames, people: &BTreeSet<&str>, at: &YamlPath) {
        let below = |key: &str| at.to(key);
        match step {
            Step::Request(step) => self.crash(step.crash.as_ref(), known, at),
            Step::Customer(step) => {
                self.crash(step.crash.as_ref(), known, at);
                if let Some(from) = &step.from {
                    self.person(from, people, &below("from"));
                }
                if let Some(replies) = &step.replies {
                    self.replies(replies.entries(), people, &self.list_path(at));
                }
            }
            Step::Faults(step) => {
                for (index, fault) in step.faults.iter().enumerate() {
                    if let Some(table) = &fault.table {
                        let at = at.to("faults").to(index).to("table");
                        self.table_value(table, known, &at);
                    }
                }
            }
            Step::Together(step) => {
                if let Some(table) = step.meet.as_ref().and_then(|meet| meet.table.as_ref()) {
                    self.table_value(table, known, &below("meet").to("table"));
                }
                if let Some(replies) = &step.replies {
                    self.replies(replies.entries(), people, &self.list_path(at));
                }
            }
            Step::Expect(step) => {
                self.expectation(&step.expect, known, people, &below("expect"));
            }
            _ => {}
        }
    }

    fn crash(&mut self, crash: Option<&Crash>, known: &KnownNames, at: &YamlPath) {
        if let Some(Crash { function, .. }) = crash
            && !known.functions.contains(function)
        {
            let at = at.to("crash").to("function");
            self.wrong(&at, unknown("function", function, known.functions.iter()));
        }
    }

    /// Where a step's replies stand: under `reply` or `replies`.
    fn list_path(&self, at: &YamlPath) -> YamlPath {
        replies_path(&self.file.tree, at)
    }

    fn replies(&mut self, replies: &[Reply], people: &BTreeSet<&str>, at: &YamlPath) {
        for (index, reply) in replies.iter().enumerate() {
            if let Some(to) = &reply.to {
                let entry = entry_path(&self.file.tree, at, index);
                self.person(to, people, &entry.to("to"));
            }
        }
    }

    fn person(&mut self, name: &str, people: &BTreeSet<&str>, at: &YamlPath) {
        if !people.contains(name) && !is_number(name) && !name.contains("{{") {
            self.wrong(at, unknown("person", name, people.iter()));
        }
    }
}
