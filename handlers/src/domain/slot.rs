//! Slots: a date and a time of day on the shop's wall clock.

use std::fmt;

use jiff::civil;

/// A time of day in whole minutes, ordered by time (`9:00 AM` before `10:00 AM`).
///
/// `Display` gives the form of tables and texts: `2:00 PM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotTime {
    minutes: u16,
}

/// The text is not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid time format. Use a time like 2:00 PM")]
pub struct TimeError;

/// The text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid date format. Use YYYY-MM-DD")]
pub struct DateError;

impl SlotTime {
    /// The time at an hour (0-23) and minute (0-59); `None` outside of these ranges.
    pub const fn new(hour: u8, minute: u8) -> Option<Self> {
        if hour < 24 && minute < 60 {
            Some(Self { minutes: hour as u16 * 60 + minute as u16 })
        } else {
            None
        }
    }

    /// The time at a minute of the day (0-1439); `None` from midnight on.
    pub const fn from_minute_of_day(minutes: u16) -> Option<Self> {
        if minutes < 24 * 60 { Some(Self { minutes }) } else { None }
    }

    /// The time of a wall clock, to the minute.
    pub fn of(clock: civil::DateTime) -> Self {
        Self {
            minutes: u16::from(clock.hour().unsigned_abs()) * 60
                + u16::from(clock.minute().unsigned_abs()),
        }
    }

    /// The full hour of the day; hours from 24 on wrap around.
    pub const fn hour_of_day(hour: u8) -> Self {
        Self { minutes: (hour % 24) as u16 * 60 }
    }

    /// Every time from `first` to `last`, `step` minutes apart.
    pub fn every(step: usize, first: Self, last: Self) -> impl Iterator<Item = Self> {
        (first.minutes..=last.minutes).step_by(step.max(1)).map(|minutes| Self { minutes })
    }

    /// Minutes since midnight, 0 to 1439.
    pub const fn minute_of_day(self) -> u16 {
        self.minutes
    }

    /// Hour, 0 to 23.
    pub fn hour(self) -> u8 {
        u8::try_from(self.minutes / 60).unwrap_or_default()
    }

    /// Minute, 0 to 59.
    pub fn minute(self) -> u8 {
        u8::try_from(self.minutes % 60).unwrap_or_default()
    }

    /// Parses `2:00 PM`, `2pm`, `2 PM`, `02:00 p.m.` or `14:00`.
    ///
    /// # Errors
    /// When the text is no time of day. A number alone is none: `2` could be morning or afternoon.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '.')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        let (clock, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
            (Some(clock), _) => (clock, Some(0)),
            (_, Some(clock)) => (clock, Some(12)),
            _ => (text.as_str(), None),
        };
        let (hour, minute) = match clock.split_once(':') {
            Some((hour, minute)) if minute.len() == 2 => (number(hour)?, number(minute)?),
            None if half.is_some() => (number(clock)?, 0),
            _ => return Err(TimeError),
        };
        let hour = match half {
            None => hour,
            Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
            Some(_) => return Err(TimeError),
        };
        Self::new(hour, minute).ok_or(TimeError)
    }
}

/// Parses one or two digits, without the sign that `str::parse` would accept.
fn number(digits: &str) -> Result<u8, TimeError> {
    let sound = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { digits.parse().map_err(|_| TimeError) } else { Err(TimeError) }
}

impl fmt::Display for SlotTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.hour() < 12 { "AM" } else { "PM" };
        let hour = match self.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        write!(f, "{hour}:{:02} {half}", self.minute())
    }
}

/// The times as customers and the API see them: `2:00 PM`.
pub fn time_texts(times: &[SlotTime]) -> Vec<String> {
    times.iter().map(SlotTime::to_string).collect()
}

/// Parses a date of exactly the form `YYYY-MM-DD`.
///
/// # Errors
/// When the text has another form or the date does not exist.
pub fn parse_date(text: &str) -> Result<civil::Date, DateError> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, b)| match at {
            4 | 7 => *b == b'-',
            _ => b.is_ascii_digit(),
        });
    if shaped { text.parse().map_err(|_| DateError) } else { Err(DateError) }
}

/// A date and a time on the shop's wall clock.
///
/// `Display` gives the form for people, `Wed Feb 11, 2:00 PM`, and [`Slot::wall_clock`] that of
/// keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    date: civil::Date,
    time: SlotTime,
}

impl Slot {
    /// The slot of a date at a time.
    pub const fn new(date: civil::Date, time: SlotTime) -> Self {
        Self { date, time }
    }

    /// Its date.
    pub fn date(self) -> civil::Date {
        self.date
    }

    /// Its time of day.
    pub fn time(self) -> SlotTime {
        self.time
    }

    /// Date and time as one value.
    pub fn start(self) -> civil::DateTime {
        // Hour and minute are in range by construction.
        let hour = i8::try_from(self.time.hour()).unwrap_or_default();
        let minute = i8::try_from(self.time.minute()).unwrap_or_default();
        self.date.at(hour, minute, 0, 0)
    }

    /// The key of a customer's booking, `2026-02-11T14:00`. Keys sort by time.
    pub fn wall_clock(self) -> String {
        format!("{}T{:02}:{:02}", self.date, self.time.hour(), self.time.minute())
    }

    /// Parses the form of [`Slot::wall_clock`].
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse_wall_clock(text: &str) -> Result<Self, DateError> {
        let (date, clock) = text.split_once('T').ok_or(DateError)?;
        let time = SlotTime::parse(clock).map_err(|_| DateError)?;
        let slot = Self::new(parse_date(date)?, time);
        if slot.wall_clock() == text { Ok(slot) } else { Err(DateError) }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.date.strftime("%a %b %-d"), self.time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let two = SlotTime::new(14, 0).unwrap();
        for form in ["2:00 PM", "2pm", "2 PM", "02:00 PM", "14:00", " 2:00 p.m. "] {
            assert_eq!(SlotTime::parse(form), Ok(two), "{form}");
        }
        assert_eq!(SlotTime::parse("12 AM").unwrap().to_string(), "12:00 AM");
        assert_eq!(SlotTime::parse("12:30pm").unwrap(), SlotTime::new(12, 30).unwrap());
    }

    #[test]
    fn texts_that_are_no_times_are_refused() {
        for bad in ["", "2", "25:00", "13 PM", "0 AM", "2:5 PM", "2:60 PM", "+2 PM", "noon", ":00"]
        {
            assert_eq!(SlotTime::parse(bad), Err(TimeError), "{bad}");
        }
    }

    #[test]
    fn nine_comes_before_ten() {
        assert!(SlotTime::hour_of_day(9) < SlotTime::hour_of_day(10));
    }

    #[test]
    fn dates_have_one_form() {
        assert_eq!(parse_date("2026-02-11"), Ok(civil::date(2026, 2, 11)));
        for bad in
            ["", "2026-2-11", "02/11/2026", "2026-02-30", "20260211", " 2026-02-11", "2026-02-11T"]
        {
            assert_eq!(parse_date(bad), Err(DateError), "{bad}");
        }
    }

    #[test]
    fn forms_for_people_and_for_keys() {
        let slot = Slot::new(civil::date(2026, 2, 11), SlotTime::hour_of_day(14));
        assert_eq!(slot.to_string(), "Wed Feb 11, 2:00 PM");
        assert_eq!(slot.wall_clock(), "2026-02-11T14:00");
        assert_eq!(slot.start(), civil::datetime(2026, 2, 11, 14, 0, 0, 0));
    }

    proptest! {
        #[test]
        fn times_round_trip(hour in 0u8..24, minute in 0u8..60) {
            let time = SlotTime::new(hour, minute).unwrap();
            prop_assert_eq!(SlotTime::parse(&time.to_string()), Ok(time));
            prop_assert_eq!(SlotTime::parse(&format!("{hour}:{minute:02}")), Ok(time));
        }

        #[test]
        fn slots_round_trip(year in 2024i16..=2100, day in 0i32..365, hour in 0u8..24) {
            let date = civil::date(year, 1, 1).saturating_add(jiff::Span::new().days(day));
            let slot = Slot::new(date, SlotTime::hour_of_day(hour));
            prop_assert_eq!(Slot::parse_wall_clock(&slot.wall_clock()), Ok(slot));
            prop_assert_eq!(parse_date(&date.to_string()), Ok(date));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = SlotTime::parse(&text);
            let _ = parse_date(&text);
            let _ = Slot::parse_wall_clock(&text);
        }
    }
}
