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
    calendar_settings::{CalendarSettings, OpeningHours},
    catalogue::{Repair, RepairKind},
    day_schedule::DaySchedule,
    owner::{OwnerState, Until},
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
    time_span::TimeSpan,
};

/// The shop's calendar in its time zone, as its owner has it.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone_name: String,
    zone: TimeZone,
    settings: CalendarSettings,
    away_until: Option<Timestamp>,
    owner_version: u64,
}

/// The versions of the owner's rows that a decision is based on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CalendarVersions {
    /// Of the calendar's settings.
    pub settings: u64,
    /// Of the owner's state, whose `until` blocks slots.
    pub owner: u64,
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnbookableReason {
    /// It has already begun.
    #[error("That date or time is in the past")]
    InThePast,
    /// It begins sooner than the notice that the shop needs.
    #[error("That is too soon: a booking needs at least {0} minutes notice")]
    TooSoon(u16),
    /// Its date is too far ahead.
    #[error("That is too far ahead: bookings are taken for the next {0} days")]
    BeyondHorizon(u16),
    /// The shop is closed on that weekday.
    #[error("The shop is closed on {}s", weekday_name(*.0))]
    ClosedDay(Weekday),
    /// The owner has closed that date.
    #[error("The shop is closed on {}", .0.strftime("%a %b %-d"))]
    ClosedDate(civil::Date),
    /// No slot begins at that time.
    #[error("There is no slot at that time: {}", slots_text(*.interval, .parts))]
    NotASlotTime {
        /// Minutes from one slot to the next.
        interval: u16,
        /// First and last slot of each part of the day that is long enough.
        parts: Vec<(SlotTime, SlotTime)>,
    },
    /// The owner is away until then, on the shop's wall clock.
    #[error("Nothing can be booked before {}", .0.strftime("%a %b %-d, %-I:%M %p"))]
    OwnerAway(civil::DateTime),
    /// Clocks are set forward over that time.
    #[error("That time does not exist on that date: clocks are set forward")]
    NonexistentLocalTime,
    /// Clocks are set forward before it would be over.
    #[error("Clocks are set forward during that appointment: please choose another time")]
    ClocksSetForward,
}

/// `slots begin hourly from 9:00 AM to 4:00 PM`.
fn slots_text(interval: u16, parts: &[(SlotTime, SlotTime)]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|(first, last)| match first == last {
            true => format!("at {first}"),
            false => format!("from {first} to {last}"),
        })
        .collect();
    match (parts.is_empty(), interval) {
        (true, _) => "no part of that day is long enough".to_owned(),
        (false, 60) => format!("slots begin hourly {}", parts.join(" and ")),
        (false, minutes) => format!("slots begin every {minutes} minutes {}", parts.join(" and ")),
    }
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
            settings: CalendarSettings::default(),
            away_until: None,
            owner_version: 0,
        })
    }

    /// The calendar with the usual hours on every weekday but these.
    #[must_use]
    pub fn with_closed_days(self, closed: &[Weekday]) -> Self {
        let settings = CalendarSettings { hours: OpeningHours::closed_on(closed), ..self.settings };
        Self { settings, ..self }
    }

    /// The calendar with the owner's settings; unchanged when there are none.
    #[must_use]
    pub fn with_settings(&self, settings: Option<CalendarSettings>) -> Self {
        let settings = settings.unwrap_or_else(|| self.settings.clone());
        Self { settings, ..self.clone() }
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
        Self { away_until, owner_version: owner.version, ..self.clone() }
    }

    /// What the owner decided about it.
    pub fn settings(&self) -> &CalendarSettings {
        &self.settings
    }

    /// The versions of the rows that it was made from.
    pub fn versions(&self) -> CalendarVersions {
        CalendarVersions { settings: self.settings.version, owner: self.owner_version }
    }

    /// How long a repair keeps the owner.
    pub fn time_needed(&self, repair: &Repair) -> TimeNeeded {
        self.settings.time_needed(repair)
    }

    /// Every length that an appointment can have: the usual one, and that of each kind of repair in
    /// the shop and at the customer's.
    pub fn lengths(&self) -> Vec<TimeNeeded> {
        let of_kind = |kind: RepairKind| {
            [false, true].map(|on_site| self.time_needed(&Repair::Listed { kind, on_site }))
        };
        let kinds = RepairKind::ALL.into_iter().flat_map(of_kind);
        std::iter::once(TimeNeeded::default()).chain(kinds).collect()
    }

    /// The end of the owner's absence on the shop's wall clock, while it lies in the future.
    pub fn away_until(&self, now: Timestamp) -> Option<civil::DateTime> {
        self.away_until.filter(|until| *until > now).map(|until| self.local(until))
    }

    /// Whether the calendar as it is at `now` leaves room for an appointment, apart from other ones.
    pub fn has_room_for(&self, slot: Slot, needed: TimeNeeded, now: Timestamp) -> bool {
        let away_until = self.away_until.filter(|until| *until > now);
        let is_away =
            away_until.is_some_and(|until| self.instant(slot).is_ok_and(|start| start < until));
        self.is_within_hours(slot, needed) && !is_away
    }

    /// The name of the time zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The parts of a date in which the shop is open; none when it is closed.
    pub fn parts(&self, date: civil::Date) -> &[TimeSpan] {
        if self.settings.closed_dates.contains(&date) {
            return &[];
        }
        self.settings.hours.parts(date.weekday())
    }

    /// The weekdays on which the shop is closed.
    pub fn closed_days(&self) -> Vec<Weekday> {
        let is_closed = |day: &Weekday| self.settings.hours.parts(*day).is_empty();
        weekdays().filter(is_closed).collect()
    }

    /// Whether the shop is closed on a date.
    pub fn is_closed(&self, date: civil::Date) -> bool {
        self.parts(date).is_empty()
    }

    /// Whether an appointment, with its travel, lies in the opening hours.
    pub fn is_within_hours(&self, slot: Slot, needed: TimeNeeded) -> bool {
        let (from, until) = needed.occupied(slot.time());
        let fits = |part: &TimeSpan| part.start.minute_of_day() <= from && until <= part.end();
        self.parts(slot.date()).iter().any(fits)
    }

    /// Date and time on the shop's wall clock.
    pub fn local(&self, now: Timestamp) -> civil::DateTime {
        self.zone.to_datetime(now)
    }

    /// The date on the shop's wall clock.
    pub fn today(&self, now: Timestamp) -> civil::Date {
        self.local(now).date()
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
                ambiguous
                    .earlier()
                    .map_err(|_| UnbookableReason::BeyondHorizon(self.settings.horizon_days))
            }
        }
    }

    /// Whether clocks are set forward during an appointment: by the clock it would end later than its
    /// length says, and run into the next one.
    fn is_cut_short(&self, slot: Slot, needed: TimeNeeded) -> bool {
        let (first, until) = needed.occupied(slot.time());
        let last = until.saturating_sub(1);
        let midnight = slot.date().to_datetime(civil::Time::midnight());
        let [from, to] = [first, last].map(|minute| {
            let time = self
                .zone
                .to_ambiguous_timestamp(midnight.saturating_add(Span::new().minutes(minute)));
            match time.offset() {
                AmbiguousOffset::Gap { .. } => None,
                AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                    time.earlier().ok()
                }
            }
        });
        let length = SignedDuration::from_mins(i64::from(last) - i64::from(first));
        !matches!((from, to), (Some(from), Some(to)) if to.duration_since(from) >= length)
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
        } else if date > today.saturating_add(Span::new().days(self.settings.horizon_days)) {
            Some(UnbookableReason::BeyondHorizon(self.settings.horizon_days))
        } else if self.settings.hours.parts(date.weekday()).is_empty() {
            Some(UnbookableReason::ClosedDay(date.weekday()))
        } else if self.is_closed(date) {
            Some(UnbookableReason::ClosedDate(date))
        } else {
            None
        }
    }

    /// Why a slot cannot be listed or booked for an appointment that needs so much time, apart from
    /// other bookings; `None` when it can.
    pub fn unbookable_reason(
        &self,
        slot: Slot,
        needed: TimeNeeded,
        now: Timestamp,
    ) -> Option<UnbookableReason> {
        if let Some(reason) = self.day_unbookable_reason(slot.date(), now) {
            return Some(reason);
        }
        if !self.slot_times(slot.date(), needed).any(|time| time == slot.time()) {
            return Some(self.not_a_slot_time(slot.date(), needed));
        }
        let notice = SignedDuration::from_mins(self.settings.notice_minutes.into());
        match self.instant(slot) {
            Err(reason) => Some(reason),
            Ok(start) if start < now => Some(UnbookableReason::InThePast),
            Ok(start) if start.duration_since(now) < notice => {
                Some(UnbookableReason::TooSoon(self.settings.notice_minutes))
            }
            Ok(_) if self.is_cut_short(slot, needed) => Some(UnbookableReason::ClocksSetForward),
            Ok(start) => self
                .away_until
                .filter(|until| start < *until)
                .map(|until| UnbookableReason::OwnerAway(self.local(until))),
        }
    }

    /// The slots of a date that can be booked for an appointment that needs so much time, ordered by
    /// time; none while a row of the date cannot be read.
    pub fn bookable_slots(
        &self,
        date: civil::Date,
        day: &DaySchedule,
        needed: TimeNeeded,
        now: Timestamp,
    ) -> Vec<SlotTime> {
        if !day.unreadable.is_empty() {
            return Vec::new();
        }
        self.slot_times(date, needed)
            .filter(|time| day.conflict(*time, needed, None).is_none())
            .filter(|time| self.unbookable_reason(Slot::new(date, *time), needed, now).is_none())
            .collect()
    }

    /// The times of a date at which an appointment that needs so much time may begin.
    fn slot_times(&self, date: civil::Date, needed: TimeNeeded) -> impl Iterator<Item = SlotTime> {
        self.parts(date).iter().flat_map(move |part| self.starts(*part, needed))
    }

    /// The times in a part of a day at which an appointment that needs so much time may begin.
    pub fn starts(
        &self,
        part: TimeSpan,
        needed: TimeNeeded,
    ) -> impl DoubleEndedIterator<Item = SlotTime> + use<> {
        let (opens, closes) = (part.start.minute_of_day(), part.end());
        let fits = move |start: &SlotTime| {
            let at = start.minute_of_day();
            let end = at.saturating_add(needed.minutes).saturating_add(needed.travel);
            at.checked_sub(needed.travel).is_some_and(|from| opens <= from) && end <= closes
        };
        (opens..closes)
            .step_by(usize::from(self.settings.slot_interval_minutes.max(1)))
            .filter_map(SlotTime::from_minute_of_day)
            .filter(fits)
    }

    fn not_a_slot_time(&self, date: civil::Date, needed: TimeNeeded) -> UnbookableReason {
        let parts = self.parts(date).iter().filter_map(|part| {
            let mut starts = self.starts(*part, needed);
            let first = starts.next()?;
            Some((first, starts.next_back().unwrap_or(first)))
        });
        UnbookableReason::NotASlotTime {
            interval: self.settings.slot_interval_minutes,
            parts: parts.collect(),
        }
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

/// The days of a week, from Monday on.
pub(crate) fn weekdays() -> impl Iterator<Item = Weekday> {
    Weekday::Monday.cycle_forward().take(7)
}

/// Parses a weekday's English name in any case, ignoring surrounding space.
pub fn parse_weekday(name: &str) -> Option<Weekday> {
    weekdays().find(|day| weekday_name(*day).eq_ignore_ascii_case(name.trim()))
}
