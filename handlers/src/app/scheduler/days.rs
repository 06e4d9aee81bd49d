//! Several dates side by side, for a page on which one is chosen.

use futures::future::{join_all, try_join_all};
use jiff::{Span, Timestamp, civil};

use super::{Scheduler, SchedulerError};
use crate::{
    app::bookings::DayAvailability,
    domain::{
        calendar::Calendar,
        catalogue::Repair,
        slot::{Slot, SlotTime},
    },
};

/// Most dates that are read at once: each open one is a read of the database.
pub const MAX_DAYS: u16 = 14;

/// Dates in a row, and the calendar that they were decided on.
#[derive(Debug, Clone)]
pub struct Days {
    /// The calendar as its owner has it now.
    pub calendar: Calendar,
    /// Each date once, in order.
    pub days: Vec<DayOverview>,
}

/// What is free on a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayOverview {
    /// The date.
    pub date: civil::Date,
    /// What is free on it.
    pub state: DayState,
}

/// What is free on a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayState {
    /// The shop takes no bookings for it.
    Closed,
    /// Nothing is free that is long enough.
    Full,
    /// These times.
    Free(Vec<SlotTime>),
}

impl DayOverview {
    /// Free times, in order.
    pub fn free(&self) -> &[SlotTime] {
        match &self.state {
            DayState::Free(times) => times,
            DayState::Closed | DayState::Full => &[],
        }
    }
}

impl Days {
    /// A date among them.
    pub fn get(&self, date: civil::Date) -> Option<&DayOverview> {
        self.days.iter().find(|day| day.date == date)
    }
}

impl Scheduler {
    /// Random digits that tell one form from another, for its idempotency key.
    pub fn new_key(&self) -> String {
        self.ids.generate()
    }

    /// When a slot begins; `None` when clocks are set forward over it.
    pub fn instant(&self, slot: Slot) -> Option<Timestamp> {
        self.calendar.instant(slot).ok()
    }

    /// [`MAX_DAYS`] dates from one on, or fewer where bookings end. A date before today counts as
    /// today, and one after the last that can be booked as the last.
    ///
    /// # Errors
    /// [`SchedulerError::Store`] when the calendar cannot be read.
    pub async fn days(
        &self,
        from: Option<civil::Date>,
        repair: Option<&Repair>,
        now: Timestamp,
    ) -> Result<Days, SchedulerError> {
        let calendar = self.current_calendar().await?;
        let needed = repair.map(|repair| calendar.time_needed(repair)).unwrap_or_default();
        let today = calendar.today(now);
        let last = today.saturating_add(Span::new().days(calendar.settings().horizon_days));
        let first = from.unwrap_or(today).clamp(today, last);
        let dates = (0..MAX_DAYS)
            .map(|days| first.saturating_add(Span::new().days(days)))
            .take_while(|date| *date <= last);
        let bookings = self.bookings(&calendar, now);
        let read = |date: civil::Date| async move {
            bookings.available(date, needed).await.map(|day| (date, day))
        };
        let read = try_join_all(dates.map(read)).await?;
        let alerts = read.iter().map(|(_, day)| self.tell_of_unreadable_date(day, now));
        join_all(alerts).await;
        let overview = |(date, day)| {
            let is_closed = calendar.day_unbookable_reason(date, now).is_some();
            DayOverview { date, state: state(day, is_closed) }
        };
        let days = read.into_iter().map(overview).collect();
        Ok(Days { calendar, days })
    }
}

fn state(day: DayAvailability, is_closed: bool) -> DayState {
    if is_closed {
        DayState::Closed
    } else if day.slots.is_empty() {
        DayState::Full
    } else {
        DayState::Free(day.slots)
    }
}
