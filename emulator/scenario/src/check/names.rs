//! Checks names of exchanges and people; the messages suggest similar names.

use rehearse_core::{
    faults::{DatabaseFault, NAMES, can_fail},
    names::nearest,
};

/// What is wrong with the name of an exchange that is counted. HTTP calls go by their routes, events
/// by their functions.
pub(crate) fn unknown_exchange(name: &str) -> Option<String> {
    let of_kind = |kind: &str| name.strip_prefix(kind).is_some_and(|rest| !rest.is_empty());
    let is_free = ["http.", "schedule.", "invocation."].into_iter().any(of_kind);
    let texts = ["sms.received", "sms.sent", "lambda.destination"];
    if is_free || texts.contains(&name) || NAMES.contains(&name) {
        return None;
    }
    let help = match nearest(name, NAMES.into_iter().chain(texts)) {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "there are such as openai.responses, twilio.messages.create, dynamodb.PutItem, \
                 webhook.sms or http.GET /state"
            .into(),
    };
    Some(format!("'{name}' is not the name of an exchange; {help}"))
}

/// What is wrong with the name of an exchange that is to fail.
pub(crate) fn invalid_fault(name: &str) -> Option<String> {
    if can_fail(name) {
        return None;
    }
    let help = match nearest(name, NAMES) {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "name an exchange such as openai.responses, twilio.messages.create, \
                 dynamodb.PutItem, dynamodb.* or webhook.sms"
            .into(),
    };
    Some(format!("'{name}' cannot fail; {help}"))
}

/// What is wrong with the name of a call at which a function is to end.
pub(crate) fn invalid_crash(name: &str) -> Option<String> {
    let calls = || {
        NAMES.into_iter().filter(|name| {
            ["openai.", "dynamodb.", "twilio.messages.", "lambda."]
                .iter()
                .any(|kind| name.starts_with(kind))
        })
    };
    if calls().any(|call| call == name) {
        return None;
    }
    let help = match nearest(name, calls()) {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "name a call of the function's own such as dynamodb.TransactWriteItems, \
                 openai.responses or twilio.messages.create"
            .into(),
    };
    Some(format!("a function cannot end at '{name}'; {help}"))
}

/// What is wrong with the name of an exchange at which steps are to meet.
pub(crate) fn invalid_rendezvous(name: &str) -> Option<String> {
    let calls = || NAMES.into_iter().filter(|name| name.starts_with("dynamodb."));
    if calls().any(|call| call == name) {
        return None;
    }
    let help = match nearest(name, calls()) {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None => "name a call to the database such as dynamodb.TransactWriteItems".into(),
    };
    Some(format!("steps cannot meet at '{name}'; {help}"))
}

/// Why something cannot happen to a call.
pub(crate) fn impossible(database_fault: DatabaseFault, on: &str) -> String {
    let name = DatabaseFault::ALL
        .iter()
        .find(|(_, other)| *other == database_fault)
        .map_or("", |(name, _)| name);
    match database_fault.operations() {
        Some(operations) => {
            let all: Vec<String> = operations.iter().map(|o| format!("dynamodb.{o}")).collect();
            format!("'{name}' cannot happen to {on}; it happens to {}", all.join(", "))
        }
        None => format!("'{name}' cannot happen to {on}; it happens to calls to the database"),
    }
}

pub(crate) fn is_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `unknown table 'Lead'; did you mean 'Leads'?`
pub(crate) fn unknown<T: AsRef<str>>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = T>,
) -> String {
    let known: Vec<T> = known.collect();
    let nearest = nearest(name, known.iter().map(AsRef::as_ref));
    let help = match nearest {
        Some(nearest) => format!("did you mean '{nearest}'?"),
        None if known.is_empty() => "there are none".into(),
        None => {
            let all: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            format!("there are {}", all.join(", "))
        }
    };
    format!("unknown {what} '{name}'; {help}")
}
