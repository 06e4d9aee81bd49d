//! Reads the calendar and books appointments, for texts and for the form. `changing` cancels and
//! moves them, `completing` marks them as done, `holding` holds a time for the form.
//!
//! Every write is complete before it is sent and conditional on what was read, so a repeat finds
//! its own work done.

mod changing;
mod completing;
mod holding;

use std::borrow::Cow;

use jiff::{Timestamp, civil};

use super::current_calendar::current_calendar;
use crate::{
    domain::{
        booking::{Booking, FormGuardUpdate, NewBooking, RecordWrite, RequestToken},
        calendar::{Calendar, UnbookableReason},
        catalogue::Repair,
        day_schedule::{DaySchedule, Hold},
        lead::{Lead, LeadId, LeadStatus},
        outbox::OutboxText,
        phone::Phone,
        slot::{Slot, SlotTime},
        time_needed::TimeNeeded,
        turn::TurnFence,
    },
    ports::{BookOutcome, Store, StoreError},
};

/// Attempts at a change while others change the same date.
const ATTEMPTS: usize = 6;

/// What is free on a date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayAvailability {
    /// Times that can be booked, in order.
    pub slots: Vec<SlotTime>,
    /// The date, when nothing is free because rows of it cannot be read.
    pub unreadable: Option<civil::Date>,
}

/// What is asked to be booked, whatever the date's schedule is.
#[derive(Debug, Clone)]
pub struct BookingDraft<'a> {
    /// The lead; its id and time are the same for every attempt.
    pub lead: Lead,
    /// When the customer asked for it: the notice that a booking needs counts from then.
    pub asked: Timestamp,
    /// Tells this booking from others.
    pub identity: &'a [&'a str],
    /// Whether it uses the customer's discount, if there is one.
    pub with_discount: bool,
    /// Update of the form guard, for bookings by the form.
    pub guard: Option<FormGuardUpdate>,
    /// What a repeat of the form's request finds.
    pub record: Option<RecordWrite>,
    /// Texts that go out because of the booking.
    pub notification: Vec<OutboxText>,
}

impl BookingDraft<'_> {
    /// The booking as decided on a date's schedule. All of its content is part of the token.
    fn on(
        &self,
        day: &DaySchedule,
        calendar: &Calendar,
        discount: Option<u8>,
        fence: Option<&TurnFence>,
    ) -> NewBooking {
        let time_needed = calendar.time_needed(&self.lead.repair);
        let calendar_versions = calendar.versions();
        let versions = [
            day.version,
            calendar_versions.settings,
            calendar_versions.owner,
            self.guard.map_or(0, |guard| guard.next.version),
            u64::from(discount.unwrap_or_default()),
        ];
        let versions = versions.map(|version| version.to_string());
        let holder = fence.map_or("", |fence| &fence.holder);
        let parts: Vec<&str> = (self.identity.iter().copied())
            .chain(versions.iter().map(String::as_str))
            .chain([holder])
            .collect();
        NewBooking {
            lead: Lead { discount_percent: discount, time_needed, ..self.lead.clone() },
            uses_discount: discount.is_some(),
            token: RequestToken::derive(&parts),
            day_version: day.version,
            calendar_versions,
            guard: self.guard,
            record: self.record.clone(),
            fence: fence.cloned(),
            notification: self.notification.clone(),
        }
    }
}

/// A booking after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The booking.
    pub booking: Booking,
    /// Whether it was so before, by an earlier attempt or by somebody else: nothing was changed and no
    /// text stored now.
    pub was_so_before: bool,
}

/// The shop's calendar and its bookings at one moment of business time.
#[derive(Clone, Copy)]
pub struct BookingService<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The calendar as its owner has it. A write on one that has changed meanwhile is decided anew.
    pub calendar: &'a Calendar,
    /// Business time.
    pub now: Timestamp,
    /// The turn that asks for changes, if one does: without its claim nothing is changed.
    pub fence: Option<&'a TurnFence>,
}

/// Why nothing was booked, cancelled or moved.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// The shop takes no customers at that time.
    #[error(transparent)]
    Unbookable(#[from] UnbookableReason),
    /// Another booking holds the slot, or rows of its date cannot be read.
    #[error("That time is already taken")]
    Taken {
        /// What is free on that date.
        available: DayAvailability,
    },
    /// An earlier booking of this customer holds the slot.
    #[error("This customer has that time already")]
    AlreadyYours(Box<Booking>),
    /// An earlier attempt booked it, and it was cancelled or completed since.
    #[error("That booking has ended meanwhile")]
    NoLongerBooked(Box<Lead>),
    /// The form's request has led to a booking, or to another hold; happens only to bookings with a
    /// record and to holds.
    #[error("The request has led to a booking meanwhile")]
    RecordExists,
    /// The customer has as many open bookings as the form allows; happens only to the form.
    #[error("The customer has as many open bookings as the form allows")]
    TooMany,
    /// The form guard has changed; happens only to bookings with a guard.
    #[error("The customer's bookings have changed meanwhile")]
    GuardChanged,
    /// This customer has no open booking with that reference.
    #[error("This customer has no open booking with that reference")]
    NotFound,
    /// The attempt no longer holds its turn; happens only to changes with a fence.
    #[error("Another attempt answers this text")]
    ClaimLost,
    /// Other changes kept coming first.
    #[error("The booking is being changed by somebody else")]
    Contended,
    /// The database failed; it is unknown whether something was written.
    #[error("The calendar is not available right now")]
    Store(#[from] StoreError),
}

impl BookingService<'_> {
    /// The free slots of a date for an appointment that needs so much time, ordered by time. None
    /// when the shop takes no bookings for it.
    ///
    /// # Errors
    /// When the rows of the date cannot be read at all.
    pub async fn available(
        &self,
        date: civil::Date,
        needed: TimeNeeded,
    ) -> Result<DayAvailability, StoreError> {
        if self.calendar.day_unbookable_reason(date, self.now).is_some() {
            return Ok(DayAvailability::default());
        }
        let day = self.store.day_schedule(date).await?.at(self.now);
        Ok(self.availability(date, &day, needed))
    }

    fn availability(
        &self,
        date: civil::Date,
        day: &DaySchedule,
        needed: TimeNeeded,
    ) -> DayAvailability {
        DayAvailability {
            slots: self.calendar.bookable_slots(date, day, needed, self.now),
            unreadable: (!day.unreadable.is_empty()).then_some(date),
        }
    }

    /// The same at the same moment with the calendar as its owner has it by now.
    async fn current_calendar(&self) -> Result<Calendar, StoreError> {
        Ok(current_calendar(self.store, self.calendar).await?.1)
    }

    /// The customer's open bookings, ordered by time. One that has begun is open until its end.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(&self, phone: &Phone) -> Result<Vec<Booking>, StoreError> {
        let now = self.calendar.local(self.now);
        Ok(self.store.open_bookings(phone, now).await?.bookings)
    }

    /// Books a slot. Returns the booking as it is now, which an earlier attempt may have written
    /// and somebody may have moved since.
    ///
    /// # Errors
    /// Every [`BookingError`] but [`BookingError::NotFound`]; [`BookingError::GuardChanged`] and
    /// [`BookingError::RecordExists`] only for a booking with a guard or a record,
    /// [`BookingError::ClaimLost`] only with a fence.
    pub async fn book(&self, draft: &BookingDraft<'_>) -> Result<Booking, BookingError> {
        let refusal = match self.try_to_book(draft).await {
            Err(
                refusal @ (BookingError::Unbookable(_)
                | BookingError::Taken { .. }
                | BookingError::AlreadyYours(_)
                | BookingError::Contended),
            ) => refusal,
            decided => return decided,
        };
        // A repeat may come after the slot has begun, or when the booking was moved and its slot is
        // somebody else's.
        match self.store.lead(&draft.lead.id).await? {
            Some(written) if written.phone == draft.lead.phone => existing(written),
            _ => Err(refusal),
        }
    }

    /// Books a slot. What an earlier attempt booked and somebody has moved since may be refused as taken.
    async fn try_to_book(&self, draft: &BookingDraft<'_>) -> Result<Booking, BookingError> {
        let (lead, slot) = (&draft.lead, draft.lead.slot);
        let mut calendar = Cow::Borrowed(self.calendar);
        let mut last = BookingError::Contended;
        for _ in 0..ATTEMPTS {
            let service = BookingService { calendar: &calendar, ..*self };
            let needed = calendar.time_needed(&lead.repair);
            if let Some(reason) = calendar.unbookable_reason(slot, needed, draft.asked) {
                return Err(reason.into());
            }
            let day = self.store.versioned_day_schedule(slot.date()).await?.at(self.now);
            let own = Some(&lead.id);
            if day.conflict(slot.time(), needed, own).is_some() {
                match service.held(slot, &day, needed, &lead.phone).await? {
                    Some(refusal) => return Err(refusal),
                    // Unless the rows say so for good.
                    None => last = service.taken(slot.date(), &day, needed),
                }
                continue;
            }
            // A repeat finds what it has written; what the form holds is not booked yet.
            let is_new = day.hold_of(&lead.id).is_none_or(|hold| day.is_unconfirmed(hold));
            if !day.unreadable.is_empty() && is_new {
                return Err(service.taken(slot.date(), &day, needed));
            }
            let discount = match draft.with_discount {
                true => self.store.open_discount(&lead.phone, self.now).await?,
                false => None,
            };
            let new = draft.on(&day, &calendar, discount, self.fence);
            match self.store.book(&new).await? {
                BookOutcome::Booked => return Ok(Booking::from(&new.lead)),
                BookOutcome::Exists(written) => return existing(*written),
                // What is there now decides.
                BookOutcome::SlotTaken | BookOutcome::DayChanged | BookOutcome::DiscountChanged => {
                }
                BookOutcome::CalendarChanged => {
                    calendar = Cow::Owned(self.current_calendar().await?);
                }
                BookOutcome::GuardChanged => return Err(BookingError::GuardChanged),
                BookOutcome::RecordExists => return Err(BookingError::RecordExists),
                BookOutcome::ClaimLost => return Err(BookingError::ClaimLost),
            }
        }
        Err(last)
    }

    /// Whether a slot can be booked for a repair as far as one reading tells; booking it decides.
    ///
    /// # Errors
    /// [`BookingError::Unbookable`], [`BookingError::Taken`] and [`BookingError::Store`].
    pub async fn looks_free(&self, slot: Slot, repair: &Repair) -> Result<(), BookingError> {
        let needed = self.calendar.time_needed(repair);
        if let Some(reason) = self.calendar.unbookable_reason(slot, needed, self.now) {
            return Err(reason.into());
        }
        let day = self.store.day_schedule(slot.date()).await?.at(self.now);
        if day.conflict(slot.time(), needed, None).is_some() || !day.unreadable.is_empty() {
            return Err(self.taken(slot.date(), &day, needed));
        }
        Ok(())
    }

    /// Why a slot that is held cannot be booked: it is somebody else's, or this customer's own. `None`
    /// when their own booking has left it since the schedule was read.
    async fn held(
        &self,
        slot: Slot,
        day: &DaySchedule,
        needed: TimeNeeded,
        phone: &Phone,
    ) -> Result<Option<BookingError>, StoreError> {
        // The owner may have taken time off over it since.
        let is_ours =
            |hold: &&Hold| hold.phone.as_ref() == Some(phone) && hold.start == slot.time();
        if let Some(hold) = day.holds.iter().find(is_ours)
            && let Some(lead) = self.store.lead(&LeadId::from_row(&hold.lead_id)).await?
            && lead.phone == *phone
        {
            if lead.status == LeadStatus::Booked && lead.slot == slot {
                return Ok(Some(BookingError::AlreadyYours(Box::new(Booking::from(&lead)))));
            }
            if lead.status != LeadStatus::Completed {
                return Ok(None);
            }
        }
        Ok(Some(self.taken(slot.date(), day, needed)))
    }

    fn taken(&self, date: civil::Date, day: &DaySchedule, needed: TimeNeeded) -> BookingError {
        BookingError::Taken { available: self.availability(date, day, needed) }
    }
}

/// The outcome for a lead that an earlier attempt wrote.
fn existing(lead: Lead) -> Result<Booking, BookingError> {
    match lead.status {
        LeadStatus::Booked => Ok(Booking::from(&lead)),
        LeadStatus::Cancelled | LeadStatus::Completed => {
            Err(BookingError::NoLongerBooked(Box::new(lead)))
        }
    }
}

/// The time in whole seconds, as the tables store a lead's timestamp.
pub(crate) fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
