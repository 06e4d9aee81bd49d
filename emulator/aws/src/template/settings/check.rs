//! What no single value of `rehearse.toml` can tell: whether they fit each other.

use std::collections::BTreeMap;

use super::{Phone, Settings, Twilio};

/// Everything that is wrong, a line each.
pub(super) fn errors(settings: &Settings) -> Vec<String> {
    let mut errors = ports(settings);
    errors.extend(twilio(&settings.twilio));
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
