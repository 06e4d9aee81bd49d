//! The shop's calendar: when it takes customers.
//!
//! One function, [`Calendar::unbookable_reason`], decides what is listed and what can be booked, so
//! the two cannot differ.

#[cfg(test)]
mod tests;

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{self, Weekday},
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

use super::{
    day_schedule::DaySchedule,
    owner::{OwnerState, Until},
    slot::{Slot, SlotTime},
};

const FIRST_SLOT: SlotTime = SlotTime::hour_of_day(9);
const LAST_SLOT: SlotTime = SlotTime::hour_of_day(16);
/// Minutes that an appointment lasts.
pub const SLOT_MINUTES: u16 = 60;
const NOTICE: SignedDuration = SignedDuration::from_hours(1);
const HORIZON_DAYS: i32 = 60;

/// The shop's opening hours in its time zone.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone_name: String,
    zone: TimeZone,
    first: SlotTime,
    last: SlotTime,
    closed: Vec<Weekday>,
    notice: SignedDuration,
    horizon_days: i32,
    away_until: Option<Timestamp>,
}

/// A time zone that the bundled database does not have.
#[derive(Debug, thiserror::Error)]
#[error("unknown time zone {name:?}")]
pub struct UnknownTimeZone {
    name: String,
    #[source]
    source: jiff::Error,
}

/// Why a slot cannot be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnbookableReason {
    /// It has already begun.
    #[error("That date or time is in the past")]
    InThePast,
    /// It begins sooner than the notice that the shop needs.
    #[error("That is too soon: a booking needs at least {} minutes notice", .0.as_mins())]
    TooSoon(SignedDuration),
    /// Its date is too far ahead.
    #[error("That is too far ahead: bookings are taken for the next {0} days")]
    BeyondHorizon(i32),
    /// The shop is closed on that weekday.
    #[error("The shop is closed on {}s", weekday_name(*.0))]
    ClosedDay(Weekday),
    /// No slot begins at that time.
    #[error("There is no slot at that time: slots begin hourly from {first} to {last}")]
    NotASlotTime {
        /// First slot of a day.
        first: SlotTime,
        /// Last slot of a day.
        last: SlotTime,
    },
    /// The owner is away until then, on the shop's wall clock.
    #[error("Nothing can be booked before {}", .0.strftime("%a %b %-d, %-I:%M %p"))]
    OwnerAway(civil::DateTime),
    /// Clocks are set forward over that time.
    #[error("That time does not exist on that date: clocks are set forward")]
    NonexistentLocalTime,
}

impl Calendar {
    /// The usual hours in a time zone of the bundled database, such as `America/New_York`.
    ///
    /// # Errors
    /// When the database has no such time zone.
    pub fn new(zone_name: &str) -> Result<Self, UnknownTimeZone> {
        let zone = TimeZoneDatabase::bundled()
            .get(zone_name)
            .map_err(|source| UnknownTimeZone { name: zone_name.to_owned(), source })?;
        Ok(Self {
            zone_name: zone_name.to_owned(),
            zone,
            first: FIRST_SLOT,
            last: LAST_SLOT,
            closed: vec![Weekday::Sunday],
            notice: NOTICE,
            horizon_days: HORIZON_DAYS,
            away_until: None,
        })
    }

    /// The calendar with these closed days instead of Sundays.
    #[must_use]
    pub fn with_closed_days(self, closed: Vec<Weekday>) -> Self {
        Self { closed, ..self }
    }

    /// The calendar as the owner's state leaves it: slots that begin before its `until` are blocked.
    #[must_use]
    pub fn with_owner(&self, owner: &OwnerState) -> Self {
        let away_until = owner.until.map(|until| match until {
            Until::Instant(time) => time,
            // Over a gap, the later reading: clocks go forward while the owner is away. Only the very
            // end of the calendar has no instant.
            Until::Local(time) => {
                self.zone.to_ambiguous_timestamp(time).compatible().unwrap_or(Timestamp::MAX)
            }
        });
        Self { away_until, ..self.clone() }
    }

    /// The end of the owner's absence on the shop's wall clock, while it lies in the future.
    pub fn away_until(&self, now: Timestamp) -> Option<civil::DateTime> {
        self.away_until.filter(|until| *until > now).map(|until| self.local(until))
    }

    /// The name of the time zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// First slot of a day.
    pub fn first(&self) -> SlotTime {
        self.first
    }

    /// Last slot of a day.
    pub fn last(&self) -> SlotTime {
        self.last
    }

    /// How many days ahead bookings are taken.
    pub fn horizon_days(&self) -> i32 {
        self.horizon_days
    }

    /// The weekdays on which the shop is closed.
    pub fn closed_days(&self) -> &[Weekday] {
        &self.closed
    }

    /// Whether the shop is closed on a date's weekday.
    pub fn is_closed(&self, date: civil::Date) -> bool {
        self.closed.contains(&date.weekday())
    }

    /// Date and time on the shop's wall clock.
    pub fn local(&self, now: Timestamp) -> civil::DateTime {
        self.zone.to_datetime(now)
    }

    /// The date on the shop's wall clock.
    pub fn today(&self, now: Timestamp) -> civil::Date {
        self.local(now).date()
    }

    /// The earliest start of an appointment that is not over.
    pub fn earliest_open(&self, now: Timestamp) -> civil::DateTime {
        // An appointment is over at its end, so one that began just this long ago is.
        self.local(now)
            .saturating_sub(Span::new().minutes(SLOT_MINUTES))
            .saturating_add(Span::new().seconds(1))
    }

    /// When a slot begins. A wall-clock time that occurs twice means the earlier one.
    ///
    /// # Errors
    /// [`UnbookableReason::NonexistentLocalTime`] when clocks are set forward over it,
    /// [`UnbookableReason::BeyondHorizon`] at the very end of the calendar.
    pub fn instant(&self, slot: Slot) -> Result<Timestamp, UnbookableReason> {
        let ambiguous = self.zone.to_ambiguous_timestamp(slot.start());
        match ambiguous.offset() {
            AmbiguousOffset::Gap { .. } => Err(UnbookableReason::NonexistentLocalTime),
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                // Only dates at the ends of the supported range have no timestamp.
                ambiguous.earlier().map_err(|_| UnbookableReason::BeyondHorizon(self.horizon_days))
            }
        }
    }

    /// Why nothing can be booked on a date; `None` when something may be free.
    pub fn day_unbookable_reason(
        &self,
        date: civil::Date,
        now: Timestamp,
    ) -> Option<UnbookableReason> {
        let today = self.today(now);
        if date < today {
            Some(UnbookableReason::InThePast)
        } else if date > today.saturating_add(Span::new().days(self.horizon_days)) {
            Some(UnbookableReason::BeyondHorizon(self.horizon_days))
        } else if self.is_closed(date) {
            Some(UnbookableReason::ClosedDay(date.weekday()))
        } else {
            None
        }
    }

    /// Why a slot cannot be listed or booked, apart from other bookings; `None` when it can.
    pub fn unbookable_reason(&self, slot: Slot, now: Timestamp) -> Option<UnbookableReason> {
        if let Some(reason) = self.day_unbookable_reason(slot.date(), now) {
            return Some(reason);
        }
        if !self.slot_times().any(|time| time == slot.time()) {
            return Some(UnbookableReason::NotASlotTime { first: self.first, last: self.last });
        }
        match self.instant(slot) {
            Err(reason) => Some(reason),
            Ok(start) if start < now => Some(UnbookableReason::InThePast),
            Ok(start) if start.duration_since(now) < self.notice => {
                Some(UnbookableReason::TooSoon(self.notice))
            }
            Ok(start) => self
                .away_until
                .filter(|until| start < *until)
                .map(|until| UnbookableReason::OwnerAway(self.local(until))),
        }
    }

    /// The slots of a date that can be booked, ordered by time; none while a row of the date cannot
    /// be read.
    pub fn bookable_slots(
        &self,
        date: civil::Date,
        day: &DaySchedule,
        now: Timestamp,
    ) -> Vec<SlotTime> {
        if day.unreadable > 0 {
            return Vec::new();
        }
        self.slot_times()
            .filter(|time| day.conflict(*time, SLOT_MINUTES, None).is_none())
            .filter(|time| self.unbookable_reason(Slot::new(date, *time), now).is_none())
            .collect()
    }

    /// The times of day at which slots begin.
    fn slot_times(&self) -> impl Iterator<Item = SlotTime> {
        SlotTime::every(SLOT_MINUTES.into(), self.first, self.last)
    }
}

/// A weekday's name in English.
pub fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// Parses a weekday's English name in any case, ignoring surrounding space.
pub fn parse_weekday(name: &str) -> Option<Weekday> {
    Weekday::Monday
        .cycle_forward()
        .take(7)
        .find(|day| weekday_name(*day).eq_ignore_ascii_case(name.trim()))
}
