//! The booking form: lists the free slots of a date, and books one.

mod confirmation;
mod days;
mod repeat_key;
mod request;
mod writing;

use std::sync::Arc;

use jiff::{Timestamp, civil};

use crate::{
    app::{
        bookings::{BookingService, DayAvailability},
        current_calendar::current_calendar,
        error_chain::ErrorChain,
        outbox::start_sending,
        owner_news::OwnerNews,
        rate_limit::RateLimit,
    },
    domain::{
        booking::Booking,
        calendar::{Calendar, UnbookableReason},
        catalogue::Repair,
        digest::sha256_hex,
        form_hold::FormConfirmation,
        lead::{Lead, LeadId, LeadStatus},
        outbox::OutboxText,
        phone::Phone,
        slot::{self, SlotTime},
        usage::{FormLimits, UsageLimit},
    },
    ports::{BackgroundWorker, IdGenerator, Store, StoreError},
};

use repeat_key::RepeatKey;

pub use confirmation::FormAnswer;
pub use days::{DayOverview, DayState, Days, MAX_DAYS};
pub use request::{FormFields, FormRequest};

/// Most open bookings that one phone number may have through the form.
pub const MAX_OPEN: usize = 2;
/// Attempts at a booking that other bookings of the same phone number come before.
const ATTEMPTS: usize = 5;

/// The use case behind the booking form.
#[derive(Clone)]
pub struct Scheduler {
    store: Arc<dyn Store>,
    ids: Arc<dyn IdGenerator>,
    background: Arc<dyn BackgroundWorker>,
    calendar: Calendar,
    owner_phone: Option<Phone>,
    booking_limits: [UsageLimit; 2],
    confirmation: FormConfirmation,
}

/// A booking by the form, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormBooking {
    /// The booking.
    pub booking: Booking,
    /// Its state; a repeat may come after it was cancelled.
    pub status: LeadStatus,
}

impl From<&Lead> for FormBooking {
    fn from(lead: &Lead) -> Self {
        Self { booking: Booking::from(lead), status: lead.status }
    }
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
    /// The phone number has as many open bookings as it may. The text says nothing of the number:
    /// anybody can enter it.
    #[error("No more appointments can be booked here right now. Please text or call us")]
    TooMany,
    /// The address has booked or asked for codes as much as it may, or the day's codes are used up.
    /// Both are decided before anything is known of the number.
    #[error("No more appointments can be booked here right now. Please text or call us")]
    AddressLimit,
    /// The code is not the one that was texted.
    #[error("That code is not right")]
    WrongCode {
        /// Codes that may still be tried.
        attempts_left: u32,
    },
    /// There is no such hold, or it can no longer be confirmed. The text does not tell which.
    #[error("That hold has ended: please choose a time again")]
    HoldEnded,
    /// Other bookings kept coming first.
    #[error("The calendar is busy. Please try again")]
    Contended,
    /// The database failed.
    #[error("The calendar is not available right now. Please try again")]
    Store(#[from] StoreError),
}

impl Scheduler {
    /// The use case on its ports.
    pub fn new(
        store: Arc<dyn Store>,
        ids: Arc<dyn IdGenerator>,
        background: Arc<dyn BackgroundWorker>,
        calendar: Calendar,
        owner_phone: Option<Phone>,
    ) -> Self {
        let booking_limits = FormLimits::default().usage();
        let confirmation = FormConfirmation::default();
        Self { store, ids, background, calendar, owner_phone, booking_limits, confirmation }
    }

    /// The same with other limits on what one address may book.
    #[must_use]
    pub fn with_limits(self, limits: FormLimits) -> Self {
        Self { booking_limits: limits.usage(), ..self }
    }

    /// The same with another confirmation of bookings.
    #[must_use]
    pub fn with_confirmation(self, confirmation: FormConfirmation) -> Self {
        Self { confirmation, ..self }
    }

    /// The date as parsed and its free slots, ordered by time: those that are long enough for the
    /// repair, or for one that takes the usual time.
    ///
    /// # Errors
    /// [`SchedulerError::Missing`] without a date, [`SchedulerError::Invalid`] for one of another
    /// form and for an unknown repair, [`SchedulerError::Store`] when the calendar cannot be read.
    pub async fn availability(
        &self,
        date: Option<&str>,
        repair: Option<&str>,
        now: Timestamp,
    ) -> Result<(civil::Date, Vec<SlotTime>), SchedulerError> {
        let date = date.filter(|date| !date.is_empty()).ok_or(SchedulerError::Missing("date"))?;
        let date = slot::parse_date(date).map_err(|error| request::invalid("date", &error))?;
        let repair = match repair.filter(|repair| !repair.trim().is_empty()) {
            Some(repair) => Some(
                Repair::parse(repair).map_err(|error| request::invalid("repair_type", &error))?,
            ),
            None => None,
        };
        let calendar = self.current_calendar().await?;
        let needed = repair.map(|repair| calendar.time_needed(&repair)).unwrap_or_default();
        let day = self.bookings(&calendar, now).available(date, needed).await?;
        self.tell_of_unreadable_date(&day, now).await;
        Ok((date, day.slots))
    }

    /// Books a slot. The same key with the same fields returns the same booking, however often, as
    /// it is now; so does the same form from the same address within a minute.
    ///
    /// # Errors
    /// Every [`SchedulerError`] is possible.
    pub async fn book(
        &self,
        fields: &FormFields,
        key: Option<&str>,
        address: &str,
        now: Timestamp,
    ) -> Result<FormBooking, SchedulerError> {
        let request = FormRequest::parse(fields)?;
        let key = RepeatKey::of(key, &request, address, now)?;
        let lead_id = LeadId::derive(now, &["form", &self.ids.generate()]);
        let calendar = self.current_calendar().await?;
        let record = self.store.idempotency_record(&key.hash).await?;
        if let Some(booking) = self.booking_of(record.as_ref(), &key, &request).await? {
            return Ok(booking);
        }
        // What is plainly refused is neither counted nor leaves a row.
        let bookings = self.bookings(&calendar, now);
        if let Err(error) = bookings.looks_free(request.slot, &request.repair).await {
            return self.own_or_refusal(error, &key, &request, bookings).await;
        }
        // Before anything is known of the number. A repeat of the same request counts once.
        let limit = self.booking_limit(address);
        // The same form after its booking is no repeat.
        let same = sha256_hex(&[&key.hash, &request.fingerprint()]);
        let id = match &record {
            None => same,
            Some(record) => format!("{same}-{}", record.lead_id),
        };
        if !limit.take(&id, now).await? {
            return Err(SchedulerError::AddressLimit);
        }
        let booked = self.book_new(&request, &key, &lead_id, bookings).await;
        // One that is refused for its number counts: how many open bookings a number has cannot be
        // tried out. So does one that may have been booked.
        if booked.as_ref().is_err_and(is_for_its_time) {
            give_back(&[limit], &id, now).await;
        }
        booked
    }

    /// The limit on what one address books.
    fn booking_limit<'a>(&'a self, address: &'a str) -> RateLimit<'a> {
        RateLimit {
            store: self.store.as_ref(),
            what: "form booking",
            limits: &self.booking_limits,
            who: address,
        }
    }

    /// The owner wrote something into the schedule that no program can read. He is told once for
    /// each date; a failure keeps nobody from an answer.
    async fn tell_of_unreadable_date(&self, day: &DayAvailability, now: Timestamp) {
        let Some(date) = day.unreadable else { return };
        let news = OwnerNews { owner: self.owner_phone.as_ref(), now };
        let texts = news.unreadable_date(date);
        match self.store.enqueue_once(&texts).await {
            Ok(true) => self.have_sent(&texts, now).await,
            Ok(false) => {}
            Err(error) => tracing::error!(error = %ErrorChain(&error), "failed to store an alert"),
        }
    }

    async fn have_sent(&self, texts: &[OutboxText], now: Timestamp) {
        start_sending(self.background.as_ref(), texts, now).await;
    }

    async fn current_calendar(&self) -> Result<Calendar, StoreError> {
        Ok(current_calendar(self.store.as_ref(), &self.calendar).await?.1)
    }

    fn bookings<'a>(&'a self, calendar: &'a Calendar, now: Timestamp) -> BookingService<'a> {
        BookingService { store: self.store.as_ref(), calendar, now, fence: None }
    }
}

/// Whether a request was refused for the time that it asks for, which does not count.
fn is_for_its_time(refusal: &SchedulerError) -> bool {
    matches!(refusal, SchedulerError::Taken { .. } | SchedulerError::Unbookable(_))
}

/// Takes a use back that led to nothing. A failure keeps nobody from an answer.
async fn give_back(limits: &[RateLimit<'_>], use_id: &str, now: Timestamp) {
    for limit in limits {
        if let Err(error) = limit.give_back(use_id, now).await {
            tracing::warn!(error = %ErrorChain(&error), "what was refused counts");
        }
    }
}
