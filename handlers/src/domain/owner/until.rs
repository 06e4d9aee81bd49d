//! Until when the owner's status lasts.

use std::fmt;

use jiff::{Timestamp, civil};

/// A moment, or a time on the shop's wall clock, whose zone only the calendar knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// RFC 3339, with an offset.
    Instant(Timestamp),
    /// `YYYY-MM-DDTHH:MM` on the shop's wall clock.
    Local(civil::DateTime),
}

impl Until {
    /// Parses RFC 3339 or `YYYY-MM-DDTHH:MM`, also with seconds; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(time) = text.parse() {
            return Some(Self::Instant(time));
        }
        let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
            .iter()
            .find_map(|form| civil::DateTime::strptime(form, text).ok())?;
        // Years before are slips of the finger.
        if local.year() < 2000 {
            return None;
        }
        local.with().second(0).subsec_nanosecond(0).build().ok().map(Self::Local)
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(time) => time.fmt(f),
            Self::Local(time) => time.strftime("%Y-%m-%dT%H:%M").fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written_alike() {
        for text in ["2026-02-10T15:00", "2026-02-10T20:00:00Z"] {
            assert_eq!(Until::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Until::parse("2026-02-10T15:00:00-05:00"), Until::parse("2026-02-10T20:00:00Z"));
        assert_eq!(Until::parse("2026-02-10T15:00:30"), Until::parse("2026-02-10T15:00"));
        for bad in
            ["0026-02-10T15:00", "", "3 PM", "2026-02-10", "2026-02-30T10:00", "2026-02-10T25:00"]
        {
            assert_eq!(Until::parse(bad), None, "{bad}");
        }
    }
}
