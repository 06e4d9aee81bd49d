//! Calls that failed because a fault was armed, as a `faults:` step.

use std::collections::HashMap;

use serde_json::{Value, json};

use rehearse_core::{
    faults::Failure,
    journal::{Exchange, ExchangeDetail},
};

/// The faults of some exchanges.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// What lets the same calls fail again.
    pub(super) entries: Vec<Value>,
    /// Whether a call was slow, which no entry says.
    pub(super) has_delay: bool,
    /// Whether a function was terminated, which no entry says.
    pub(super) has_crash: bool,
}

/// The faults that let the same calls fail again, counted from the first of these exchanges. Calls to
/// the model fail by their rounds.
pub(super) fn faults(exchanges: &[&Exchange]) -> Faults {
    let mut faults = Faults::default();
    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut found: Vec<(String, Value, u32, u32)> = Vec::new();
    for exchange in exchanges {
        let count = seen.entry(&exchange.name).or_default();
        let skip = std::mem::replace(count, *count + 1);
        let fail = match met(exchange) {
            Met::Nothing => continue,
            Met::Fault(fail) => fail,
            Met::Delay => {
                faults.has_delay = true;
                continue;
            }
            Met::Crash => {
                faults.has_crash = true;
                continue;
            }
        };
        if matches!(exchange.detail, ExchangeDetail::Model { .. }) {
            continue;
        }
        let goes_on = found.iter_mut().find(|(name, known, first, times)| {
            *name == exchange.name && *known == fail && *first + *times == skip
        });
        match goes_on {
            Some((_, _, _, times)) => *times += 1,
            None => found.push((exchange.name.clone(), fail, skip, 1)),
        }
    }
    let entry = |(name, fail, skip, times): (String, Value, u32, u32)| {
        let mut entry = json!({ "on": name, "fail": fail });
        if skip > 0 {
            entry["skip"] = skip.into();
        }
        entry["times"] = times.into();
        entry
    };
    faults.entries = found.into_iter().map(entry).collect();
    faults
}

/// What a call of a recording met.
enum Met {
    /// Nothing, or a failure of its own.
    Nothing,
    /// A fault, in the words of a step.
    Fault(Value),
    /// A fault that only took time.
    Delay,
    /// A function was terminated, which a step says in another way.
    Crash,
}

/// Reads a fault as the journal words it: `503`, `400, ThrottlingException`, `cut-before, delay 200ms`.
fn met(exchange: &Exchange) -> Met {
    let Some(injected) = &exchange.injected else { return Met::Nothing };
    if injected.split(", ").any(|word| word == "crash") {
        return Met::Crash;
    }
    let words: Vec<&str> = injected
        .split(", ")
        .filter(|word| !word.is_empty() && !word.starts_with("delay "))
        .collect();
    match words.as_slice() {
        [] => Met::Delay,
        ["400", "ThrottlingException"] => Met::Fault("throttled".into()),
        [one] => Met::Fault(match one.parse::<u16>() {
            Ok(status) => status.into(),
            Err(_) if Failure::named(one).is_some() => (*one).into(),
            Err(_) => json!({ "code": one }),
        }),
        [status, code, ..] => Met::Fault(match status.parse::<u16>() {
            Ok(status) => json!({ "status": status, "code": code }),
            Err(_) => (*status).into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };

    use super::*;

    #[test]
    fn calls_are_counted_by_their_name() {
        let journal = Journal::new(Clock::running());
        let call = |name: &str, failure: Option<Failure>| {
            let detail = ExchangeDetail::Database {
                function: None,
                operation: name.into(),
                tables: Vec::new(),
                items: 1,
                request: Value::Null,
            };
            let exchange = journal.begin(format!("dynamodb.{name}"), detail);
            if let Some(failure) = &failure {
                exchange.injected(failure);
            }
            // A failure of its own is no fault.
            exchange.end(Outcome::status(500, json!({})));
        };
        let status = |status| Some(Failure { status: Some(status), ..Failure::default() });
        call("Query", None);
        call("PutItem", Failure::named("cut-before"));
        call("Query", Failure::named("throttled"));
        call("Query", Failure::named("throttled"));
        call("Query", None);
        call("Query", status(503));
        call("PutItem", Some(Failure { delay_ms: Some(20), ..Failure::default() }));
        call("GetItem", Failure::named("stale"));
        let coded = Failure { status: Some(400), code: Some("21610".into()), ..Failure::default() };
        call("Scan", Some(Failure { delay_ms: Some(20), ..coded }));
        let exchanges = journal.since(0);
        let found = faults(&exchanges.iter().collect::<Vec<_>>());
        assert_eq!(
            found.entries,
            [
                json!({ "on": "dynamodb.PutItem", "fail": "cut-before", "times": 1 }),
                json!({ "on": "dynamodb.Query", "fail": "throttled", "skip": 1, "times": 2 }),
                json!({ "on": "dynamodb.Query", "fail": 503, "skip": 4, "times": 1 }),
                json!({ "on": "dynamodb.GetItem", "fail": "stale", "times": 1 }),
                json!({ "on": "dynamodb.Scan", "fail": { "status": 400, "code": "21610" }, "times": 1 }),
            ]
        );
        assert!(found.has_delay && !found.has_crash);
    }
}
