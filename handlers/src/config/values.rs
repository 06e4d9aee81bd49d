//! Parsers of single values. Each returns the value, or what the value must be.

use std::time::Duration;

use jiff::civil::Weekday;
use url::Url;

use super::Secret;
use crate::domain::{
    calendar::{Calendar, parse_weekday},
    form_hold::FormConfirmation,
    phone::Phone,
};

pub(super) fn text(value: &str) -> Result<String, &'static str> {
    Ok(value.to_owned())
}

pub(super) fn secret(value: &str) -> Result<Secret, &'static str> {
    Ok(Secret::new(value))
}

/// A secret that is sent in a header. The HTTP client would panic on other characters.
pub(super) fn header_secret(value: &str) -> Result<Secret, &'static str> {
    http::HeaderValue::from_str(value).map(|_| Secret::new(value)).map_err(|_| "printable ASCII")
}

pub(super) fn account_sid(value: &str) -> Result<String, &'static str> {
    let alphanumeric = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if alphanumeric && value.starts_with("AC") {
        Ok(value.to_owned())
    } else {
        Err("an account SID, AC...")
    }
}

/// Takes exact E.164 as it is, because an operator may have a number outside of all numbering
/// plans.
pub(super) fn phone(value: &str) -> Result<Phone, &'static str> {
    Phone::from_e164(value).or_else(|_| Phone::parse(value)).map_err(|_| "a phone number, +1...")
}

pub(super) fn base_url(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "an http or https URL without query";
    let url = http_url(value).ok_or(EXPECTED)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(EXPECTED);
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// URLs exactly as given, because Twilio signs them as configured, but without fragment (`#rc=2`),
/// which Twilio strips.
pub(super) fn urls(value: &str) -> Result<Vec<String>, &'static str> {
    value
        .split([',', ' ', '\n'])
        .filter(|part| !part.is_empty())
        .map(|part| part.split('#').next().unwrap_or(part))
        .map(|part| match http_url(part) {
            Some(_) => Ok(part.to_owned()),
            None => Err("http or https URLs, separated by commas"),
        })
        .collect()
}

fn http_url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// The usual opening hours in this time zone.
pub(super) fn shop_calendar(value: &str) -> Result<Calendar, &'static str> {
    Calendar::new(value).map_err(|_| "a time zone such as America/New_York")
}

pub(super) fn weekdays(value: &str) -> Result<Vec<Weekday>, &'static str> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    value
        .split(',')
        .map(|name| parse_weekday(name).ok_or("weekdays separated by commas, or none"))
        .collect()
}

/// Twilio gives up after 15 seconds and the function (`template.yaml`) after 14. Closing a failed
/// turn takes up to 2 seconds, so after a longer deadline the customer would get no answer.
pub(super) fn deadline(value: &str) -> Result<Duration, &'static str> {
    match value.parse() {
        Ok(millis @ 1..=12_000) => Ok(Duration::from_millis(millis)),
        _ => Err("milliseconds from 1 to 12000"),
    }
}

/// The functions behind it end after 10 s, and must have answered before.
pub(super) fn request_deadline(value: &str) -> Result<Duration, &'static str> {
    match value.parse() {
        Ok(millis @ 1..=9_500) => Ok(Duration::from_millis(millis)),
        _ => Err("milliseconds from 1 to 9500"),
    }
}

pub(super) fn form_confirmation(value: &str) -> Result<FormConfirmation, &'static str> {
    FormConfirmation::parse(value).ok_or("none or sms")
}

/// Who may embed a page, as in a header: `'none'`, or `'self'` and origins.
pub(super) fn frame_ancestors(value: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "'none', or 'self' and origins such as https://shop.example";
    let sources: Vec<&str> = value.split_whitespace().collect();
    let is_origin = |source: &str| {
        source.strip_prefix("https://").or_else(|| source.strip_prefix("http://")).is_some_and(
            |host| {
                let sound = |b: u8| b.is_ascii_alphanumeric() || b".-:*[]".contains(&b);
                !host.is_empty() && host.bytes().all(sound)
            },
        )
    };
    let sound = match sources.as_slice() {
        [] => false,
        ["'none'"] => true,
        sources => sources.iter().all(|source| *source == "'self'" || is_origin(source)),
    };
    if sound { Ok(sources.join(" ")) } else { Err(EXPECTED) }
}

/// How often something may be done. None at all would be a shop that takes nobody.
pub(super) fn count(value: &str) -> Result<usize, &'static str> {
    match value.parse() {
        Ok(count @ 1..=1_000) => Ok(count),
        _ => Err("a number from 1 to 1000"),
    }
}

/// The same for what one turn does several times.
pub(super) fn large_count(value: &str) -> Result<usize, &'static str> {
    match value.parse() {
        Ok(count @ 1..=10_000) => Ok(count),
        _ => Err("a number from 1 to 10000"),
    }
}

pub(super) fn port(value: &str) -> Result<u16, &'static str> {
    value.parse().ok().filter(|port| *port > 0).ok_or("a port")
}

/// A turn has no time for more.
pub(super) fn retries(value: &str) -> Result<u32, &'static str> {
    match value.parse() {
        Ok(retries @ 0..=5) => Ok(retries),
        _ => Err("a number from 0 to 5"),
    }
}
