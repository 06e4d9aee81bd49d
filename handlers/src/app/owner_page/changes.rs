//! What the owner changes by his page: bookings, and who has been answered.

use std::sync::Mutex;

use jiff::Timestamp;

use super::OwnerPageService;
use crate::{
    app::{
        bookings::{BookingError, BookingService, Changed},
        current_calendar::current_calendar,
        outbox::start_sending,
    },
    domain::{
        booking::Booking,
        calendar::Calendar,
        lead::{Lead, LeadId, LeadStatus},
        outbox::OutboxText,
        phone::Phone,
        slot::Slot,
        text::OWNER_NAME,
    },
    ports::StoreError,
};

/// A change by the owner, and what the customer hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnersChange {
    /// The booking after it.
    pub changed: Changed,
    /// Whether the customer is told.
    pub told: Told,
}

/// Whether a customer is told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A text is on its way.
    ByText,
    /// The customer wants no more texts.
    OptedOut,
    /// The owner tells them himself.
    No,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum OwnerPageError {
    /// No booking has this reference.
    #[error("There is no booking with that reference")]
    NoBooking,
    /// It was cancelled or done before, or its time is over.
    #[error("That booking is over")]
    Over(LeadStatus),
    /// The booking cannot be changed so.
    #[error(transparent)]
    Booking(#[from] BookingError),
}

impl From<StoreError> for OwnerPageError {
    fn from(error: StoreError) -> Self {
        Self::Booking(error.into())
    }
}

/// What one change works with.
struct Change {
    calendar: Calendar,
    phone: Phone,
    /// Whether it was open when it was read, and the status that it had.
    is_open: bool,
    status: LeadStatus,
    told: Told,
    now: Timestamp,
}

impl OwnerPageService {
    /// Cancels an open booking; its customer is told by text if `tell`.
    ///
    /// # Errors
    /// [`OwnerPageError::NoBooking`], [`OwnerPageError::Over`], and what [`BookingService::cancel`] fails with.
    pub async fn cancel(
        &self,
        id: &LeadId,
        tell: bool,
        now: Timestamp,
    ) -> Result<OwnersChange, OwnerPageError> {
        let change = self.change(id, tell, now).await?;
        let sent = Sent::default();
        let notify = |booking: &Booking| {
            let body = format!(
                "{OWNER_NAME} has to cancel your appointment: {}. Text us here for another time.",
                booking.summary()
            );
            sent.keep(change.texts(&format!("owner-cancelled#{id}"), &body))
        };
        let identity = change.identity(id);
        let identity: Vec<&str> = identity.iter().map(String::as_str).collect();
        let bookings = self.bookings(&change);
        let changed = bookings.cancel(&change.phone, id, &identity, notify).await;
        let changed = changed.map_err(|error| change.refused(error))?;
        let told = self.have_sent(sent, &change, &changed).await;
        tracing::info!(lead = %id, "the owner cancelled a booking");
        Ok(OwnersChange { changed, told })
    }

    /// Moves an open booking; its customer is told by text if `tell`.
    ///
    /// # Errors
    /// [`OwnerPageError::NoBooking`], [`OwnerPageError::Over`], and what [`BookingService::reschedule`] fails with.
    pub async fn reschedule(
        &self,
        id: &LeadId,
        to: Slot,
        tell: bool,
        now: Timestamp,
    ) -> Result<OwnersChange, OwnerPageError> {
        let change = self.change(id, tell, now).await?;
        let sent = Sent::default();
        let notify = |from: &Booking, to: &Booking| {
            let body = format!(
                "{OWNER_NAME} moved your appointment from {} to {}. Text us here if that does not \
                 suit you.",
                from.slot,
                to.summary()
            );
            let id = format!("owner-moved#{id}#{}", now.as_millisecond());
            sent.keep(change.texts(&id, &body))
        };
        let identity = change.identity(id);
        let identity: Vec<&str> = identity.iter().map(String::as_str).collect();
        let bookings = self.bookings(&change);
        let changed = bookings.reschedule(&change.phone, id, to, &identity, notify).await;
        let changed = changed.map_err(|error| change.refused(error))?;
        let told = self.have_sent(sent, &change, &changed).await;
        tracing::info!(lead = %id, "the owner moved a booking");
        Ok(OwnersChange { changed, told })
    }

    /// Marks a booking as done. Nobody is told.
    ///
    /// # Errors
    /// [`OwnerPageError::NoBooking`], [`OwnerPageError::Over`], and what [`BookingService::complete`] fails with.
    pub async fn complete(
        &self,
        id: &LeadId,
        now: Timestamp,
    ) -> Result<OwnersChange, OwnerPageError> {
        let change = self.change(id, false, now).await?;
        let identity = change.identity(id);
        let identity: Vec<&str> = identity.iter().map(String::as_str).collect();
        let changed = self.bookings(&change).complete(&change.phone, id, &identity).await;
        let changed = changed.map_err(|error| change.refused(error))?;
        tracing::info!(lead = %id, "the owner marked a booking as done");
        Ok(OwnersChange { changed, told: Told::No })
    }

    /// Marks a customer's text as answered; false when there is no such text.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_answered(&self, sid: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.store.mark_answered(sid, now).await
    }

    async fn change(
        &self,
        id: &LeadId,
        tell: bool,
        now: Timestamp,
    ) -> Result<Change, OwnerPageError> {
        let store = self.store.as_ref();
        let (current, lead) =
            futures::try_join!(current_calendar(store, &self.deployed), store.lead(id))?;
        let Lead { phone, slot, status, time_needed, .. } =
            lead.ok_or(OwnerPageError::NoBooking)?;
        let is_open =
            status == LeadStatus::Booked && time_needed.is_open_at(slot, current.1.local(now));
        let told = match tell {
            false => Told::No,
            true if store.opted_out(&phone).await? => Told::OptedOut,
            true => Told::ByText,
        };
        Ok(Change { calendar: current.1, phone, is_open, status, told, now })
    }

    fn bookings<'a>(&'a self, change: &'a Change) -> BookingService<'a> {
        BookingService {
            store: self.store.as_ref(),
            calendar: &change.calendar,
            now: change.now,
            fence: None,
        }
    }

    /// Starts what sends the texts of a change; its schedule sends them within a minute otherwise.
    /// Returns whether there are any: a change that was made before stored none.
    async fn have_sent(&self, sent: Sent, change: &Change, changed: &Changed) -> Told {
        let texts = sent.0.into_inner().unwrap_or_default();
        if texts.is_empty() || changed.was_so_before {
            return if change.told == Told::ByText { Told::No } else { change.told };
        }
        start_sending(self.background.as_ref(), &texts, change.now).await;
        Told::ByText
    }
}

/// The texts of the last attempt at a change.
#[derive(Default)]
struct Sent(Mutex<Vec<OutboxText>>);

impl Sent {
    fn keep(&self, texts: Vec<OutboxText>) -> Vec<OutboxText> {
        if let Ok(mut kept) = self.0.lock() {
            kept.clone_from(&texts);
        }
        texts
    }
}

impl Change {
    /// Tells this change from others: another moment, or another wish to tell the customer, is
    /// another one.
    fn identity(&self, id: &LeadId) -> [String; 4] {
        let at = self.now.as_millisecond().to_string();
        ["owner's page".to_owned(), id.to_string(), at, format!("{:?}", self.told)]
    }

    /// Why it was refused: what was over when it was read is told as such.
    fn refused(&self, error: BookingError) -> OwnerPageError {
        match error {
            BookingError::NotFound if !self.is_open => OwnerPageError::Over(self.status),
            error => error.into(),
        }
    }

    fn texts(&self, id: &str, body: &str) -> Vec<OutboxText> {
        match self.told {
            Told::ByText => OutboxText::messages(id, &self.phone, body, self.now),
            Told::OptedOut | Told::No => Vec::new(),
        }
    }
}
