//! A part of a day, and hours that may go past midnight.

use std::fmt;

use jiff::civil;

use super::slot::SlotTime;

const MIDNIGHT: u16 = 24 * 60;

/// A part of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// When it begins.
    pub start: SlotTime,
    /// How long it is, in minutes; never past midnight.
    pub minutes: u16,
}

impl TimeSpan {
    /// From midnight to midnight.
    pub const WHOLE_DAY: Self = Self { start: SlotTime::hour_of_day(0), minutes: MIDNIGHT };

    /// The span between two minutes of the day; `None` when it is empty or past midnight.
    pub fn between(start: u16, end: u16) -> Option<Self> {
        let minutes = end.checked_sub(start).filter(|minutes| *minutes > 0)?;
        if end > MIDNIGHT {
            return None;
        }
        Some(Self { start: SlotTime::from_minute_of_day(start)?, minutes })
    }

    /// The minute of the day at which it ends, at most 1440.
    pub fn end(self) -> u16 {
        self.start.minute_of_day().saturating_add(self.minutes)
    }

    /// Parses `09:00-17:00` or `9 AM-5:30 PM`. Midnight at the end is the end of the day, `24:00`.
    pub fn parse(text: &str) -> Option<Self> {
        let (start, end) = text.split_once(['-', '\u{2013}'])?;
        let start = SlotTime::parse(start).ok()?.minute_of_day();
        let end = match end.trim() {
            "24:00" => MIDNIGHT,
            end => SlotTime::parse(end).ok()?.minute_of_day(),
        };
        Self::between(start, if end == 0 { MIDNIGHT } else { end })
    }
}

/// The form of the API and of tables: `09:00-17:00`.
impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.end();
        write!(f, "{}-{:02}:{:02}", clock(self.start), end / 60, end % 60)
    }
}

/// Hours of every day that may go past midnight, such as 10 PM to 7 AM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyHours {
    from: SlotTime,
    until: SlotTime,
}

impl DailyHours {
    /// Parses `22:00-07:00` or `10 PM-7 AM`; `None` for anything else and for hours without length.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, until) = text.split_once(['-', '\u{2013}'])?;
        let until = if until.trim() == "24:00" { "00:00" } else { until };
        let (from, until) = (SlotTime::parse(from).ok()?, SlotTime::parse(until).ok()?);
        (from != until).then_some(Self { from, until })
    }

    /// Whether a moment lies in these hours. A time that comes twice lies in them both times.
    pub fn contains(self, now: civil::DateTime) -> bool {
        let at = SlotTime::of(now);
        let (begun, over) = (self.from <= at, self.until <= at);
        if self.from < self.until { begun && !over } else { begun || !over }
    }
}

/// The form of the API and of tables: `22:00-07:00`.
impl fmt::Display for DailyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", clock(self.from), clock(self.until))
    }
}

fn clock(time: SlotTime) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_day_are_read_and_written() {
        for (text, written) in [
            ("09:00-17:00", "09:00-17:00"),
            ("9 AM - 5:30 PM", "09:00-17:30"),
            ("9am\u{2013}noon", ""),
            ("18:00-24:00", "18:00-24:00"),
            ("6 PM-12 AM", "18:00-24:00"),
            ("17:00-09:00", ""),
            ("9-5", ""),
            ("09:00", ""),
            ("09:00-09:00", ""),
        ] {
            let read = TimeSpan::parse(text).map(|span| span.to_string());
            assert_eq!(read.unwrap_or_default(), written, "{text}");
        }
    }

    #[test]
    fn hours_may_go_past_midnight() {
        let night = DailyHours::parse("10 PM-7 AM").unwrap();
        assert_eq!(night.to_string(), "22:00-07:00");
        let at = |hour, minute| civil::datetime(2026, 2, 10, hour, minute, 0, 0);
        for (hour, minute, quiet) in
            [(23, 0, true), (3, 0, true), (6, 59, true), (7, 0, false), (21, 59, false)]
        {
            assert_eq!(night.contains(at(hour, minute)), quiet, "{hour}:{minute}");
        }
        let lunch = DailyHours::parse("12:00-13:00").unwrap();
        assert!(lunch.contains(at(12, 0)) && !lunch.contains(at(13, 0)));
        assert_eq!(DailyHours::parse("22:00-22:00"), None);
        assert_eq!(DailyHours::parse("22:00-24:00").unwrap().to_string(), "22:00-00:00");
    }
}
