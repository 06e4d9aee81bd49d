//! What is wrong with a scenario for a backend: unknown names, rows that do not fit.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Check, all_steps,
    names::{is_number, unknown},
    reply_paths::{entry_path, replies_path},
};
use crate::{
    document::Given,
    expectation::Expect,
    model::{File, Scenario},
    places::YamlPath,
    read::LoadError,
    reply::Replies,
    run::names,
    step::{CrashRequest, RequestLine},
    time::Moment,
};
use rehearse_aws::{gateway, template::Template};
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
    /// Whether somebody else started it, so that it is reached by its URL alone.
    pub(crate) is_external: bool,
    /// The template, for its routes; none without an API.
    pub(crate) routes: Option<Template>,
}

impl KnownNames {
    /// What a backend offers.
    pub(crate) fn of(backend: &Backend) -> Self {
        Self {
            people: backend.settings().people.keys().cloned().collect(),
            tables: backend.template().tables.iter().map(|table| table.id.clone()).collect(),
            fixtures: backend.fixtures().map(str::to_owned).collect(),
            functions: backend.template().functions.iter().map(|f| f.id.clone()).collect(),
            is_external: backend.external_backend().is_some(),
            routes: Some(backend.template().clone())
                .filter(|template| template.functions.iter().any(|f| !f.routes.is_empty()))
                // What somebody else runs may have other routes.
                .filter(|_| backend.external_backend().is_none()),
        }
    }
}

/// What is wrong with the fixtures that scenarios name.
pub(crate) fn fixtures(scenarios: &[Scenario], backend: &Backend) -> Vec<LoadError> {
    let named: BTreeSet<&String> =
        scenarios.iter().flat_map(|scenario| scenario.fixtures(backend.settings())).collect();
    let known: Vec<&str> = backend.fixtures().collect();
    named
        .into_iter()
        .filter(|name| known.contains(&name.as_str()))
        .filter_map(|name| backend.fixture(name).err())
        .map(LoadError::File)
        .collect()
}

/// What is wrong with the settings' `[defaults]`.
pub(crate) fn defaults(backend: &Backend, known: &KnownNames) -> Vec<LoadError> {
    let defaults = &backend.settings().defaults;
    let now = defaults.now.as_ref().and_then(|now| Moment::parse(now).err());
    let mut wrong: Vec<String> = now.map(|why| format!("now: {why}")).into_iter().collect();
    for fixture in defaults.fixtures.iter().filter(|name| !known.fixtures.contains(name)) {
        wrong.push(format!("fixtures: {}", unknown("fixture", fixture, known.fixtures.iter())));
    }
    wrong.into_iter().map(LoadError::Defaults).collect()
}

/// What is wrong with the rows that a scenario gives.
pub(crate) fn rows(scenario: &Scenario, backend: &Backend) -> Vec<YamlError> {
    let file = scenario.file();
    // Wrong names and times are reported by other checks, or by running it.
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
    let own = file.document.people.keys().map(String::as_str);
    let people: BTreeSet<&str> = known.people.iter().map(String::as_str).chain(own).collect();
    let mut check = BackendCheck { check: Check::of(file), known, people };
    check.given(&file.document.given);
    if let Some(always) = &file.document.always {
        check.expectation(always, &YamlPath::new().to("always"));
    }
    for (step, at) in all_steps(file) {
        step.check_names(&mut check, &at);
    }
    let BackendCheck { mut check, people, .. } = check;
    let each = file.document.each.as_deref().unwrap_or_default();
    let values = each.iter().flat_map(|entry| entry.keys().cloned());
    check.templates(people.into_iter().map(str::to_owned).chain(values).collect());
    check.errors
}

/// Checks the names in a file against those of a backend.
pub(crate) struct BackendCheck<'f> {
    check: Check<'f>,
    known: &'f KnownNames,
    people: BTreeSet<&'f str>,
}

impl BackendCheck<'_> {
    fn given(&mut self, given: &Given) {
        for (index, fixture) in given.fixtures.iter().enumerate() {
            if !self.known.fixtures.contains(fixture) {
                let message = unknown("fixture", fixture, self.known.fixtures.iter());
                let at = YamlPath::new().to("given").to("fixtures").to(index);
                self.check.wrong(&at, message);
            }
        }
        for table in given.tables.keys() {
            self.table_key(table, &YamlPath::new().to("given").to("tables").to(table.as_str()));
        }
    }

    /// A table that is the key at the end of a path.
    fn table_key(&mut self, table: &String, at: &YamlPath) {
        if !self.known.tables.contains(table) {
            let message = if self.known.tables.is_empty() {
                format!("unknown table '{table}'; no template describes a table")
            } else {
                unknown("table", table, self.known.tables.iter())
            };
            self.check.wrong_key(at, message);
        }
    }

    /// A table that is the value at a path.
    pub(crate) fn table(&mut self, table: &String, at: &YamlPath) {
        if !self.known.tables.contains(table) {
            self.check.wrong(at, unknown("table", table, self.known.tables.iter()));
        }
    }

    /// The tables, people and functions of an expectation.
    pub(crate) fn expectation(&mut self, expect: &Expect, at: &YamlPath) {
        for call in expect.calls.keys() {
            let by_event = ["schedule.", "invocation."];
            let function = by_event.into_iter().find_map(|kind| call.strip_prefix(kind));
            // A count of a misspelt name would prove nothing.
            if let Some(function) =
                function.filter(|f| self.known.functions.iter().all(|known| known != f))
            {
                let message = unknown("function", function, self.known.functions.iter());
                self.check.wrong_key(&at.to("calls").to(call.as_str()), message);
            }
        }
        for table in expect.tables.keys() {
            self.table_key(table, &at.to("tables").to(table.as_str()));
        }
        if let Some(sms) = &expect.sms {
            self.reply_entries(sms, &at.to("sms"));
        }
    }

    /// The function of a step's crash.
    pub(crate) fn crash(&mut self, crash: Option<&CrashRequest>, at: &YamlPath) {
        if let Some(CrashRequest { function, .. }) = crash
            && !self.known.functions.contains(function)
        {
            let at = at.to("crash").to("function");
            self.check.wrong(&at, unknown("function", function, self.known.functions.iter()));
        }
    }

    /// The function that a step invokes.
    pub(crate) fn invoked(&mut self, function: &str, at: &YamlPath) {
        if self.known.is_external {
            let message = "a backend at a URL has no functions that can be invoked: give its template to \
                           rehearse and use --target lambda, or call a route of it with `request:`";
            self.check.wrong(at, message);
        } else if self.known.functions.is_empty() {
            let message =
                format!("unknown function '{function}'; no template describes a function");
            self.check.wrong(at, message);
        } else if self.known.functions.iter().all(|known| known != function) {
            self.check.wrong(at, unknown("function", function, self.known.functions.iter()));
        }
    }

    /// The route of a request: without one, the gateway answers by itself and no code is tested.
    pub(crate) fn route(&mut self, line: &RequestLine, at: &YamlPath) {
        let Some(template) = &self.known.routes else { return };
        let path = line.path.split('?').next().unwrap_or_default();
        // Where a template of the path leads is known when it runs.
        if path.contains("{{")
            || path.contains("{%")
            || gateway::serves(template, &line.method, path)
        {
            return;
        }
        let routes: Vec<String> = template
            .functions
            .iter()
            .flat_map(|function| &function.routes)
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        let asked = format!("{} {path}", line.method);
        let message = unknown("route", &asked, routes.iter())
            + "; a request that must find none expects its `status`";
        self.check.wrong(at, message);
    }

    /// The people of a step's replies, which are under `reply` or `replies`.
    pub(crate) fn replies(&mut self, replies: Option<&Replies>, at: &YamlPath) {
        if let Some(replies) = replies {
            let at = replies_path(self.check.tree, at);
            self.reply_entries(replies, &at);
        }
    }

    fn reply_entries(&mut self, replies: &Replies, at: &YamlPath) {
        for (index, reply) in replies.entries().iter().enumerate() {
            if let Some(to) = &reply.to {
                let entry = entry_path(self.check.tree, at, index);
                self.person(to, &entry.to("to"));
            }
        }
    }

    /// A person, by name or number.
    pub(crate) fn person(&mut self, name: &str, at: &YamlPath) {
        if !self.people.contains(name) && !is_number(name) && !name.contains("{{") {
            self.check.wrong(at, unknown("person", name, self.people.iter()));
        }
    }
}
