//! The booking form: lists the free slots of a date, and books one.

mod confirmation;
mod days;
mod repeat_key;
mod request;

use std::sync::Arc;

use jiff::{Timestamp, civil};

use crate::{
    app::{
        bookings::{BookingDraft, BookingError, BookingService, DayAvailability},
        current_calendar::current_calendar,
        error_chain::ErrorChain,
        owner_news::OwnerNews,
        rate_limit::RateLimit,
    },
    domain::{
        background::BackgroundTask,
        booking::{Booking, FormGuardUpdate, IdempotencyRecord, RecordWrite},
        calendar::{Calendar, UnbookableReason},
        catalogue::Repair,
        digest::sha256_hex,
        form_hold::FormConfirmation,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        outbox::OutboxText,
        phone::Phone,
        slot::{self, SlotTime},
        time_needed::TimeNeeded,
        usage::FormLimits,
    },
    ports::{BackgroundWorker, IdGenerator, Store, StoreError},
};

use repeat_key::RepeatKey;

pub use confirmation::FormAnswer;
pub use days::{DayOverview, DayState, Days, MAX_DAYS};
pub use request::{FormFields, FormRequest};

/// Most open bookings that one phone number may have through the form.
pub const MAX_OPEN: usize = 2;
/// What the limits of an address count.
const FORM_BOOKING: &str = "form booking";
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
    limits: FormLimits,
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
    /// The address has booked as much as it may, which is decided before anything is known of the
    /// number.
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
        let (limits, confirmation) = (FormLimits::default(), FormConfirmation::default());
        Self { store, ids, background, calendar, owner_phone, limits, confirmation }
    }

    /// The same with other limits on what one address may book.
    #[must_use]
    pub fn with_limits(self, limits: FormLimits) -> Self {
        Self { limits, ..self }
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
        self.tell_of_unreadable_date(&day, &calendar, now).await;
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
        match self.bookings(&calendar, now).looks_free(request.slot, &request.repair).await {
            Ok(()) => {}
            Err(BookingError::Unbookable(reason)) => return Err(reason.into()),
            Err(BookingError::Taken { available }) => {
                return self.taken(&key, &request, available, &calendar, now).await;
            }
            Err(BookingError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(SchedulerError::Contended),
        }
        // Before anything is known of the number. A repeat of the same request counts once.
        let limits = self.limits.usage();
        let store = self.store.as_ref();
        let limit = RateLimit { store, what: FORM_BOOKING, limits: &limits, who: address };
        // The same form after its booking is no repeat.
        let same = sha256_hex(&[&key.hash, &request.fingerprint()]);
        let id = match &record {
            None => same,
            Some(record) => format!("{same}-{}", record.lead_id),
        };
        if !limit.take(&id, now).await? {
            return Err(SchedulerError::AddressLimit);
        }
        let booked = self.book_new(&request, &key, &lead_id, &calendar, now).await;
        // One that is refused for its number counts: how many open bookings a number has cannot be
        // tried out. So does one that may have been booked.
        let refused =
            matches!(&booked, Err(SchedulerError::Taken { .. } | SchedulerError::Unbookable(_)));
        if refused && let Err(error) = limit.give_back(&id, now).await {
            tracing::warn!(error = %ErrorChain(&error), "a refused booking counts");
        }
        booked
    }

    /// Books a slot for a request that has led to no booking yet, unless the same request does so
    /// meanwhile.
    async fn book_new(
        &self,
        request: &FormRequest,
        key: &RepeatKey,
        lead_id: &LeadId,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<FormBooking, SchedulerError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0
                && let Some(booking) = self.earlier(key, request).await?
            {
                return Ok(booking);
            }
            match self.try_book(request, key, lead_id, calendar, now).await {
                Ok(booking) => return Ok(FormBooking { booking, status: LeadStatus::Booked }),
                Err(BookingError::GuardChanged | BookingError::RecordExists) => {}
                Err(BookingError::Unbookable(reason)) => return Err(reason.into()),
                Err(BookingError::Taken { available }) => {
                    return self.taken(key, request, available, calendar, now).await;
                }
                // Nothing tells a stranger whose it is.
                Err(BookingError::AlreadyYours(booking)) => {
                    let needed = calendar.time_needed(&request.repair);
                    let available =
                        self.bookings(calendar, now).available(booking.slot.date(), needed).await?;
                    return self.taken(key, request, available, calendar, now).await;
                }
                Err(BookingError::NoLongerBooked(lead)) => return Ok(FormBooking::from(&*lead)),
                Err(BookingError::TooMany) => {
                    // The same request may have made the last of them meanwhile.
                    let earlier = self.earlier(key, request).await?;
                    return earlier.ok_or(SchedulerError::TooMany);
                }
                Err(BookingError::Store(error)) => return Err(error.into()),
                Err(BookingError::NotFound | BookingError::Contended) => break,
            }
        }
        Err(SchedulerError::Contended)
    }

    /// A slot that is taken may be so by the same request, which came at the same time.
    async fn taken(
        &self,
        key: &RepeatKey,
        request: &FormRequest,
        available: DayAvailability,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<FormBooking, SchedulerError> {
        match self.earlier(key, request).await? {
            Some(booking) => Ok(booking),
            None => {
                self.tell_of_unreadable_date(&available, calendar, now).await;
                Err(SchedulerError::Taken { available: available.slots })
            }
        }
    }

    /// The owner wrote something into the schedule that no program can read. He is told once for
    /// each date; a failure keeps nobody from an answer.
    async fn tell_of_unreadable_date(
        &self,
        day: &DayAvailability,
        calendar: &Calendar,
        now: Timestamp,
    ) {
        let Some(date) = day.unreadable else { return };
        let news = OwnerNews { owner: self.owner_phone.as_ref(), calendar, now };
        let texts = news.unreadable_date(date);
        match self.store.enqueue_once(&texts).await {
            Ok(true) => self.have_sent(&texts, now).await,
            Ok(false) => {}
            Err(error) => tracing::error!(error = %ErrorChain(&error), "failed to store an alert"),
        }
    }

    async fn have_sent(&self, texts: &[OutboxText], now: Timestamp) {
        if texts.is_empty() {
            return;
        }
        let ids = texts.iter().map(|text| text.id.clone()).collect();
        if let Err(error) = self.background.start(&BackgroundTask::SendTexts { ids, now }).await {
            // The schedule sends them within a minute.
            tracing::error!(error = %ErrorChain(error.as_ref()), "failed to have the outbox sent");
        }
    }

    /// The booking that the same request led to before.
    async fn earlier(
        &self,
        key: &RepeatKey,
        request: &FormRequest,
    ) -> Result<Option<FormBooking>, SchedulerError> {
        let record = self.store.idempotency_record(&key.hash).await?;
        self.booking_of(record.as_ref(), key, request).await
    }

    async fn booking_of(
        &self,
        record: Option<&IdempotencyRecord>,
        key: &RepeatKey,
        request: &FormRequest,
    ) -> Result<Option<FormBooking>, SchedulerError> {
        let Some(record) = record else { return Ok(None) };
        if key.replace_before.is_some_and(|time| record.now < time) {
            return Ok(None);
        }
        if record.fingerprint != request.fingerprint() {
            return Err(SchedulerError::KeyReused);
        }
        let lead = self.store.lead(&record.lead_id).await?;
        Ok(lead.filter(|lead| lead.phone == request.phone).map(|lead| FormBooking::from(&lead)))
    }

    async fn try_book(
        &self,
        request: &FormRequest,
        key: &RepeatKey,
        lead_id: &LeadId,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<Booking, BookingError> {
        let record = IdempotencyRecord {
            key_hash: key.hash.clone(),
            fingerprint: request.fingerprint(),
            lead_id: lead_id.clone(),
            now,
        };
        let record = RecordWrite { record, replace_before: key.replace_before };
        let lead = lead(request, lead_id.clone(), now);
        self.write(lead, record, self.bookings(calendar, now), now).await
    }

    /// Writes a booking with what belongs to it: the guard of its number, the request's record and
    /// the owner's text. `asked` is when it was asked for.
    async fn write(
        &self,
        lead: Lead,
        record: RecordWrite,
        bookings: BookingService<'_>,
        asked: Timestamp,
    ) -> Result<Booking, BookingError> {
        let now = bookings.now;
        let open = self.store.open_bookings(&lead.phone, self.calendar.local(now)).await?;
        let counts = |b: &&Booking| b.source == LeadSource::Form && b.lead_id != lead.id;
        if open.bookings.iter().filter(counts).count() >= MAX_OPEN {
            return Err(BookingError::TooMany);
        }
        let calendar = bookings.calendar;
        let news = OwnerNews { owner: self.owner_phone.as_ref(), calendar, now };
        let notification = news.booked(&Booking::from(&lead));
        let (id, at) = (lead.id.to_string(), now.as_millisecond().to_string());
        let draft = BookingDraft {
            lead,
            asked,
            identity: &["form", &id, &at],
            // The form knows no discounts.
            with_discount: false,
            guard: Some(FormGuardUpdate::after(open.guard)),
            record: Some(record),
            notification: notification.clone(),
        };
        let booking = bookings.book(&draft).await?;
        self.have_sent(&notification, now).await;
        Ok(booking)
    }

    async fn current_calendar(&self) -> Result<Calendar, StoreError> {
        Ok(current_calendar(self.store.as_ref(), &self.calendar).await?.1)
    }

    fn bookings<'a>(&'a self, calendar: &'a Calendar, now: Timestamp) -> BookingService<'a> {
        BookingService { store: self.store.as_ref(), calendar, now }
    }
}

fn lead(request: &FormRequest, id: LeadId, now: Timestamp) -> Lead {
    Lead {
        id,
        timestamp: super::bookings::whole_seconds(now),
        phone: request.phone.clone(),
        slot: request.slot,
        // The booking decides it.
        time_needed: TimeNeeded::default(),
        repair: request.repair.clone(),
        device: request.device.clone(),
        customer_name: request.customer_name.clone(),
        address: request.address.clone(),
        status: LeadStatus::Booked,
        source: LeadSource::Form,
        discount_percent: None,
    }
}
