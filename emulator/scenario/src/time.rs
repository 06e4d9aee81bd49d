//! Moments and spans of business time, as a scenario writes them.

use std::fmt;

use jiff::{SignedDuration, Span, Timestamp, Zoned, tz::TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// A span such as `10m`, `2h 30m` or `1 day`. Days follow the calendar.
#[derive(Debug, Clone, Copy)]
pub struct Wait(Span);

impl Wait {
    /// A span of minutes.
    pub(crate) fn minutes(minutes: i64) -> Self {
        Self(Span::new().minutes(minutes))
    }

    /// The moment this much later.
    ///
    /// # Errors
    /// The moment is beyond the last one that can be represented (year 9999).
    pub fn after(&self, from: &Zoned) -> Result<Timestamp, jiff::Error> {
        from.checked_add(self.0).map(|at| at.timestamp())
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = |why: &dyn fmt::Display| {
            de::Error::custom(format_args!(
                "'{text}' is not a span of time such as 10m, 2h 30m or 1 day ({why})"
            ))
        };
        let span: Span = text.parse().map_err(|e| wrong(&e))?;
        if !span.is_positive() {
            return Err(wrong(&"it must be longer than zero"));
        }
        Ok(Self(span))
    }
}

/// A short real time, such as `300ms` or `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay(pub std::time::Duration);

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let delay = text
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|d| std::time::Duration::try_from(d).ok());
        delay.map(Self).ok_or_else(|| {
            de::Error::custom(format_args!("'{text}' is not a delay such as 300ms or 2s"))
        })
    }
}

/// Business time between two events, such as `1s` or `0s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap(pub SignedDuration);

impl<'de> Deserialize<'de> for Gap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let gap = text.parse::<SignedDuration>().ok().filter(|gap| !gap.is_negative());
        gap.map(Self).ok_or_else(|| {
            de::Error::custom(format_args!("'{text}' is not a span of time such as 0s, 10s or 2m"))
        })
    }
}

/// A moment with its offset, such as `2026-02-10T15:10:00-05:00`; may hold templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment(String);

impl Moment {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment of a text without templates, in its own offset.
    ///
    /// # Errors
    /// The text is not a moment with an offset; the message has an example.
    pub fn parse(text: &str) -> Result<Zoned, String> {
        let wrong = |why: &dyn fmt::Display| {
            format!("'{text}' is not a moment such as 2026-02-10T15:10:00-05:00 ({why})")
        };
        let at: Timestamp = text.parse().map_err(|e| wrong(&e))?;
        let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|e| wrong(&e))?;
        let zone = pieces.to_numeric_offset().map_or(TimeZone::UTC, TimeZone::fixed);
        Ok(at.to_zoned(zone))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.contains("{{") {
            Self::parse(&text).map_err(de::Error::custom)?;
        }
        Ok(Self(text))
    }
}

macro_rules! text_schema {
    ($type:ident, $description:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $description })
            }
        }
    };
}

text_schema!(Wait, "A span of business time: 10m, 2h 30m, 1 day");
text_schema!(Delay, "A real delay: 300ms, 2s");
text_schema!(Gap, "A span of business time, or none: 0s, 10s, 2m");
text_schema!(Moment, "A moment with its offset: 2026-02-10T15:10:00-05:00");

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_saphyr::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn a_wait_follows_the_calendar() {
        let from = Moment::parse("2026-02-10T15:10:00-05:00").unwrap();
        let after = |text: &str| read::<Wait>(text).unwrap().after(&from).unwrap().to_string();
        assert_eq!(after("10m"), "2026-02-10T20:20:00Z");
        assert_eq!(after("1 day"), "2026-02-11T20:10:00Z");
        assert_eq!(after("2h 30m"), "2026-02-10T22:40:00Z");
    }

    #[test]
    fn a_moment_needs_its_offset_and_keeps_it() {
        let at = Moment::parse("2026-02-10T23:10:00-05:00").unwrap();
        assert_eq!(at.date().to_string(), "2026-02-10");
        assert!(Moment::parse("2026-02-10T15:10:00").unwrap_err().contains("such as 2026-02-10"));
        assert!(read::<Moment>("tomorrow").is_err());
        assert!(read::<Moment>("'{{ day(1) }}T09:00:00-05:00'").is_ok());
    }

    #[test]
    fn wrong_spans_are_refused() {
        assert!(read::<Wait>("soon").unwrap_err().contains("such as 10m"));
        assert!(read::<Wait>("0s").is_err());
        assert!(read::<Wait>("-1m").is_err());
        assert_eq!(read::<Delay>("300ms").unwrap().0.as_millis(), 300);
        assert!(read::<Delay>("-1s").is_err());
        assert_eq!(read::<Gap>("0s").unwrap().0, SignedDuration::ZERO);
        assert_eq!(read::<Gap>("2m").unwrap().0.as_secs(), 120);
        assert!(read::<Gap>("-1s").is_err());
    }
}
