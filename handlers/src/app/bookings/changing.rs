//! Cancels and moves bookings.

use std::borrow::Cow;

use super::{ATTEMPTS, BookingError, BookingService, Changed};
use crate::{
    domain::{
        booking::{Booking, Cancellation, RequestToken, Reschedule},
        lead::{Lead, LeadId, LeadStatus},
        outbox::OutboxText,
        phone::Phone,
        slot::Slot,
    },
    ports::{CancelOutcome, RescheduleOutcome, StoreError},
};

impl BookingService<'_> {
    /// Cancels an open booking of this customer and returns it. Succeeds for one that is cancelled
    /// already. `identity` tells this change from others; `notify` gives the texts that go out
    /// because of it.
    ///
    /// # Errors
    /// [`BookingError::NotFound`], [`BookingError::ClaimLost`], [`BookingError::Contended`] and
    /// [`BookingError::Store`].
    pub async fn cancel(
        &self,
        phone: &Phone,
        id: &LeadId,
        identity: &[&str],
        notify: impl Fn(&Booking) -> Vec<OutboxText> + Send,
    ) -> Result<Changed, BookingError> {
        let identity = self.identity_of_attempt(identity);
        for _ in 0..ATTEMPTS {
            let Some(booking) = self.find_open(phone, id).await? else {
                let booking = self.find_cancelled(phone, id).await?;
                return Ok(Changed { booking, was_so_before: true });
            };
            let slot_key = self.slot_key(&booking).await?;
            let cancel = Cancellation {
                token: token("cancel", &identity, &booking, slot_key.as_deref(), &[]),
                slot_key,
                now: self.now,
                fence: self.fence.cloned(),
                notification: notify(&booking),
                booking,
            };
            let was_so_before = match self.store.cancel(&cancel).await? {
                CancelOutcome::Cancelled => false,
                CancelOutcome::CancelledBefore => true,
                CancelOutcome::BookingChanged => continue,
                CancelOutcome::ClaimLost => return Err(BookingError::ClaimLost),
            };
            return Ok(Changed { booking: cancel.booking, was_so_before });
        }
        Err(BookingError::Contended)
    }

    /// Moves an open booking of this customer to another slot and returns it. Succeeds for one that
    /// is there already. `identity` and `notify` are as for [`BookingService::cancel`].
    ///
    /// # Errors
    /// [`BookingError::Unbookable`], [`BookingError::NotFound`], [`BookingError::Taken`],
    /// [`BookingError::AlreadyYours`], [`BookingError::ClaimLost`], [`BookingError::Contended`] and
    /// [`BookingError::Store`]. Except for the last, the booking keeps its slot.
    pub async fn reschedule(
        &self,
        phone: &Phone,
        id: &LeadId,
        to: Slot,
        identity: &[&str],
        notify: impl Fn(&Booking, &Booking) -> Vec<OutboxText> + Send,
    ) -> Result<Changed, BookingError> {
        let identity = self.identity_of_attempt(identity);
        let mut last = BookingError::Contended;
        let mut calendar = Cow::Borrowed(self.calendar);
        for _ in 0..ATTEMPTS {
            let service = BookingService { calendar: &calendar, ..*self };
            let booking = self.find_open(phone, id).await?.ok_or(BookingError::NotFound)?;
            if booking.slot == to {
                return Ok(Changed { booking, was_so_before: true });
            }
            let needed = calendar.time_needed(&booking.repair);
            if let Some(reason) = calendar.unbookable_reason(to, needed, self.now) {
                return Err(reason.into());
            }
            let day = self.store.versioned_day_schedule(to.date()).await?.at(self.now);
            if day.conflict(to.time(), needed, Some(id)).is_some() {
                match service.held(to, &day, needed, phone).await? {
                    Some(refusal) => return Err(refusal),
                    // Unless the rows say so for good.
                    None => last = service.taken(to.date(), &day, needed),
                }
                continue;
            }
            if !day.unreadable.is_empty() {
                return Err(service.taken(to.date(), &day, needed));
            }
            let slot_key = if booking.slot.date() == to.date() {
                day.key_of(id)
            } else {
                self.slot_key(&booking).await?
            };
            let versions = calendar.versions();
            let versions = [day.version, versions.settings, versions.owner];
            let to_text = to.wall_clock();
            let identity = [&[to_text.as_str()], identity.as_slice()].concat();
            let mut change = Reschedule {
                token: token("reschedule", &identity, &booking, slot_key.as_deref(), &versions),
                booking,
                to,
                time_needed: needed,
                calendar_versions: calendar.versions(),
                slot_key,
                day_version: day.version,
                now: self.now,
                fence: self.fence.cloned(),
                notification: Vec::new(),
            };
            change.notification = notify(&change.booking, &change.moved());
            match self.store.reschedule(&change).await? {
                RescheduleOutcome::Rescheduled => {
                    return Ok(Changed { booking: change.moved(), was_so_before: false });
                }
                RescheduleOutcome::RescheduledBefore => {
                    return Ok(Changed { booking: change.moved(), was_so_before: true });
                }
                // What is there now decides.
                RescheduleOutcome::SlotTaken | RescheduleOutcome::BookingChanged => {}
                RescheduleOutcome::ClaimLost => return Err(BookingError::ClaimLost),
                RescheduleOutcome::CalendarChanged => {
                    calendar = Cow::Owned(self.current_calendar().await?);
                }
            }
        }
        Err(last)
    }

    /// The identity of a change by this attempt: another one writes another fence.
    fn identity_of_attempt<'i>(&'i self, identity: &[&'i str]) -> Vec<&'i str> {
        identity.iter().copied().chain(self.fence.map(|fence| fence.holder.as_str())).collect()
    }

    /// The key of a booking's row in the schedule, as it is spelled there; `None` without one.
    pub(super) async fn slot_key(&self, booking: &Booking) -> Result<Option<String>, StoreError> {
        let day = self.store.day_schedule(booking.slot.date()).await?;
        Ok(day.key_of(&booking.lead_id))
    }

    /// An open booking of this customer, by its lead: bookings of the old system have no other row.
    async fn find_open(&self, phone: &Phone, id: &LeadId) -> Result<Option<Booking>, StoreError> {
        let is_booked = |lead: &Lead| lead.phone == *phone && lead.status == LeadStatus::Booked;
        let now = self.calendar.local(self.now);
        let lead = self.store.lead(id).await?.filter(is_booked);
        Ok(lead.map(|lead| Booking::from(&lead)).filter(|booking| booking.is_open_at(now)))
    }

    async fn find_cancelled(&self, phone: &Phone, id: &LeadId) -> Result<Booking, BookingError> {
        match self.store.lead(id).await? {
            Some(lead) if lead.phone == *phone && lead.status == LeadStatus::Cancelled => {
                Ok(Booking::from(&lead))
            }
            _ => Err(BookingError::NotFound),
        }
    }
}

/// The token of a change: the same for a repeat, another one once the booking has moved, its row of
/// the schedule is spelled otherwise, or what the change was decided on has another of `versions`.
pub(super) fn token(
    what: &str,
    identity: &[&str],
    booking: &Booking,
    slot_key: Option<&str>,
    versions: &[u64],
) -> RequestToken {
    let from = booking.slot.wall_clock();
    let versions: Vec<String> = versions.iter().map(u64::to_string).collect();
    let parts: Vec<&str> = [what, &from, slot_key.unwrap_or_default()]
        .into_iter()
        .chain(versions.iter().map(String::as_str))
        .chain(identity.iter().copied())
        .collect();
    RequestToken::derive(&parts)
}
