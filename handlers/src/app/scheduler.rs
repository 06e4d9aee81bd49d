//! The booking form: lists the free slots of a date, and books one.

mod request;

use std::sync::Arc;

use jiff::{Timestamp, civil};

use crate::{
    app::bookings::{BookingError, BookingService},
    domain::{
        booking::{Booking, FormGuardUpdate, IdempotencyRecord, NewBooking, RequestToken},
        calendar::{Calendar, UnbookableReason},
        digest::sha256_hex,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        slot::{self, SlotTime},
    },
    ports::{IdGenerator, Store, StoreError},
};

pub use request::{FormFields, FormRequest};

/// Most open bookings that one phone number may have through the form.
pub const MAX_OPEN: usize = 2;
/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 255;
/// Attempts at a booking that other bookings of the same phone number come before.
const ATTEMPTS: usize = 5;

/// The use case behind the booking form.
#[derive(Clone)]
pub struct Scheduler {
    store: Arc<dyn Store>,
    ids: Arc<dyn IdGenerator>,
    calendar: Calendar,
}

/// Why the form got no booking. The texts are for whoever filled it in; the source of
/// [`SchedulerError::Store`] is for the log.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// A required field is missing or blank.
    #[error("Missing required field: {0}")]
    Missing(&'static str),
    /// A field has a value that is not allowed.
    #[error("{message}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The idempotency key is empty, too long or not printable.
    #[error("Idempotency-Key must have 1 to 255 printable characters")]
    InvalidKey,
    /// The idempotency key belongs to another request.
    #[error("This Idempotency-Key was used for another request")]
    KeyReused,
    /// The shop takes no customers at that time.
    #[error(transparent)]
    Unbookable(#[from] UnbookableReason),
    /// Another booking holds the slot.
    #[error("That time is already taken")]
    Taken {
        /// Free slots of that date.
        available: Vec<SlotTime>,
    },
    /// The phone number has as many open bookings as it may.
    #[error("This phone number already has {MAX_OPEN} open bookings. Please text or call us")]
    TooMany,
    /// Other bookings kept coming first.
    #[error("The calendar is busy. Please try again")]
    Contended,
    /// The database failed.
    #[error("The calendar is not available right now. Please try again")]
    Store(#[from] StoreError),
}

impl Scheduler {
    /// The use case on its ports.
    pub fn new(store: Arc<dyn Store>, ids: Arc<dyn IdGenerator>, calendar: Calendar) -> Self {
        Self { store, ids, calendar }
    }

    /// The date as parsed and its free slots, ordered by time.
    ///
    /// # Errors
    /// [`SchedulerError::Missing`] without a date, [`SchedulerError::Invalid`] for one of another
    /// form, [`SchedulerError::Store`] when the calendar cannot be read.
    pub async fn availability(
        &self,
        date: Option<&str>,
        now: Timestamp,
    ) -> Result<(civil::Date, Vec<SlotTime>), SchedulerError> {
        let date = date.filter(|date| !date.is_empty()).ok_or(SchedulerError::Missing("date"))?;
        let date = slot::parse_date(date).map_err(|error| request::invalid("date", &error))?;
        Ok((date, self.bookings(now).available(date).await?))
    }

    /// Books a slot. The same key with the same fields returns the same booking, however often.
    ///
    /// # Errors
    /// Every [`SchedulerError`] is possible.
    pub async fn book(
        &self,
        fields: &FormFields,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<Booking, SchedulerError> {
        let request = FormRequest::parse(fields)?;
        let (identity, first) = match key {
            None => (self.ids.generate(), now),
            Some(key) => self.claim(key, &request, now).await?,
        };
        let lead_id = LeadId::derive(first, &["form", &identity]);
        for _ in 0..ATTEMPTS {
            let from = self.calendar.local(now);
            let (open, existing) = futures::join!(
                self.store.open_bookings(&request.phone, from),
                self.store.lead(&lead_id)
            );
            let open = open?;
            // A repeat must not book again, not even when the booking was cancelled meanwhile.
            if let Some(lead) = existing?.filter(|lead| lead.phone == request.phone) {
                return Ok(Booking::from(&lead));
            }
            // A concurrent repeat may have written the lead between the two reads.
            let counts = |b: &&Booking| b.source == LeadSource::Form && b.lead_id != lead_id;
            let by_form = open.bookings.iter().filter(counts).count();
            if by_form >= MAX_OPEN {
                return Err(SchedulerError::TooMany);
            }
            let guard = FormGuardUpdate::after(open.guard);
            let version = guard.next.version.to_string();
            let new = NewBooking {
                lead: lead(&request, lead_id.clone(), first),
                // The guard is part of what is written, so it is part of the token.
                token: RequestToken::derive(&["form", &identity, &version]),
                guard: Some(guard),
            };
            match self.bookings(now).book(&new).await {
                Ok(booking) => return Ok(booking),
                Err(BookingError::GuardChanged) => {}
                Err(BookingError::Unbookable(reason)) => return Err(reason.into()),
                Err(BookingError::Taken { available }) => {
                    return Err(SchedulerError::Taken { available });
                }
                Err(BookingError::Store(error)) => return Err(error.into()),
                Err(BookingError::NotFound | BookingError::Contended) => break,
            }
        }
        Err(SchedulerError::Contended)
    }

    /// Binds the key to the request. Returns the key's hash and the time of the first attempt.
    ///
    /// # Errors
    /// [`SchedulerError::InvalidKey`], [`SchedulerError::KeyReused`] and [`SchedulerError::Store`].
    async fn claim(
        &self,
        key: &str,
        request: &FormRequest,
        now: Timestamp,
    ) -> Result<(String, Timestamp), SchedulerError> {
        let printable = key.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if key.trim().is_empty() || key.len() > MAX_KEY || !printable {
            return Err(SchedulerError::InvalidKey);
        }
        let claim = IdempotencyRecord {
            key_hash: sha256_hex(&[key]),
            fingerprint: request.fingerprint(),
            now,
        };
        let bound = self.store.claim_idempotency_key(&claim).await?;
        if bound.fingerprint == claim.fingerprint {
            Ok((bound.key_hash, bound.now))
        } else {
            Err(SchedulerError::KeyReused)
        }
    }

    fn bookings(&self, now: Timestamp) -> BookingService<'_> {
        BookingService { store: self.store.as_ref(), calendar: &self.calendar, now }
    }
}

fn lead(request: &FormRequest, id: LeadId, now: Timestamp) -> Lead {
    Lead {
        id,
        timestamp: super::bookings::whole_seconds(now),
        phone: request.phone.clone(),
        slot: request.slot,
        repair: request.repair.clone(),
        device: request.device.clone(),
        customer_name: request.customer_name.clone(),
        status: LeadStatus::Booked,
        source: LeadSource::Form,
    }
}
