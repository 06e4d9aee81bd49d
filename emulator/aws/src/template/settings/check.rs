//! What no single value of `rehearse.toml` can tell: whether they fit each other.

use std::collections::BTreeMap;

use super::{MessagingService, Phone, Settings, Twilio};

/// Everything that is wrong, a line each.
pub(super) fn errors(settings: &Settings) -> Vec<String> {
    let mut errors = ports(settings);
    errors.extend(twilio(&settings.twilio));
    errors.extend(services(settings));
    errors.extend(people(settings));
    errors
}

fn ports(settings: &Settings) -> Vec<String> {
    let ports = settings.ports.by_name();
    let twice = ports.iter().enumerate().filter_map(|(at, (name, port))| {
        let (other, _) = ports[..at].iter().find(|(_, other)| other == port)?;
        Some(format!("[ports] {other} and {name} are both {port}"))
    });
    twice.collect()
}

fn twilio(twilio: &Twilio) -> Vec<String> {
    let mut errors = Vec::new();
    for key in twilio.api_keys.keys() {
        let digits = key.strip_prefix("SK").unwrap_or_default();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            errors.push(format!(
                "[twilio.api_keys] `{key}` is not an API key: SK and 32 hexadecimal digits"
            ));
        }
    }
    for sid in twilio.contents.keys() {
        let digits = sid.strip_prefix("HX").unwrap_or_default();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            errors.push(format!(
                "[twilio.contents] `{sid}` is not a content template: HX and 32 hexadecimal digits"
            ));
        }
    }
    for number in twilio.line_types.keys() {
        if let Err(why) = Phone::try_from(number.clone()) {
            errors.push(format!("[twilio.line_types] {why}"));
        }
    }
    let mut known = vec![&twilio.number];
    for other in &twilio.numbers {
        if known.contains(&&other.number) {
            errors.push(format!("[twilio] has the number {} twice", other.number));
        }
        known.push(&other.number);
    }
    for number in twilio.whatsapp.iter().filter(|number| !known.contains(number)) {
        errors.push(format!("[twilio] whatsapp: {number} is none of the account's numbers"));
    }
    errors
}

/// Whether services differ, each number is the account's and belongs to one of them at most, and a route
/// has something to stand on.
fn services(settings: &Settings) -> Vec<String> {
    let twilio = &settings.twilio;
    let numbers = twilio.numbers.iter().map(|other| &other.number);
    let known: Vec<&Phone> = std::iter::once(&twilio.number).chain(numbers).collect();
    let mut errors = Vec::new();
    let mut taken: Vec<(&Phone, &str)> = Vec::new();
    for (at, service) in twilio.services.iter().enumerate() {
        let name = service.name.as_str();
        if name.is_empty() {
            errors.push("[[twilio.services]] needs a name that is not empty".to_owned());
        }
        let same = |other: &&MessagingService| {
            other.name == name || (other.sid.is_some() && other.sid == service.sid)
        };
        let before = twilio.services.get(..at).unwrap_or_default();
        if let Some(MessagingService { name: other, .. }) = before.iter().find(same) {
            errors.push(format!("[[twilio.services]] `{other}` and `{name}` are the same one"));
        }
        for number in &service.numbers {
            if !known.contains(&number) {
                errors.push(format!(
                    "[[twilio.services]] {number} of `{name}` is none of the account's numbers"
                ));
            }
            if let Some((_, other)) = taken.iter().find(|(other, _)| *other == number) {
                errors.push(format!(
                    "[[twilio.services]] {number} belongs to `{other}` and `{name}`, but to one alone at Twilio"
                ));
            }
            taken.push((number, name));
        }
        let has_route = service.route.is_some()
            || service.fallback.is_some()
            || service.status_callback.is_some();
        if has_route && settings.webhook.is_none() {
            errors.push(format!(
                "[[twilio.services]] `{name}` has a route, which needs [webhook] to be a URL"
            ));
        }
    }
    errors
}

fn people(settings: &Settings) -> Vec<String> {
    let mut errors = Vec::new();
    if !settings.people.contains_key("customer") {
        errors.push("[people] needs `customer`: who texts unless a step says otherwise".to_owned());
    }
    let mut owners = BTreeMap::from([(settings.twilio.number.as_str(), "the shop")]);
    for (name, number) in &settings.people {
        if let Some(other) = owners.insert(number.as_str(), name) {
            errors.push(format!("[people] {name} and {other} have the same number {number}"));
        }
    }
    errors
}
