//! Reads and changes what the owner decides about the calendar.

use std::sync::Arc;

use jiff::{Timestamp, civil};

use super::{
    current_calendar::current_calendar,
    error_chain::ErrorChain,
    owner_desk::{OwnerDesk, TimeOffError},
};
use crate::{
    domain::{
        calendar::Calendar,
        calendar_settings::{CalendarPatch, CalendarSettings},
        changed_by::ChangedBy,
        day_schedule::{HeldTime, HeldTimes},
        slot::Slot,
        time_off,
        time_span::TimeSpan,
    },
    ports::{OwnerWriteOutcome, Store, StoreError},
};

/// Attempts at a change that other writers come before.
const ATTEMPTS: usize = 5;

/// The use case: reading and changing the calendar's settings.
#[derive(Clone)]
pub struct OwnerCalendarService {
    store: Arc<dyn Store>,
    deployed: Calendar,
}

/// Why the settings were not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnerCalendarError {
    /// The database failed.
    #[error("the calendar is not available right now")]
    Store(#[from] StoreError),
    /// Other writers kept coming first.
    #[error("the calendar is being changed by somebody else")]
    Contended,
    /// The caller has seen another version than this one.
    #[error("the calendar has version {} by now", .0.version)]
    Outdated(Box<CalendarSettings>),
}

impl OwnerCalendarService {
    /// The use case on a store, with the calendar that holds until its owner changes it.
    pub fn new(store: Arc<dyn Store>, deployed: Calendar) -> Self {
        Self { store, deployed }
    }

    /// The name of the time zone.
    pub fn zone_name(&self) -> &str {
        self.deployed.zone_name()
    }

    /// Returns the settings: the deployed ones until the first change.
    ///
    /// # Errors
    /// [`OwnerCalendarError::Store`] when they cannot be read.
    pub async fn get(&self) -> Result<CalendarSettings, OwnerCalendarError> {
        let settings = self.store.calendar_settings().await?;
        Ok(settings.unwrap_or_else(|| self.deployed.settings().clone()))
    }

    /// Changes the given fields, if any, and returns the new settings. Concurrent changes are
    /// merged, unless the change names the version that it is of.
    ///
    /// # Errors
    /// Every [`OwnerCalendarError`]; [`OwnerCalendarError::Contended`] after five attempts that
    /// other writers came before.
    pub async fn update(
        &self,
        patch: &CalendarPatch,
        by: ChangedBy,
        now: Timestamp,
    ) -> Result<CalendarSettings, OwnerCalendarError> {
        let next = |settings: &CalendarSettings| {
            (!patch.changes_nothing()).then(|| settings.merge(patch, by, now))
        };
        self.change(patch.expected_version(), next).await
    }

    /// Resets the settings to the deployed ones and returns them.
    ///
    /// # Errors
    /// As for [`OwnerCalendarService::update`].
    pub async fn reset(
        &self,
        by: ChangedBy,
        now: Timestamp,
    ) -> Result<CalendarSettings, OwnerCalendarError> {
        let deployed = self.deployed.settings();
        self.change(None, |settings| Some(deployed.clone().changed(settings.version, by, now)))
            .await
    }

    /// The bookings of today and later that the calendar, as it is now, leaves no room for, and the
    /// dates with rows that cannot be read; `None` when nothing can be read. A booking that is
    /// written after this reading was decided on the calendar of now, so after a change none is
    /// missed.
    pub async fn touched_bookings(&self, now: Timestamp) -> Option<HeldTimes> {
        match self.read_touched(now).await {
            Ok(touched) => Some(touched),
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "failed to read the bookings that a change touches");
                None
            }
        }
    }

    /// The time off of today and later, in order; pieces that meet are one.
    ///
    /// # Errors
    /// [`OwnerCalendarError::Store`] when it cannot be read.
    pub async fn time_off(&self, now: Timestamp) -> Result<Vec<HeldTime>, OwnerCalendarError> {
        let mut held = self.store.holds_from(self.deployed.today(now)).await?;
        held.times.retain(|held| held.hold.is_time_off);
        let days = held.times.chunk_by(|a, b| a.date == b.date);
        let pieces = days.flat_map(|day| {
            let date = day.first().map(|held| held.date);
            let pieces = time_off::merged(day.iter().map(|held| &held.hold));
            pieces.into_iter().filter_map(move |hold| Some(HeldTime { date: date?, hold }))
        });
        Ok(pieces.collect())
    }

    /// Takes a part of a date off, or all of it. Bookings stay, and the answer names those that it
    /// touches.
    ///
    /// # Errors
    /// Every [`TimeOffError`].
    pub async fn take_off(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
        now: Timestamp,
    ) -> Result<HeldTimes, TimeOffError> {
        let (_, calendar) = current_calendar(self.store.as_ref(), &self.deployed).await?;
        let desk = OwnerDesk { store: self.store.as_ref(), calendar: &calendar, now };
        let touched = desk.take_off(date, part).await?;
        let times = touched.bookings.into_iter().map(|hold| HeldTime { date, hold }).collect();
        let unreadable = touched.is_unreadable.then_some(date).into_iter().collect();
        Ok(HeldTimes { times, unreadable })
    }

    /// Ends time off within a part of a date, or all of it. Returns whether there was any.
    ///
    /// # Errors
    /// [`TimeOffError::Over`] and [`TimeOffError::Store`].
    pub async fn give_back(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
        now: Timestamp,
    ) -> Result<bool, TimeOffError> {
        let desk = OwnerDesk { store: self.store.as_ref(), calendar: &self.deployed, now };
        desk.give_back(date, part).await
    }

    async fn read_touched(&self, now: Timestamp) -> Result<HeldTimes, StoreError> {
        let (_, calendar) = current_calendar(self.store.as_ref(), &self.deployed).await?;
        let local = calendar.local(now);
        let mut held = self.store.holds_from(local.date()).await?;
        held.times.retain(|HeldTime { date, hold }| {
            let (slot, needed) = (Slot::new(*date, hold.start), hold.time_needed());
            hold.is_expected()
                && needed.is_open_at(slot, local)
                && !calendar.has_room_for(slot, needed, now)
        });
        Ok(held)
    }

    async fn change(
        &self,
        seen: Option<u64>,
        next: impl Fn(&CalendarSettings) -> Option<CalendarSettings> + Send,
    ) -> Result<CalendarSettings, OwnerCalendarError> {
        for _ in 0..ATTEMPTS {
            let before = self.get().await?;
            if seen.is_some_and(|seen| seen != before.version) {
                return Err(OwnerCalendarError::Outdated(Box::new(before)));
            }
            // Nothing is written, so no booking has to be decided again.
            let Some(after) = next(&before) else { return Ok(before) };
            match self.store.put_calendar_settings(&after, before.version).await? {
                OwnerWriteOutcome::Written => return Ok(after),
                OwnerWriteOutcome::Conflict => {}
            }
        }
        Err(OwnerCalendarError::Contended)
    }
}
