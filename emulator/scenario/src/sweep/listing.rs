//! Which calls of a run can fail, and how.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::injection::{Injection, InjectionKind};
use rehearse_core::{
    faults::{self, DatabaseFault},
    journal::{Exchange, ExchangeDetail},
};

/// The injections of a scenario, and how many were left out because others come to the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// One for each trial.
    pub injections: Vec<Injection>,
    /// How many a read would fail with after its effect: it has none, so they are like those before it.
    pub same_as_before: usize,
    /// How many are of calls alike in a long row of them: the first two and the last are tried.
    pub alike: usize,
}

/// Of calls that are alike, the first so many are tried, and the last.
const TRIED_OF_ALIKE: usize = 2;

/// Every failure of every exchange that can fail. `processes` says whether functions run where they can be
/// terminated.
pub fn injections(journal: &[Exchange], processes: bool) -> Listing {
    let mut listing = Listing::default();
    let mut calls = Calls::default();
    let shapes: Vec<Option<String>> = journal.iter().map(shape).collect();
    let mut last_of: HashMap<&str, usize> = HashMap::new();
    for (at, shape) in shapes.iter().enumerate() {
        if let Some(shape) = shape {
            last_of.insert(shape, at);
        }
    }
    let mut texts = Texts::default();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut latest_function = None;
    for (at, exchange) in journal.iter().enumerate() {
        latest_function = function(exchange).or(latest_function);
        let Some(shape) = &shapes[at] else { continue };
        let counted = seen.entry(shape).or_default();
        *counted += 1;
        let is_tried = *counted <= TRIED_OF_ALIKE || last_of.get(shape.as_str()) == Some(&at);
        let caller = latest_function.clone().filter(|_| processes);
        let (can_fail, same) = kinds(exchange, caller.is_some());
        let numbers = calls.count(exchange, caller.as_deref());
        if let Some(call) = texts.first_delivery(exchange) {
            let on = exchange.name.clone();
            let kind = InjectionKind::Duplicate;
            listing.injections.push(Injection { kind, on, call, function: None });
        }
        if !is_tried {
            listing.alike += can_fail.len();
            continue;
        }
        listing.same_as_before += same;
        listing.injections.extend(can_fail.into_iter().map(|kind| Injection {
            kind,
            on: exchange.name.clone(),
            call: match kind {
                InjectionKind::CrashBefore | InjectionKind::CrashAfter => numbers.of_function,
                InjectionKind::Stale => numbers.eventual,
                _ => numbers.all,
            },
            function:
                caller.clone().filter(|_| {
                    matches!(kind, InjectionKind::CrashBefore | InjectionKind::CrashAfter)
                }),
        }));
    }
    listing
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
    fn count(&mut self, exchange: &Exchange, caller: Option<&str>) -> Numbers {
        let all = self.all.entry(exchange.name.clone()).or_default();
        *all += 1;
        let all = *all;
        let of_function = match (named_function(exchange), caller) {
            (Some(function), _) => {
                let of = self.of_function.entry((exchange.name.clone(), function)).or_default();
                *of += 1;
                *of
            }
            (None, _) => all,
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

/// How an exchange can fail, and how many of these are left out.
fn kinds(exchange: &Exchange, can_crash: bool) -> (Vec<InjectionKind>, usize) {
    use InjectionKind as Kind;

    let name = exchange.name.as_str();
    if name == "webhook.sms" {
        return (vec![Kind::CutBefore, Kind::CutAfter, Kind::Error], 0);
    }
    if name.starts_with("webhook.") || name == "twilio.delivery" {
        return (vec![Kind::CutBefore, Kind::CutAfter], 0);
    }
    let mut kinds = vec![Kind::CutBefore, Kind::Error, Kind::Throttled, Kind::Slow, Kind::Timeout];
    let mut same = 0;
    let has_effect = has_effect(exchange);
    if can_crash {
        kinds.push(Kind::CrashBefore);
    }
    let after = [(Kind::CutAfter, true), (Kind::CrashAfter, can_crash)];
    for (kind, possible) in after {
        match (possible, has_effect) {
            (true, true) => kinds.push(kind),
            (true, false) => same += 1,
            (false, _) => {}
        }
    }
    if name.starts_with("dynamodb.") {
        let database = [
            (Kind::Conflict, DatabaseFault::Conflict),
            (Kind::ExpiredToken, DatabaseFault::ExpiredToken),
        ];
        let possible = database.into_iter().filter(|(_, fault)| fault.can_happen_to(name));
        kinds.extend(possible.map(|(kind, _)| kind));
        if is_eventual(exchange) {
            kinds.push(Kind::Stale);
        }
    }
    kinds.sort_unstable();
    (kinds, same)
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
        | ExchangeDetail::Invoke { function, .. } => function.clone(),
        _ => None,
    }
}

/// The function that works from this exchange on.
fn function(exchange: &Exchange) -> Option<String> {
    match &exchange.detail {
        ExchangeDetail::Http { function, .. } => function.clone(),
        ExchangeDetail::Invocation { function, .. } => Some(function.clone()),
        _ => named_function(exchange),
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

/// Table names and expressions of a request, without values and without the numbers in names.
fn expressions(request: &Value, parts: &mut Vec<String>) {
    match request {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text) if key == "TableName" || key.ends_with("Expression") => {
                        parts.push(text.chars().filter(|c| !c.is_ascii_digit()).collect());
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
        assert_eq!(read.same_as_before, 2);
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
        assert_eq!(listing.alike, listing.injections.len() / 3);
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

    #[test]
    fn what_cannot_fail_is_left_out() {
        let log =
            ExchangeDetail::Log { function: "F".into(), request_id: None, line: String::new() };
        assert_eq!(listed(vec![("log.F".into(), log)], true), Listing::default());
    }
}
