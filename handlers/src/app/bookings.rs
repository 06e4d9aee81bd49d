//! Reads the calendar and books, cancels and moves appointments, for texts and for the form.
//!
//! Every write is complete before it is sent and conditional on what was read, so a repeat finds
//! its own work done.

use jiff::{Timestamp, civil};

use crate::{
    domain::{
        booking::{Booking, Cancellation, NewBooking, RequestToken, Reschedule},
        calendar::{Calendar, UnbookableReason},
        lead::{Lead, LeadId, LeadStatus},
        phone::Phone,
        slot::{Slot, SlotTime},
    },
    ports::{BookOutcome, CancelOutcome, RescheduleOutcome, Store, StoreError},
};

/// Attempts at a change of a booking that others change at the same time.
const ATTEMPTS: usize = 3;

/// The shop's calendar and its bookings at one moment of business time.
#[derive(Clone, Copy)]
pub struct BookingService<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The opening hours.
    pub calendar: &'a Calendar,
    /// Business time.
    pub now: Timestamp,
}

/// Why nothing was booked, cancelled or moved.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// The shop takes no customers at that time.
    #[error(transparent)]
    Unbookable(#[from] UnbookableReason),
    /// Another booking holds the slot.
    #[error("That time is already taken")]
    Taken {
        /// Free slots of that date.
        available: Vec<SlotTime>,
    },
    /// The form guard has changed; happens only to bookings with a guard.
    #[error("The customer's bookings have changed meanwhile")]
    GuardChanged,
    /// This customer has no open booking with that reference.
    #[error("This customer has no open booking with that reference")]
    NotFound,
    /// Other changes kept coming first.
    #[error("The booking is being changed by somebody else")]
    Contended,
    /// The database failed; it is unknown whether something was written.
    #[error("The calendar is not available right now")]
    Store(#[from] StoreError),
}

impl BookingService<'_> {
    /// The free slots of a date, ordered by time. None when the shop takes no bookings for it.
    ///
    /// # Errors
    /// When the taken slots cannot be read.
    pub async fn available(&self, date: civil::Date) -> Result<Vec<SlotTime>, StoreError> {
        if self.calendar.day_unbookable_reason(date, self.now).is_some() {
            return Ok(Vec::new());
        }
        let taken = self.store.taken_slots(date).await?;
        Ok(self.calendar.bookable_slots(date, &taken, self.now))
    }

    /// The customer's open bookings, ordered by time.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn open(&self, phone: &Phone) -> Result<Vec<Booking>, StoreError> {
        let from = self.calendar.local(self.now);
        Ok(self.store.open_bookings(phone, from).await?.bookings)
    }

    /// Books a slot.
    ///
    /// # Errors
    /// [`BookingError::Unbookable`], [`BookingError::Taken`] and [`BookingError::Store`];
    /// [`BookingError::GuardChanged`] only for a booking with a guard.
    pub async fn book(&self, new: &NewBooking) -> Result<Booking, BookingError> {
        if let Some(reason) = self.calendar.unbookable_reason(new.lead.slot, self.now) {
            return Err(reason.into());
        }
        match self.store.book(new).await? {
            BookOutcome::Booked => Ok(Booking::from(&new.lead)),
            BookOutcome::SlotTaken => Err(self.taken_error(new.lead.slot).await),
            BookOutcome::GuardChanged => Err(BookingError::GuardChanged),
        }
    }

    /// Cancels an open booking of this customer and returns it. Succeeds for one that is cancelled
    /// already. `identity` tells this change from others.
    ///
    /// # Errors
    /// [`BookingError::NotFound`], [`BookingError::Contended`] and [`BookingError::Store`].
    pub async fn cancel(
        &self,
        phone: &Phone,
        id: &LeadId,
        identity: &[&str],
    ) -> Result<Booking, BookingError> {
        for _ in 0..ATTEMPTS {
            let Some(booking) = self.find_open(phone, id).await? else {
                return self.find_cancelled(phone, id).await;
            };
            let cancel =
                Cancellation { token: token("cancel", identity, &booking), booking, now: self.now };
            match self.store.cancel(&cancel).await? {
                CancelOutcome::Cancelled => return Ok(cancel.booking),
                CancelOutcome::BookingChanged => {}
            }
        }
        Err(BookingError::Contended)
    }

    /// Moves an open booking of this customer to another slot and returns it. Succeeds for one that
    /// is there already. `identity` tells this change from others.
    ///
    /// # Errors
    /// [`BookingError::Unbookable`], [`BookingError::NotFound`], [`BookingError::Taken`],
    /// [`BookingError::Contended`] and [`BookingError::Store`]. Except for the last, the booking
    /// keeps its slot.
    pub async fn reschedule(
        &self,
        phone: &Phone,
        id: &LeadId,
        to: Slot,
        identity: &[&str],
    ) -> Result<Booking, BookingError> {
        if let Some(reason) = self.calendar.unbookable_reason(to, self.now) {
            return Err(reason.into());
        }
        for _ in 0..ATTEMPTS {
            let booking = self.find_open(phone, id).await?.ok_or(BookingError::NotFound)?;
            if booking.slot == to {
                return Ok(booking);
            }
            let token = token("reschedule", identity, &booking);
            let change = Reschedule { booking, to, token, now: self.now };
            match self.store.reschedule(&change).await? {
                RescheduleOutcome::Rescheduled => return Ok(change.moved()),
                RescheduleOutcome::SlotTaken => return Err(self.taken_error(to).await),
                RescheduleOutcome::BookingChanged => {}
            }
        }
        Err(BookingError::Contended)
    }

    /// An open booking of this customer. Bookings of the old system have a lead but no row among
    /// the customer's bookings.
    async fn find_open(&self, phone: &Phone, id: &LeadId) -> Result<Option<Booking>, StoreError> {
        let open = self.open(phone).await?.into_iter().find(|booking| booking.lead_id == *id);
        if open.is_some() {
            return Ok(open);
        }
        let is_open = |lead: &Lead| {
            lead.phone == *phone
                && lead.status == LeadStatus::Booked
                && lead.slot.start() >= self.calendar.local(self.now)
        };
        Ok(self.store.lead(id).await?.filter(is_open).map(|lead| Booking::from(&lead)))
    }

    async fn find_cancelled(&self, phone: &Phone, id: &LeadId) -> Result<Booking, BookingError> {
        match self.store.lead(id).await? {
            Some(lead) if lead.phone == *phone && lead.status == LeadStatus::Cancelled => {
                Ok(Booking::from(&lead))
            }
            _ => Err(BookingError::NotFound),
        }
    }

    async fn taken_error(&self, slot: Slot) -> BookingError {
        match self.available(slot.date()).await {
            Ok(available) => BookingError::Taken { available },
            Err(error) => error.into(),
        }
    }
}

/// The token of a change: the same for a repeat, another one once the booking has moved.
fn token(what: &str, identity: &[&str], booking: &Booking) -> RequestToken {
    let from = booking.slot.wall_clock();
    let parts: Vec<&str> = [what, &from].into_iter().chain(identity.iter().copied()).collect();
    RequestToken::derive(&parts)
}

/// The time in whole seconds, as the tables store a lead's timestamp.
pub(crate) fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
