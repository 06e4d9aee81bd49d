//! Which calls of a run can fail, and how.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use super::injection::{Injection, InjectionKind};
use rehearse_core::{
    faults::{self, DatabaseFault},
    journal::{Exchange, ExchangeDetail},
};

/// The injections of a scenario, and how many were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// One for each trial.
    pub injections: Vec<Injection>,
    /// What was left out.
    pub left_out: LeftOut,
}

/// How many injections are not tried, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// A read has no effect, so a failure after it is like one before it.
    pub same_as_before: usize,
    /// Of calls that are alike the first two and the last are tried.
    pub alike: usize,
    /// Crashes at calls of which nobody knows which of several working functions makes them.
    pub unknown_caller: usize,
}

/// Of calls that are alike, the first so many are tried, and the last.
const TRIED_OF_ALIKE: usize = 2;

/// Every failure of every exchange that can fail. `processes` says whether functions run where they can be
/// terminated.
pub fn injections(journal: &[Exchange], processes: bool) -> Listing {
    let mut listing = Listing::default();
    let (mut calls, mut texts) = (Calls::default(), Texts::default());
    let working = Working::of(journal);
    let shapes: Vec<Option<String>> = journal.iter().map(shape).collect();
    let mut last_of: HashMap<&str, usize> = HashMap::new();
    for (at, shape) in shapes.iter().enumerate() {
        if let Some(shape) = shape {
            last_of.insert(shape, at);
        }
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (at, exchange) in journal.iter().enumerate() {
        let Some(shape) = &shapes[at] else { continue };
        let counted = seen.entry(shape).or_default();
        *counted += 1;
        let is_tried = *counted <= TRIED_OF_ALIKE || last_of.get(shape.as_str()) == Some(&at);
        let numbers = calls.count(exchange);
        if let Some(call) = texts.first_delivery(exchange) {
            let (on, kind) = (exchange.name.clone(), InjectionKind::Duplicate);
            listing.injections.push(Injection { kind, on, call, function: None });
        }
        let mut possible = kinds(exchange);
        possible.retain(|kind| processes || !kind.is_crash());
        let all = possible.len();
        possible.retain(|kind| has_effect(exchange) || !is_after(*kind));
        let same_as_before = all - possible.len();
        if !is_tried {
            listing.left_out.alike += possible.len();
            continue;
        }
        listing.left_out.same_as_before += same_as_before;
        let caller = working.caller(exchange);
        if caller.is_none() {
            let before = possible.len();
            possible.retain(|kind| !kind.is_crash());
            listing.left_out.unknown_caller += before - possible.len();
        }
        listing.injections.extend(possible.into_iter().map(|kind| Injection {
            kind,
            on: exchange.name.clone(),
            call: match kind {
                kind if kind.is_crash() => numbers.of_function,
                InjectionKind::Stale => numbers.eventual,
                _ => numbers.all,
            },
            function: caller.clone().filter(|_| kind.is_crash()),
        }));
    }
    listing
}

/// When which function worked.
struct Working(Vec<(u64, u64, String)>);

impl Working {
    fn of(journal: &[Exchange]) -> Self {
        let works = journal.iter().filter_map(|exchange| {
            let function = match &exchange.detail {
                ExchangeDetail::Http { function, .. } => function.clone()?,
                ExchangeDetail::Invocation { function, .. } => function.clone(),
                _ => return None,
            };
            let end = exchange.started_us.saturating_add(exchange.took_us.unwrap_or(u64::MAX));
            Some((exchange.started_us, end, function))
        });
        Self(works.collect())
    }

    /// The function that made a call: the one that the exchange names, or the only one that worked then.
    fn caller(&self, exchange: &Exchange) -> Option<String> {
        if let Some(function) = named_function(exchange) {
            return Some(function);
        }
        let at = exchange.started_us;
        let mut then = self.0.iter().filter(|(start, end, _)| (*start..=*end).contains(&at));
        let (.., function) = then.next()?;
        then.all(|(.., other)| other == function).then(|| function.clone())
    }
}

/// How often something was called so far.
#[derive(Default)]
struct Calls {
    all: BTreeMap<String, u32>,
    of_function: BTreeMap<(String, String), u32>,
    eventual: BTreeMap<String, u32>,
}

struct Numbers {
    all: u32,
    of_function: u32,
    eventual: u32,
}

impl Calls {
    /// The numbers of this call. A call whose caller the provider cannot tell counts for every function,
    /// as it does when a crash is injected.
    fn count(&mut self, exchange: &Exchange) -> Numbers {
        let all = self.all.entry(exchange.name.clone()).or_default();
        *all += 1;
        let all = *all;
        let of_function = match named_function(exchange) {
            Some(function) => {
                let of = self.of_function.entry((exchange.name.clone(), function)).or_default();
                *of += 1;
                *of
            }
            None => all,
        };
        let eventual = self.eventual.entry(exchange.name.clone()).or_default();
        *eventual += u32::from(is_eventual(exchange));
        Numbers { all, of_function, eventual: *eventual }
    }
}

/// The texts that were delivered so far.
#[derive(Default)]
struct Texts(HashSet<String>);

impl Texts {
    /// The number of the text, from 1, if this is its first delivery.
    fn first_delivery(&mut self, exchange: &Exchange) -> Option<u32> {
        let ExchangeDetail::Webhook { sid, .. } = &exchange.detail else { return None };
        let is_first = exchange.name == "webhook.sms" && self.0.insert(sid.clone());
        is_first.then(|| u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }
}

/// How an exchange can fail, but for texts that are delivered twice.
fn kinds(exchange: &Exchange) -> Vec<InjectionKind> {
    let all = InjectionKind::ALL.into_iter().map(|(_, kind)| kind);
    let possible = all.filter(|kind| match kind {
        InjectionKind::Duplicate => false,
        InjectionKind::Stale => is_eventual(exchange),
        kind => kind.is_possible_for(&exchange.name),
    });
    possible.collect()
}

/// Whether it happens when the call has taken effect.
fn is_after(kind: InjectionKind) -> bool {
    matches!(kind, InjectionKind::CutAfter | InjectionKind::CrashAfter)
}

/// Whether a call changes anything that later calls could see.
fn has_effect(exchange: &Exchange) -> bool {
    match exchange.name.split_once('.') {
        Some(("dynamodb", operation)) => !matches!(
            operation,
            "GetItem"
                | "Query"
                | "Scan"
                | "BatchGetItem"
                | "TransactGetItems"
                | "DescribeTable"
                | "ListTables"
                | "DescribeTimeToLive"
        ),
        Some(("twilio", operation)) => {
            !operation.ends_with("fetch") && !operation.ends_with("list")
        }
        Some(("openai" | "ssm" | "secretsmanager", _)) => false,
        _ => true,
    }
}

/// Whether it is a read that may be stale.
fn is_eventual(exchange: &Exchange) -> bool {
    let ExchangeDetail::Database { request, .. } = &exchange.detail else { return false };
    DatabaseFault::Stale.can_happen_to(&exchange.name)
        && request["ConsistentRead"] != Value::Bool(true)
}

/// The function that made the call, when the exchange says so.
fn named_function(exchange: &Exchange) -> Option<String> {
    match &exchange.detail {
        ExchangeDetail::Database { function, .. }
        | ExchangeDetail::Secret { function, .. }
        | ExchangeDetail::OtherService { function, .. }
        | ExchangeDetail::Invoke { function, .. } => function.clone(),
        _ => None,
    }
}

/// What calls from one place of the code have in common; `None` when the exchange cannot fail.
fn shape(exchange: &Exchange) -> Option<String> {
    let name = exchange.name.as_str();
    if !faults::NAMES.contains(&name) {
        return None;
    }
    let mut parts = vec![name.to_owned()];
    match &exchange.detail {
        ExchangeDetail::Database { function, request, .. } => {
            parts.extend(function.clone());
            expressions(request, &mut parts);
        }
        ExchangeDetail::Secret { function, name, .. } => {
            parts.extend(function.clone());
            parts.push(name.clone());
        }
        ExchangeDetail::Invoke { function, target, .. } => {
            parts.extend(function.clone());
            parts.push(target.clone());
        }
        _ => {}
    }
    Some(parts.join(" "))
}

/// Tables, expressions and attributes of a request, without values and without the numbers in expressions.
fn expressions(request: &Value, parts: &mut Vec<String>) {
    match request {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key.ends_with("Expression") || key == "Statement" => {
                        parts.push(text.chars().filter(|c| !c.is_ascii_digit()).collect());
                    }
                    Value::String(text) if key == "TableName" || key == "IndexName" => {
                        parts.push(text.clone());
                    }
                    Value::Object(names) if key == "ExpressionAttributeNames" => {
                        let names = names.values().filter_map(Value::as_str);
                        parts.extend(
                            names.map(|n| n.chars().filter(|c| !c.is_ascii_digit()).collect()),
                        );
                    }
                    Value::Object(_) | Value::Array(_)
                        if key != "ExpressionAttributeValues" && key != "Item" && key != "Key" =>
                    {
                        parts.push(key.clone());
                        expressions(value, parts);
                    }
                    _ => {}
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| expressions(value, parts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };

    fn database(operation: &str, request: Value) -> (String, ExchangeDetail) {
        let detail = ExchangeDetail::Database {
            function: Some("Notebook".into()),
            operation: operation.into(),
            tables: vec!["notes".into()],
            items: 1,
            request,
        };
        (format!("dynamodb.{operation}"), detail)
    }

    fn webhook(sid: &str, attempt: u32) -> (String, ExchangeDetail) {
        let detail = ExchangeDetail::Webhook {
            sid: sid.into(),
            attempt,
            method: "POST".into(),
            url: "http://127.0.0.1/sms".into(),
            params: Vec::new(),
        };
        ("webhook.sms".into(), detail)
    }

    fn listed(exchanges: Vec<(String, ExchangeDetail)>, processes: bool) -> Listing {
        let journal = Journal::new(Clock::running());
        for (name, detail) in exchanges {
            journal.begin(name, detail).end(Outcome::status(200, Value::Null));
        }
        injections(&journal.since(0), processes)
    }

    fn names(listing: &Listing) -> Vec<String> {
        listing.injections.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_write_fails_before_and_after_its_effect_and_a_read_before_only() {
        let write = listed(vec![database("PutItem", json!({ "TableName": "notes" }))], true);
        let kinds: Vec<&str> = write.injections.iter().map(|i| i.kind.name()).collect();
        let all = [
            "crash-before",
            "crash-after",
            "cut-before",
            "cut-after",
            "error",
            "throttled",
            "conflict",
            "slow",
            "timeout",
        ];
        assert_eq!(kinds, all);
        let consistent = json!({ "TableName": "notes", "ConsistentRead": true });
        let read = listed(vec![database("GetItem", consistent)], true);
        let kinds: Vec<&str> = read.injections.iter().map(|i| i.kind.name()).collect();
        assert_eq!(kinds, ["crash-before", "cut-before", "error", "throttled", "slow", "timeout"]);
        assert_eq!(read.left_out.same_as_before, 2);
    }

    #[test]
    fn only_a_read_that_may_be_stale_is() {
        let reads = listed(
            vec![
                database("Query", json!({ "TableName": "a", "ConsistentRead": true })),
                database("Query", json!({ "TableName": "b" })),
            ],
            false,
        );
        let stale: Vec<String> =
            names(&reads).into_iter().filter(|name| name.starts_with("stale")).collect();
        assert_eq!(stale, ["stale@dynamodb.Query#1"], "the first that may be stale");
    }

    #[test]
    fn a_function_that_cannot_be_terminated_does_not_crash() {
        let listing = listed(vec![database("PutItem", json!({}))], false);
        assert!(!names(&listing).iter().any(|name| name.starts_with("crash")));
    }

    #[test]
    fn a_text_is_delivered_twice_once_however_often_it_came() {
        let listing = listed(vec![webhook("SM1", 1), webhook("SM1", 2), webhook("SM2", 1)], true);
        let twice: Vec<String> =
            names(&listing).into_iter().filter(|name| name.starts_with("duplicate")).collect();
        assert_eq!(twice, ["duplicate@webhook.sms#1", "duplicate@webhook.sms#2"]);
    }

    #[test]
    fn of_calls_alike_the_first_two_and_the_last_are_tried() {
        let put = |id: &str| {
            let item = json!({ "id": { "S": id } });
            database("PutItem", json!({ "TableName": "notes", "Item": item }))
        };
        let listing = listed(["a", "b", "c", "d"].map(put).to_vec(), false);
        let errors: Vec<String> =
            names(&listing).into_iter().filter(|name| name.starts_with("error")).collect();
        assert_eq!(errors, [1, 2, 4].map(|n| format!("error@dynamodb.PutItem#{n}")));
        assert_eq!(listing.left_out.alike, listing.injections.len() / 3);
    }

    #[test]
    fn crashes_are_counted_for_their_function() {
        let of = |function: &str| {
            let (name, detail) = database("PutItem", json!({ "TableName": function }));
            let ExchangeDetail::Database { operation, tables, items, request, .. } = detail else {
                unreachable!()
            };
            let function = Some(function.to_owned());
            (name, ExchangeDetail::Database { function, operation, tables, items, request })
        };
        let listing = listed(vec![of("First"), of("Second")], true);
        let crashes: Vec<String> =
            names(&listing).into_iter().filter(|name| name.starts_with("crash-after")).collect();
        assert_eq!(
            crashes,
            ["crash-after@dynamodb.PutItem#1@First", "crash-after@dynamodb.PutItem#1@Second"]
        );
    }

    /// The injections of a request to the model during which these functions work.
    fn asked_while(working: &[&str]) -> Listing {
        let journal = Journal::new(Clock::running());
        let work = |function: &&str| {
            let detail = ExchangeDetail::Http {
                function: Some((*function).to_owned()),
                method: "GET".into(),
                path: "/".into(),
                body: String::new(),
                headers: Vec::new(),
            };
            journal.begin("http.GET /", detail)
        };
        let working: Vec<_> = working.iter().map(work).collect();
        let asked = ExchangeDetail::Model { request: Value::Null, script: None };
        journal.begin("openai.responses", asked).end(Outcome::status(200, Value::Null));
        drop(working);
        injections(&journal.since(0), true)
    }

    #[test]
    fn a_call_that_names_nobody_is_of_the_only_function_that_works() {
        let crash = "crash-before@openai.responses#1@First".to_owned();
        assert!(names(&asked_while(&["First"])).contains(&crash));
        assert!(names(&asked_while(&["First", "First"])).contains(&crash));
        let several = asked_while(&["First", "Second"]);
        assert!(!names(&several).iter().any(|name| name.starts_with("crash")));
        assert_eq!(several.left_out.unknown_caller, 1);
    }

    #[test]
    fn what_cannot_fail_is_left_out() {
        let log =
            ExchangeDetail::Log { function: "F".into(), request_id: None, line: String::new() };
        assert_eq!(listed(vec![("log.F".into(), log)], true), Listing::default());
    }
}
