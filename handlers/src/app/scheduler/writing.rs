//! Writes the form's bookings, and says what came of it.

use jiff::Timestamp;

use super::{
    ATTEMPTS, FormBooking, FormRequest, MAX_OPEN, Scheduler, SchedulerError, repeat_key::RepeatKey,
};
use crate::{
    app::{
        bookings::{BookingDraft, BookingError, BookingService, whole_seconds},
        owner_news::OwnerNews,
    },
    domain::{
        booking::{Booking, FormGuardUpdate, IdempotencyRecord, RecordWrite},
        catalogue::Repair,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        time_needed::TimeNeeded,
    },
};

impl Scheduler {
    /// Books a slot for a request that has led to no booking yet, unless the same request does so
    /// meanwhile.
    pub(super) async fn book_new(
        &self,
        request: &FormRequest,
        key: &RepeatKey,
        lead_id: &LeadId,
        bookings: BookingService<'_>,
    ) -> Result<FormBooking, SchedulerError> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0
                && let Some(booking) = self.earlier(key, request).await?
            {
                return Ok(booking);
            }
            match self.try_book(request, key, lead_id, bookings).await {
                Ok(booking) => return Ok(FormBooking { booking, status: LeadStatus::Booked }),
                Err(BookingError::GuardChanged | BookingError::RecordExists) => {}
                Err(error) => return self.own_or_refusal(error, key, request, bookings).await,
            }
        }
        Err(SchedulerError::Contended)
    }

    /// What stands in the way may be a booking of the same request, which came at the same time.
    pub(super) async fn own_or_refusal(
        &self,
        error: BookingError,
        key: &RepeatKey,
        request: &FormRequest,
        bookings: BookingService<'_>,
    ) -> Result<FormBooking, SchedulerError> {
        if is_in_the_way(&error)
            && let Some(booking) = self.earlier(key, request).await?
        {
            return Ok(booking);
        }
        self.refusal(error, &request.repair, bookings).await
    }

    /// What the form is answered when no booking was written.
    pub(super) async fn refusal(
        &self,
        error: BookingError,
        repair: &Repair,
        bookings: BookingService<'_>,
    ) -> Result<FormBooking, SchedulerError> {
        let BookingService { calendar, now, .. } = bookings;
        let available = match error {
            BookingError::Taken { available } => available,
            // Nothing tells a stranger whose it is.
            BookingError::AlreadyYours(booking) => {
                bookings.available(booking.slot.date(), calendar.time_needed(repair)).await?
            }
            BookingError::NoLongerBooked(lead) => return Ok(FormBooking::from(&*lead)),
            BookingError::Unbookable(reason) => return Err(reason.into()),
            BookingError::TooMany => return Err(SchedulerError::TooMany),
            BookingError::Store(error) => return Err(error.into()),
            BookingError::GuardChanged
            | BookingError::RecordExists
            | BookingError::NotFound
            | BookingError::ClaimLost
            | BookingError::Contended => return Err(SchedulerError::Contended),
        };
        self.tell_of_unreadable_date(&available, now).await;
        Err(SchedulerError::Taken { available: available.slots })
    }

    /// The booking that the same request led to before.
    pub(super) async fn earlier(
        &self,
        key: &RepeatKey,
        request: &FormRequest,
    ) -> Result<Option<FormBooking>, SchedulerError> {
        let record = self.store.idempotency_record(&key.hash).await?;
        self.booking_of(record.as_ref(), key, request).await
    }

    /// The same of the record that its key has.
    pub(super) async fn booking_of(
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
        bookings: BookingService<'_>,
    ) -> Result<Booking, BookingError> {
        let now = bookings.now;
        let record = IdempotencyRecord {
            key_hash: key.hash.clone(),
            fingerprint: request.fingerprint(),
            lead_id: lead_id.clone(),
            now,
        };
        let record = RecordWrite { record, replace_before: key.replace_before };
        let lead = lead(request, lead_id.clone(), now);
        self.write(lead, record, bookings, now).await
    }

    /// Writes a booking with what belongs to it: the guard of its number, the request's record and
    /// the owner's text. `asked` is when it was asked for.
    pub(super) async fn write(
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
        let news = OwnerNews { owner: self.owner_phone.as_ref(), now };
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
}

/// Whether other bookings are in the way of this one.
pub(super) fn is_in_the_way(error: &BookingError) -> bool {
    matches!(
        error,
        BookingError::Taken { .. } | BookingError::AlreadyYours(_) | BookingError::TooMany
    )
}

/// The lead of a request.
pub(super) fn lead(request: &FormRequest, id: LeadId, now: Timestamp) -> Lead {
    Lead {
        id,
        timestamp: whole_seconds(now),
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
