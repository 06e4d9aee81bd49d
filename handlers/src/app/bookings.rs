//! Looking at the calendar, and booking, cancelling and moving appointments.
//!
//! Texts and the form share this. Every write is fixed before it is sent and
//! conditional on what was read, so that a repeat finds its own work done.

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

/// How often a change is tried again when the booking has changed meanwhile.
const ATTEMPTS: usize = 3;

/// The shop's calendar with its bookings, at one moment of business time.
#[derive(Clone, Copy)]
pub struct BookingService<'a> {
    /// The tables.
    pub store: &'a dyn Store,
    /// The opening hours.
    pub calendar: &'a Calendar,
    /// Business time.
    pub now: Timestamp,
}

/// Why nothing was booked, cancelled or moved.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    /// The shop does not take customers then.
    #[error(transparent)]
    Unbookable(#[from] UnbookableReason),
    /// Somebody else holds the slot.
    #[error("That time is already taken")]
    Taken {
        /// What is free on that date.
        available: Vec<SlotTime>,
    },
    /// The form guard moved; only bookings with a guard meet this.
    #[error("The customer's bookings have changed meanwhile")]
    GuardChanged,
    /// No open booking of this customer has that reference.
    #[error("This customer has no open booking with that reference")]
    NotFound,
    /// It kept changing under our hands.
    #[error("The booking is being changed by somebody else")]
    Contended,
    /// The tables failed: whether something was written is unknown.
    #[error("The calendar is not available right now")]
    Store(#[from] StoreError),
}

impl BookingService<'_> {
    /// The free slots of a date, in the order of the clock.
    ///
    /// # Errors
    /// When the taken ones could not be read; never "all free".
    pub async fn available(&self, date: civil::Date) -> Result<Vec<SlotTime>, StoreError> {
        if self.calendar.day_unbookable_reason(date, self.now).is_some() {
            return Ok(Vec::new());
        }
        let taken = self.store.taken_slots(date).await?;
        Ok(self.calendar.bookable_slots(date, &taken, self.now))
    }

    /// The customer's open bookings, in the order of the clock.
    ///
    /// # Errors
    /// When they could not be read.
    pub async fn open(&self, phone: &Phone) -> Result<Vec<Booking>, StoreError> {
        let from = self.calendar.local(self.now);
        Ok(self.store.open_bookings(phone, from).await?.bookings)
    }

    /// Books.
    ///
    /// # Errors
    /// [`BookingError`] says what is in the way.
    pub async fn book(&self, new: &NewBooking) -> Result<Booking, BookingError> {
        if let Some(reason) = self.calendar.unbookable_reason(new.lead.slot, self.now) {
            return Err(reason.into());
        }
        match self.store.book(new).await? {
            BookOutcome::Booked => Ok(Booking::from(&new.lead)),
            BookOutcome::SlotTaken => Err(self.taken(new.lead.slot).await),
            BookOutcome::GuardChanged => Err(BookingError::GuardChanged),
        }
    }

    /// Cancels a customer's own booking. What is cancelled already stays cancelled.
    ///
    /// # Errors
    /// [`BookingError`] says what is in the way.
    pub async fn cancel(
        &self,
        phone: &Phone,
        id: &LeadId,
        identity: &[&str],
    ) -> Result<Booking, BookingError> {
        for _ in 0..ATTEMPTS {
            let Some(booking) = self.find(phone, id).await? else {
                return self.cancelled_before(phone, id).await;
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

    /// Moves a customer's own booking. One that is there already stays there.
    ///
    /// # Errors
    /// [`BookingError`] says what is in the way; the booking is then where it was.
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
            let booking = self.find(phone, id).await?.ok_or(BookingError::NotFound)?;
            if booking.slot == to {
                return Ok(booking);
            }
            let token = token("reschedule", identity, &booking);
            let change = Reschedule { booking, to, token, now: self.now };
            match self.store.reschedule(&change).await? {
                RescheduleOutcome::Rescheduled => return Ok(change.moved()),
                RescheduleOutcome::SlotTaken => return Err(self.taken(to).await),
                RescheduleOutcome::BookingChanged => {}
            }
        }
        Err(BookingError::Contended)
    }

    /// One of the customer's open bookings. One of the old system is among no customer's
    /// bookings, but it has a lead.
    async fn find(&self, phone: &Phone, id: &LeadId) -> Result<Option<Booking>, StoreError> {
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

    async fn cancelled_before(&self, phone: &Phone, id: &LeadId) -> Result<Booking, BookingError> {
        match self.store.lead(id).await? {
            Some(lead) if lead.phone == *phone && lead.status == LeadStatus::Cancelled => {
                Ok(Booking::from(&lead))
            }
            _ => Err(BookingError::NotFound),
        }
    }

    async fn taken(&self, slot: Slot) -> BookingError {
        match self.available(slot.date()).await {
            Ok(available) => BookingError::Taken { available },
            Err(error) => error.into(),
        }
    }
}

/// The token of a change: the same for a repeat, another once the booking is another.
fn token(what: &str, identity: &[&str], booking: &Booking) -> RequestToken {
    let from = booking.slot.wall_clock();
    let parts: Vec<&str> = [what, &from].into_iter().chain(identity.iter().copied()).collect();
    RequestToken::derive(&parts)
}

/// A lead's timestamp: tables keep whole seconds.
pub(crate) fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
