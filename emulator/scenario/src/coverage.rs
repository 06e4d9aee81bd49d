//! What scenarios have touched: each tool by what came of it, each route of a provider by how it ended,
//! each kind of webhook by how it was handled, each operation on a table by how it failed. What was
//! never touched is a hole.
//!
//! It reads journals alone, so it says the same of a backend in any language.

use std::collections::{BTreeMap, BTreeSet};

use rehearse_core::journal::{Exchange, ExchangeDetail, Outcome};
use serde_json::Value;

mod tools;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The tools that the model is offered.
    Tools,
    /// The routes of providers, but for the database.
    Providers,
    /// What Twilio posts.
    Webhooks,
    /// Operations on tables.
    Tables,
}

impl Group {
    /// The name, as a heading has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Providers => "providers",
            Self::Webhooks => "webhooks",
            Self::Tables => "tables",
        }
    }
}

/// How often something was touched, by group, subject and case.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    subjects: BTreeMap<(Group, String), Cases>,
}

/// One way in which something can go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Case {
    /// How often it went so.
    pub count: usize,
    /// Whether scenarios should have touched it.
    pub is_expected: bool,
}

/// Something that should have been touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Where it belongs.
    pub group: Group,
    /// A tool, a route, a kind of webhook, or an operation on a table.
    pub subject: String,
    /// How it never went.
    pub way: Way,
}

/// A way in which something can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It was answered as it should.
    Works,
    /// The tool did what it was called for.
    Succeeds,
    /// The tool said why it did not.
    Refuses,
    /// The tool was called, and the model was never given a result.
    NoResult,
    /// It was answered with another status from 400 to 499.
    Refused,
    /// It was answered with status 429.
    Throttled,
    /// The condition of a write did not hold.
    ConditionFails,
    /// A transaction met another one.
    Conflict,
    /// It was answered with a status from 500 on, with what its caller cannot use, or that the table has no
    /// throughput left.
    Fails,
    /// It was cut, took too long, or was never answered.
    NoAnswer,
}

impl Way {
    /// The name, as reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Succeeds => "succeeds",
            Self::Refuses => "refuses",
            Self::NoResult => "no result",
            Self::Refused => "refused (4xx)",
            Self::Throttled => "throttled",
            Self::ConditionFails => "condition fails",
            Self::Conflict => "conflict",
            Self::Fails => "fails",
            Self::NoAnswer => "no answer",
        }
    }
}

/// The ways in which something went, or should have gone.
pub type Cases = BTreeMap<Way, Case>;

impl Coverage {
    /// Adds the exchanges of a journal.
    pub fn add(&mut self, journal: &[Exchange]) {
        let mut texts = BTreeSet::new();
        // What was never answered: it hung, or its caller was gone.
        let open = Outcome::default();
        for exchange in journal {
            let outcome = exchange.outcome.as_ref().unwrap_or(&open);
            match &exchange.detail {
                ExchangeDetail::Model { request, .. } => {
                    for name in tools::offered(request) {
                        self.expect(Group::Tools, &name, &[Way::Succeeds, Way::Refuses]);
                    }
                    self.provider(&exchange.name, outcome);
                }
                ExchangeDetail::Twilio { .. }
                | ExchangeDetail::OpenAi { .. }
                | ExchangeDetail::Invoke { .. } => {
                    self.provider(&exchange.name, outcome);
                }
                ExchangeDetail::Secret { .. } => {
                    self.expect(Group::Providers, &exchange.name, &[Way::Works, Way::Fails]);
                    self.count(Group::Providers, &exchange.name, ended(outcome));
                }
                ExchangeDetail::Database { operation, tables, request, .. } => {
                    for table in tables {
                        self.table(&format!("{table} {operation}"), operation, request, outcome);
                    }
                }
                ExchangeDetail::Webhook { sid, params, .. } => {
                    let is_repeated = !texts.insert((exchange.name.clone(), sid.clone()));
                    self.webhook(&exchange.name, params, is_repeated, outcome);
                }
                _ => {}
            }
        }
        for (name, case) in tools::results(journal) {
            self.count(Group::Tools, &name, case);
        }
    }

    /// Every subject with its cases, in order.
    pub fn rows(&self) -> impl Iterator<Item = (Group, &str, &Cases)> {
        self.subjects.iter().map(|((group, subject), cases)| (*group, subject.as_str(), cases))
    }

    /// What was expected and never touched, in order.
    pub fn holes(&self) -> Vec<Hole> {
        let mut holes = Vec::new();
        for ((group, subject), cases) in &self.subjects {
            for (way, case) in expected(cases) {
                if case.count == 0 {
                    holes.push(Hole { group: *group, subject: subject.clone(), way });
                }
            }
        }
        holes
    }

    /// How many of the expected ways were touched, and how many there are.
    pub fn touched(&self) -> (usize, usize) {
        let all = self.subjects.values().flat_map(expected);
        let counts: Vec<usize> = all.map(|(_, case)| case.count).collect();
        (counts.iter().filter(|count| **count > 0).count(), counts.len())
    }

    fn cases(&mut self, group: Group, subject: &str) -> &mut Cases {
        self.subjects.entry((group, subject.to_owned())).or_default()
    }

    fn expect(&mut self, group: Group, subject: &str, expected: &[Way]) {
        let cases = self.cases(group, subject);
        for way in expected {
            cases.entry(*way).or_default().is_expected = true;
        }
    }

    fn count(&mut self, group: Group, subject: &str, way: Way) {
        self.cases(group, subject).entry(way).or_default().count += 1;
    }

    fn provider(&mut self, route: &str, outcome: &Outcome) {
        self.expect(
            Group::Providers,
            route,
            &[Way::Works, Way::Throttled, Way::Fails, Way::NoAnswer],
        );
        self.count(Group::Providers, route, ended(outcome));
    }

    fn table(&mut self, subject: &str, operation: &str, request: &Value, outcome: &Outcome) {
        self.expect(Group::Tables, subject, &[Way::Works, Way::Fails, Way::NoAnswer]);
        if has_condition(request) {
            self.expect(Group::Tables, subject, &[Way::ConditionFails]);
        }
        if operation == "TransactWriteItems" {
            self.expect(Group::Tables, subject, &[Way::Conflict]);
        }
        let mentions = |word: &str| {
            let error = outcome.error.as_deref().unwrap_or_default();
            error.contains(word) || outcome.response.to_string().contains(word)
        };
        let case = match ended(outcome) {
            Way::Refused if mentions("TransactionConflict") => Way::Conflict,
            Way::Refused if mentions("ConditionalCheckFailed") => Way::ConditionFails,
            Way::Refused if mentions("Throughput") || mentions("Throttl") => Way::Fails,
            case => case,
        };
        self.count(Group::Tables, subject, case);
    }

    fn webhook(
        &mut self,
        name: &str,
        params: &[(String, String)],
        is_repeated: bool,
        outcome: &Outcome,
    ) {
        let param = |wanted: &str| {
            let found = params.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let kind = match name {
            "webhook.status" => format!("status {}", param("MessageStatus").unwrap_or("unknown")),
            "webhook.fallback" => "fallback".to_owned(),
            _ if param("OptOutType").is_some() => "keyword".to_owned(),
            _ if param("NumMedia").is_some_and(|count| count != "0") => "pictures".to_owned(),
            _ => "text".to_owned(),
        };
        // What every backend meets, whatever its scenarios have.
        for kind in ["text", "the same text again", "pictures", "keyword"] {
            self.expect(Group::Webhooks, kind, &[Way::Works]);
        }
        self.expect(Group::Webhooks, "text", &[Way::Refused, Way::NoAnswer]);
        if name == "webhook.status" {
            for status in ["sent", "delivered", "undelivered", "failed"] {
                self.expect(Group::Webhooks, &format!("status {status}"), &[Way::Works]);
            }
        }
        let case = ended(outcome);
        self.count(Group::Webhooks, &kind, case);
        if is_repeated && name == "webhook.sms" {
            self.count(Group::Webhooks, "the same text again", case);
        }
    }
}

/// The ways that scenarios should touch. Of a tool whose results the model is never given, nothing is
/// known but that it is called.
fn expected(cases: &Cases) -> impl Iterator<Item = (Way, &Case)> {
    let count = |way| cases.get(&way).map_or(0, |case| case.count);
    let has_results = count(Way::Succeeds) + count(Way::Refuses) > 0;
    let is_only_called = count(Way::NoResult) > 0 && !has_results;
    cases
        .iter()
        .filter(move |(_, case)| case.is_expected && !is_only_called)
        .map(|(way, case)| (*way, case))
}

fn ended(outcome: &Outcome) -> Way {
    match outcome.status {
        None => Way::NoAnswer,
        Some(429) => Way::Throttled,
        Some(400..=499) => Way::Refused,
        Some(500..) => Way::Fails,
        Some(_) => match outcome.error.as_deref() {
            None => Way::Works,
            Some("cut") => Way::NoAnswer,
            // Such as TwiML that cannot be read.
            Some(_) => Way::Fails,
        },
    }
}

fn has_condition(request: &Value) -> bool {
    match request {
        Value::Object(fields) => {
            fields.contains_key("ConditionExpression") || fields.values().any(has_condition)
        }
        Value::Array(items) => items.iter().any(has_condition),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rehearse_core::{clock::Clock, journal::Journal};
    use serde_json::json;

    use super::*;

    fn coverage(of: Vec<(&str, ExchangeDetail, Outcome)>) -> Coverage {
        let journal = Journal::new(Clock::running());
        for (name, detail, outcome) in of {
            journal.begin(name, detail).end(outcome);
        }
        let mut coverage = Coverage::default();
        coverage.add(&journal.take());
        coverage
    }

    fn count(coverage: &Coverage, subject: &str, way: Way) -> usize {
        let row = coverage.rows().find(|(_, name, _)| *name == subject);
        let (_, _, cases) = row.unwrap_or_else(|| panic!("no {subject}"));
        cases.get(&way).map_or(0, |case| case.count)
    }

    fn is_hole(coverage: &Coverage, subject: &str, way: Way) -> bool {
        coverage.holes().iter().any(|hole| hole.subject == subject && hole.way == way)
    }

    fn write(condition: bool) -> ExchangeDetail {
        let put = match condition {
            true => json!({ "Put": { "ConditionExpression": "attribute_not_exists(id)" } }),
            false => json!({ "Put": {} }),
        };
        ExchangeDetail::Database {
            function: None,
            operation: "TransactWriteItems".into(),
            tables: vec!["Leads".into(), "Slots".into()],
            items: 1,
            request: json!({ "TransactItems": [put] }),
        }
    }

    #[test]
    fn a_table_has_its_operations_and_how_they_failed() {
        let cancelled = |reason: &str| {
            let reasons = json!({ "CancellationReasons": [{ "Code": reason }] });
            Outcome::status(400, reasons).with_error("TransactionCanceledException")
        };
        let name = "dynamodb.TransactWriteItems";
        let seen = coverage(vec![
            (name, write(true), Outcome::status(200, Value::Null)),
            (name, write(true), cancelled("ConditionalCheckFailed")),
            (name, write(true), cancelled("TransactionConflict")),
            (name, write(true), Outcome::cut()),
        ]);
        for table in ["Leads TransactWriteItems", "Slots TransactWriteItems"] {
            for case in [Way::Works, Way::ConditionFails, Way::Conflict, Way::NoAnswer] {
                assert_eq!(count(&seen, table, case), 1, "{table} {case:?}");
            }
            assert!(is_hole(&seen, table, Way::Fails) && !is_hole(&seen, table, Way::Conflict));
        }
        assert_eq!(seen.touched(), (8, 10));
        let unconditional = coverage(vec![(name, write(false), Outcome::status(200, Value::Null))]);
        assert!(!is_hole(&unconditional, "Leads TransactWriteItems", Way::ConditionFails));
    }

    #[test]
    fn a_tool_is_offered_called_and_answered() {
        let ask = |input: Value| ExchangeDetail::Model {
            request: json!({
                "tools": [{ "name": "book" }, { "name": "cancel" }],
                "input": input,
            }),
            script: None,
        };
        let call = json!({ "type": "function_call", "call_id": "c", "name": "book" });
        let taken = r#"{"success": false}"#;
        let result = json!({ "type": "function_call_output", "call_id": "c", "output": taken });
        let round = || ask(json!([call, result]));
        let ok = || Outcome::status(200, Value::Null);
        let seen = coverage(vec![
            ("openai.responses", ask(json!([])), ok()),
            ("openai.responses", round(), ok()),
            ("openai.responses", round(), Outcome::status(429, Value::Null)),
        ]);
        assert_eq!(count(&seen, "book", Way::Refuses), 1, "the same result counts once");
        assert!(is_hole(&seen, "book", Way::Succeeds));
        assert!(is_hole(&seen, "cancel", Way::Succeeds) && is_hole(&seen, "cancel", Way::Refuses));
        assert_eq!(count(&seen, "openai.responses", Way::Throttled), 1);
        assert!(is_hole(&seen, "openai.responses", Way::NoAnswer));
    }

    #[test]
    fn each_end_of_a_call_is_one_way() {
        let ok = |status| Outcome::status(status, Value::Null);
        for (outcome, expected) in [
            (ok(200), Way::Works),
            (ok(404), Way::Refused),
            (ok(429), Way::Throttled),
            (ok(500), Way::Fails),
            (ok(200).with_error("12100"), Way::Fails),
            (ok(200).with_error("cut"), Way::NoAnswer),
            (Outcome::cut(), Way::NoAnswer),
            (Outcome::default(), Way::NoAnswer),
        ] {
            assert_eq!(ended(&outcome), expected, "{outcome:?}");
        }
    }

    #[test]
    fn webhooks_are_told_apart_by_what_they_bring() {
        let webhook = |sid: &str, params: &[(&str, &str)]| ExchangeDetail::Webhook {
            sid: sid.into(),
            attempt: 1,
            method: "POST".into(),
            url: "https://shop.example/sms".into(),
            params: params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        };
        let ok = || Outcome::status(200, Value::Null);
        let seen = coverage(vec![
            ("webhook.sms", webhook("SM1", &[("NumMedia", "0")]), ok()),
            ("webhook.sms", webhook("SM1", &[("NumMedia", "0")]), ok()),
            ("webhook.sms", webhook("SM2", &[("NumMedia", "2")]), ok()),
            ("webhook.sms", webhook("SM3", &[("OptOutType", "STOP")]), ok()),
            ("webhook.status", webhook("SM4", &[("MessageStatus", "failed")]), ok()),
        ]);
        for (kind, expected) in [
            ("text", 2),
            ("the same text again", 1),
            ("pictures", 1),
            ("keyword", 1),
            ("status failed", 1),
        ] {
            assert_eq!(count(&seen, kind, Way::Works), expected, "{kind}");
        }
        assert!(is_hole(&seen, "status delivered", Way::Works));
        assert!(is_hole(&seen, "text", Way::NoAnswer));
    }
}
