//! Reads variables one by one and remembers everything that is wrong.

use std::{fmt, time::Duration};

use jiff::civil::Weekday;
use url::Url;

use super::{Secret, Vars};
use crate::domain::{calendar::Calendar, phone::Phone};

/// Everything that is wrong with the configuration.
#[derive(Debug, Default, thiserror::Error)]
pub struct ConfigError {
    /// Required variables that are not set, or empty.
    pub missing: Vec<&'static str>,
    /// Variables whose value cannot be used.
    pub invalid: Vec<InvalidVariable>,
}

/// A variable whose value cannot be used. The value is not kept: it may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    /// The variable.
    pub name: &'static str,
    /// What it must be.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is unusable")?;
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        for (index, InvalidVariable { name, expected }) in self.invalid.iter().enumerate() {
            let separator = if index == 0 { "; invalid: " } else { ", " };
            write!(f, "{separator}{name} (must be {expected})")?;
        }
        Ok(())
    }
}

/// Parses a value, or says what it must be.
type Parse<T> = fn(&str) -> Result<T, &'static str>;

pub(super) struct VarReader<'a> {
    vars: &'a Vars,
    problems: ConfigError,
}

impl<'a> VarReader<'a> {
    pub(super) fn new(vars: &'a Vars) -> Self {
        Self { vars, problems: ConfigError::default() }
    }

    /// An empty variable counts as one that is not set: templates cannot leave one out.
    fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.vars.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn required<T>(&mut self, name: &'static str, parse: Parse<T>) -> Option<T> {
        if !self.is_set(name) {
            self.missing(name);
        }
        self.optional(name, parse)
    }

    /// Notes that a variable is not set; once, however many need it.
    pub(super) fn missing(&mut self, name: &'static str) {
        if !self.problems.missing.contains(&name) {
            self.problems.missing.push(name);
        }
    }

    /// Notes that a variable cannot be used.
    pub(super) fn invalid(&mut self, name: &'static str, expected: &'static str) {
        self.problems.invalid.push(InvalidVariable { name, expected });
    }

    pub(super) fn optional<T>(&mut self, name: &'static str, parse: Parse<T>) -> Option<T> {
        let value = self.get(name)?;
        self.parse(name, value, parse)
    }

    pub(super) fn with_default<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: Parse<T>,
    ) -> Option<T> {
        let value = self.get(name).unwrap_or(default);
        self.parse(name, value, parse)
    }

    fn parse<T>(&mut self, name: &'static str, value: &str, parse: Parse<T>) -> Option<T> {
        match parse(value) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.invalid(name, expected);
                None
            }
        }
    }

    /// The configuration, unless anything was wrong.
    pub(super) fn finish<T>(self, config: Option<T>) -> Result<T, ConfigError> {
        match config {
            Some(config)
                if self.problems.missing.is_empty() && self.problems.invalid.is_empty() =>
            {
                Ok(config)
            }
            _ => Err(self.problems),
        }
    }
}

pub(super) fn text(value: &str) -> Result<String, &'static str> {
    Ok(value.to_owned())
}

pub(super) fn secret(value: &str) -> Result<Secret, &'static str> {
    Ok(Secret::new(value))
}

/// A secret that travels in a header: the client would panic on anything else.
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

/// Exact E.164 is taken as it is: an operator may have a number that no plan knows.
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

/// URLs as they stand, because Twilio signs them verbatim; it strips the fragment (`#rc=2`).
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

/// The usual opening hours in a time zone.
pub(super) fn shop_calendar(value: &str) -> Result<Calendar, &'static str> {
    Calendar::new(value).map_err(|_| "a time zone such as America/New_York")
}

pub(super) fn weekdays(value: &str) -> Result<Vec<Weekday>, &'static str> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    value
        .split(',')
        .map(|name| weekday(name.trim()).ok_or("weekdays separated by commas, or none"))
        .collect()
}

fn weekday(name: &str) -> Option<Weekday> {
    Some(match name.to_ascii_lowercase().as_str() {
        "monday" => Weekday::Monday,
        "tuesday" => Weekday::Tuesday,
        "wednesday" => Weekday::Wednesday,
        "thursday" => Weekday::Thursday,
        "friday" => Weekday::Friday,
        "saturday" => Weekday::Saturday,
        "sunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Twilio gives up after 15 seconds, the function (`template.yaml`) after 14, and closing a turn
/// that failed takes up to 1.5: a longer deadline would be silence.
pub(super) fn deadline(value: &str) -> Result<Duration, &'static str> {
    match value.parse() {
        Ok(millis @ 1..=12_000) => Ok(Duration::from_millis(millis)),
        _ => Err("milliseconds from 1 to 12000"),
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
