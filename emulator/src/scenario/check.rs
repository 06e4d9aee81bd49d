//! What a parser cannot see: whether a scenario makes sense, alone and for a backend.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    expectation::Expect,
    model::{File, Scenario},
    places::{Node, Trail},
    read::LoadError,
    reply::Reply,
    run::names,
    step::{Customer, Request, Step},
};
use crate::{dynamodb::row, matcher, openai::Round, world::Backend, yaml::YamlError};

/// What a backend offers to scenarios.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// People that every scenario knows.
    pub(super) people: BTreeSet<String>,
    /// Logical ids of tables.
    pub(super) tables: Vec<String>,
    /// Names of fixtures.
    pub(super) fixtures: Vec<String>,
}

impl Known {
    /// What a backend offers.
    pub(super) fn of(backend: &Backend) -> Self {
        Self {
            people: backend.settings().people.keys().cloned().collect(),
            tables: backend.template().tables.iter().map(|table| table.id.clone()).collect(),
            fixtures: backend.fixtures().map(str::to_owned).collect(),
        }
    }
}

/// What is wrong with the fixtures that scenarios name.
pub(super) fn fixtures(scenarios: &[Scenario], backend: &Backend) -> Vec<LoadError> {
    let named: BTreeSet<&String> =
        scenarios.iter().flat_map(|scenario| &scenario.given().fixtures).collect();
    let known: Vec<&str> = backend.fixtures().collect();
    named
        .into_iter()
        .filter(|name| known.contains(&name.as_str()))
        .filter_map(|name| backend.fixture(name).err())
        .map(LoadError::Fixture)
        .collect()
}

/// What is wrong with the rows that a scenario gives.
pub(super) fn rows(scenario: &Scenario, backend: &Backend) -> Vec<YamlError> {
    let file = scenario.file();
    // What is wrong with names and times is told elsewhere, or by running it.
    let Ok(names) = names(scenario, backend.settings()) else { return Vec::new() };
    let mut errors = Vec::new();
    for (id, rows) in &scenario.given().tables {
        let Some(table) = backend.template().tables.iter().find(|t| t.id == *id) else { continue };
        for (index, row) in rows.iter().enumerate() {
            let at = Trail::new().to("given").to("tables").to(id.as_str()).to(index);
            let Ok(row) = names.vars.render(&Value::Object(row.clone())) else { continue };
            if let Err(error) = row::check(table, &row) {
                let at = error.attribute().map_or(at.clone(), |name| at.to(name));
                errors.push(file.source.error(file.tree.locate(&at), error.to_string()));
            }
        }
    }
    errors
}

/// Beginnings of the names that crossings have in the journal; the first ones can fail.
const CROSSINGS: [&str; 6] = ["openai.", "twilio.", "dynamodb.", "webhook.", "http.", "sms."];
const FALLIBLE: &[&str] = CROSSINGS.split_at(4).0;

/// What is wrong with a file, whatever the backend.
pub(super) fn alone(file: &File) -> Vec<YamlError> {
    let mut check = Check { file, errors: Vec::new() };
    check.head();
    check.each();
    check.steps(&mut |check, step, at| check.shape(step, at));
    if let Some(always) = &file.document.always {
        check.crossings(always, &Trail::new().to("always"));
    }
    check.errors
}

/// What is wrong with a file for a backend.
pub(super) fn against(file: &File, known: &Known) -> Vec<YamlError> {
    let mut check = Check { file, errors: Vec::new() };
    let people: BTreeSet<&str> = known
        .people
        .iter()
        .map(String::as_str)
        .chain(file.document.people.keys().map(String::as_str))
        .collect();
    check.given(known);
    if let Some(always) = &file.document.always {
        check.expectation(always, known, &people, &Trail::new().to("always"));
    }
    check.steps(&mut |check, step, at| check.named(step, known, &people, at));
    check.templates(&people);
    check.errors
}

/// The names that the steps of a file save.
fn saved(file: &File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    file.tree.keys(&mut |key, _, node| {
        if key == "save" {
            names.extend(node.own_keys().map(str::to_owned));
        }
    });
    names
}

struct Check<'f> {
    file: &'f File,
    errors: Vec<YamlError>,
}

impl Check<'_> {
    fn wrong(&mut self, path: &Trail, message: impl Into<String>) {
        let at = self.file.tree.locate(path);
        self.errors.push(self.file.source.error(at, message));
    }

    fn wrong_key(&mut self, path: &Trail, message: impl Into<String>) {
        let at = self.file.tree.locate_key(path);
        self.errors.push(self.file.source.error(at, message));
    }

    /// Calls `visit` with every step and its path, those of groups too.
    fn steps(&mut self, visit: &mut dyn FnMut(&mut Self, &Step, &Trail)) {
        let file = self.file;
        for (index, step) in file.document.steps.iter().enumerate() {
            let at = Trail::new().to("steps").to(index);
            visit(self, step, &at);
            if let Step::Together(group) = step {
                for (inner, step) in group.together.iter().enumerate() {
                    visit(self, step, &Trail::new().to("steps").to(index).to("together").to(inner));
                }
            }
        }
    }

    fn head(&mut self) {
        let document = &self.file.document;
        if document.name.trim().is_empty() {
            self.wrong(&Trail::new().to("name"), "a scenario needs a name");
        }
        if document.steps.is_empty() {
            self.wrong(&Trail::new().to("steps"), "a scenario needs at least one step");
        }
        for (name, number) in &document.people {
            if !is_number(number) {
                let message = format!("'{number}' is not a number such as +15550100001");
                self.wrong(&Trail::new().to("people").to(name.as_str()), message);
            }
            if !is_name(name) {
                let message = format!(
                    "'{name}' cannot be a name: letters, digits and underscores, a letter first"
                );
                self.wrong_key(&Trail::new().to("people").to(name.as_str()), message);
            }
        }
    }

    fn each(&mut self) {
        let Some(entries) = &self.file.document.each else { return };
        if entries.is_empty() {
            self.wrong(&Trail::new().to("each"), "'each' needs at least one entry");
        }
        let names = |entry: &serde_json::Map<String, serde_json::Value>| {
            entry.keys().cloned().collect::<BTreeSet<_>>()
        };
        let first = entries.first().map(names).unwrap_or_default();
        for (index, entry) in entries.iter().enumerate() {
            let at = Trail::new().to("each").to(index);
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

    /// What holds between the keys of one step.
    fn shape(&mut self, step: &Step, at: &Trail) {
        let below = |key: &str| at.to(key);
        match step {
            Step::Customer(step) => self.customer(step, at),
            Step::Request(step) => self.request(step, at),
            Step::Expect(step) => {
                if step.expect == Expect::default() {
                    self.wrong(&below("expect"), "say what is expected: tables, sms, calls, cost");
                }
                self.crossings(&step.expect, &below("expect"));
            }
            Step::Together(step) => {
                if step.together.len() < 2 {
                    self.wrong(&below("together"), "a group needs at least two steps");
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
                    let at = at.to("faults").to(index);
                    if !is_crossing(&fault.on, FALLIBLE) {
                        self.wrong(&at.to("on"), unknown_fault(&fault.on));
                    }
                    if fault.times == Some(0) {
                        self.wrong(&at.to("times"), "'times' is at least 1");
                    }
                }
            }
            Step::Wait(_) | Step::At(_) => {}
        }
    }

    fn customer(&mut self, step: &Customer, at: &Trail) {
        let below = |key: &str| at.to(key);
        if step.text.as_deref().is_none_or(|text| text.trim().is_empty()) && step.media.is_empty() {
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

    fn request(&mut self, step: &Request, at: &Trail) {
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

    fn crossings(&mut self, expect: &Expect, at: &Trail) {
        for name in expect.calls.keys().filter(|name| !is_crossing(name, &CROSSINGS)) {
            let at = at.to("calls").to(name.as_str());
            self.wrong_key(&at, unknown_crossing(name));
        }
    }

    fn given(&mut self, known: &Known) {
        let given = &self.file.document.given;
        for (index, fixture) in given.fixtures.iter().enumerate() {
            if !known.fixtures.contains(fixture) {
                let message = unknown("fixture", fixture, known.fixtures.iter());
                self.wrong(&Trail::new().to("given").to("fixtures").to(index), message);
            }
        }
        for table in given.tables.keys() {
            self.table(table, known, &Trail::new().to("given").to("tables").to(table.as_str()));
        }
    }

    fn table(&mut self, table: &String, known: &Known, at: &Trail) {
        if !known.tables.contains(table) {
            self.wrong_key(at, unknown("table", table, known.tables.iter()));
        }
    }

    fn expectation(&mut self, expect: &Expect, known: &Known, people: &BTreeSet<&str>, at: &Trail) {
        for table in expect.tables.keys() {
            self.table(table, known, &at.to("tables").to(table.as_str()));
        }
        let replies = expect.sms.as_ref().map(|sms| sms.entries()).unwrap_or_default();
        self.replies(replies, people, &at.to("sms"));
    }

    /// People and tables that a step names.
    fn named(&mut self, step: &Step, known: &Known, people: &BTreeSet<&str>, at: &Trail) {
        let below = |key: &str| at.to(key);
        match step {
            Step::Customer(step) => {
                if let Some(from) = &step.from {
                    self.person(from, people, &below("from"));
                }
                if let Some(replies) = &step.replies {
                    self.replies(replies.entries(), people, &self.list_path(at));
                }
            }
            Step::Together(step) => {
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

    /// Where a step's replies stand: under `reply` or `replies`.
    fn list_path(&self, at: &Trail) -> Trail {
        replies_path(&self.file.tree, at)
    }

    fn replies(&mut self, replies: &[Reply], people: &BTreeSet<&str>, at: &Trail) {
        for (index, reply) in replies.iter().enumerate() {
            if let Some(to) = &reply.to {
                let entry = entry_path(&self.file.tree, at, index);
                self.person(to, people, &entry.to("to"));
            }
        }
    }

    fn person(&mut self, name: &str, people: &BTreeSet<&str>, at: &Trail) {
        if !people.contains(name) && !is_number(name) && !name.contains("{{") {
            self.wrong(at, unknown("person", name, people.iter()));
        }
    }

    /// Every template of the file: whether it can be read, and whether its names exist.
    fn templates(&mut self, people: &BTreeSet<&str>) {
        let mut known: BTreeSet<String> = people.iter().map(ToString::to_string).collect();
        known.insert("shop".into());
        known.extend(saved(self.file));
        let each = self.file.document.each.as_deref().unwrap_or_default();
        known.extend(each.iter().flat_map(|entry| entry.keys().cloned()));
        let environment = minijinja::Environment::new();
        let Self { file, errors } = self;
        file.tree.texts(&mut |text, at| {
            if !text.contains("{{") && !text.contains("{%") {
                return;
            }
            let template = match environment.template_from_str(text) {
                Ok(template) => template,
                Err(error) => {
                    let why = error.detail().unwrap_or("it cannot be read");
                    errors.push(file.source.error(at, format!("a malformed template: {why}")));
                    return;
                }
            };
            for name in template.undeclared_variables(false) {
                if name != "day" && !known.contains(&name) {
                    errors.push(file.source.error(at, unknown("name", &name, known.iter())));
                }
            }
        });
    }
}

/// Where a step's replies stand: under `reply` or `replies`.
pub(super) fn replies_path(tree: &Node, at: &Trail) -> Trail {
    ["replies", "reply"]
        .into_iter()
        .map(|key| at.to(key))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| at.clone())
}

/// Where an entry of replies stands: in a list, in `exactly`, or alone.
pub(super) fn entry_path(tree: &Node, replies: &Trail, index: usize) -> Trail {
    [Trail::new().to("exactly").to(index), Trail::new().to(index)]
        .into_iter()
        .map(|below| replies.join(&below))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| replies.clone())
}

/// Whether no request can follow a round in the same turn.
fn is_final(round: &Round) -> bool {
    round.say.is_some()
        && round.call.is_empty()
        && round.raw_call.is_empty()
        && round.fail.is_none()
}

fn is_crossing(name: &str, known: &[&str]) -> bool {
    known.iter().any(|start| name.strip_prefix(start).is_some_and(|rest| !rest.is_empty()))
}

fn unknown_crossing(name: &str) -> String {
    format!(
        "'{name}' is no crossing of the journal, such as openai.responses, \
         twilio.messages.create, dynamodb.PutItem, webhook.sms or http.GET /state"
    )
}

fn unknown_fault(name: &str) -> String {
    format!(
        "'{name}' cannot fail: name a crossing such as openai.responses, \
         twilio.messages.create, dynamodb.PutItem or webhook.sms"
    )
}

fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `unknown table 'Lead'; did you mean 'Leads'?`
fn unknown<T: AsRef<str>>(what: &str, name: &str, known: impl Iterator<Item = T>) -> String {
    let known: Vec<T> = known.collect();
    let nearest = known
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other.as_ref()), other.as_ref()))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let help = match nearest {
        Some((_, nearest)) => format!("did you mean '{nearest}'?"),
        None if known.is_empty() => "there are none".into(),
        None => {
            let all: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            format!("there are {}", all.join(", "))
        }
    };
    format!("unknown {what} '{name}'; {help}")
}
