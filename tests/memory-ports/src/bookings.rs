//! Bookings in memory: what is booked, cancelled, moved and done.
//!
//! Each is one transaction: what refuses it is looked for before anything is written, in the order in
//! which the adapter looks.

use handlers::{
    domain::{
        booking::{
            Booking, Cancellation, Completion, IdempotencyRecord, NewBooking, RecordWrite,
            Reschedule,
        },
        lead::{Lead, LeadStatus},
    },
    ports::{BookOutcome, CancelOutcome, CompleteOutcome, RescheduleOutcome, StoreError},
};
use jiff::civil;

use super::{
    rows::Rows,
    schedule::{RowStatus, ScheduleRow, row_key},
};

impl Rows {
    /// # Errors
    /// When the lead's id is another customer's lead.
    pub fn book(&mut self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        let lead = &new.lead;
        if let Some(written) = self.leads.get(&lead.id)
            && written.phone == lead.phone
            && written.timestamp == lead.timestamp
        {
            return Ok(BookOutcome::Exists(Box::new(written.clone())));
        }
        if !self.may_pass(new.fence.as_ref()) {
            return Ok(BookOutcome::ClaimLost);
        }
        let discount = lead.discount_percent.filter(|_| new.uses_discount);
        if !self.may_take(lead.slot, &lead.id, lead.timestamp) {
            return Ok(BookOutcome::SlotTaken);
        }
        if new.record.as_ref().is_some_and(|write| !self.may_record(write)) {
            return Ok(BookOutcome::RecordExists);
        }
        if discount.is_some_and(|percent| !self.may_use_discount(&lead.phone, percent)) {
            return Ok(BookOutcome::DiscountChanged);
        }
        let guard = self.guards.get(&lead.phone).copied();
        if new.guard.is_some_and(|step| step.expected != guard) {
            return Ok(BookOutcome::GuardChanged);
        }
        if self.day_version(lead.slot.date()) != new.day_version {
            return Ok(BookOutcome::DayChanged);
        }
        if self.calendar_versions() != new.calendar_versions {
            return Ok(BookOutcome::CalendarChanged);
        }
        if self.leads.contains_key(&lead.id) {
            let what = "the id of a new lead is in use".to_owned();
            return Err(StoreError::Malformed { table: "Leads", what });
        }
        let booking = Booking::from(lead);
        if discount.is_some() {
            self.use_discount(lead);
        }
        self.guards.extend(new.guard.map(|step| (lead.phone.clone(), step.next)));
        if let Some(RecordWrite { record, .. }) = &new.record {
            self.forms.insert(record.key_hash.clone(), record.clone());
        }
        self.count_change(lead.slot.date());
        self.put_texts(&new.notification);
        self.schedule.insert(row_key(lead.slot), ScheduleRow::booked(&booking));
        self.bookings.insert((lead.phone.clone(), lead.slot), booking);
        self.leads.insert(lead.id.clone(), lead.clone());
        Ok(BookOutcome::Booked)
    }

    fn may_record(&self, write: &RecordWrite) -> bool {
        let replaces =
            |old: &IdempotencyRecord| write.replace_before.is_some_and(|time| old.now < time);
        self.forms.get(&write.record.key_hash).is_none_or(replaces)
    }

    /// The lead of a booking, if it still says what the booking says.
    fn unchanged_lead(&self, booking: &Booking) -> Option<&Lead> {
        self.leads.get(&booking.lead_id).filter(|lead| {
            lead.phone == booking.phone
                && lead.slot == booking.slot
                && lead.status == LeadStatus::Booked
        })
    }

    /// Whether the booking's own lead has this status.
    fn has_status(&self, booking: &Booking, status: LeadStatus) -> bool {
        let lead = self.leads.get(&booking.lead_id);
        lead.is_some_and(|lead| lead.status == status && lead.phone == booking.phone)
    }

    /// Whether the row at the booking's place among the customer's is its own, or there is none.
    fn may_drop(&self, booking: &Booking) -> bool {
        let row = self.bookings.get(&(booking.phone.clone(), booking.slot));
        row.is_none_or(|row| row.lead_id == booking.lead_id)
    }

    /// The row of the schedule that a booking gives as its own; whether it holds it.
    fn own_row(
        &self,
        booking: &Booking,
        key: Option<&String>,
    ) -> (Option<(civil::Date, String)>, bool) {
        let key = key.map(|key| (booking.slot.date(), key.clone()));
        let is_own = key.as_ref().is_none_or(|key| self.holds_row(key, &booking.lead_id));
        (key, is_own)
    }

    pub fn cancel(&mut self, cancel: &Cancellation) -> CancelOutcome {
        let booking = &cancel.booking;
        let (row, is_own) = self.own_row(booking, cancel.slot_key.as_ref());
        let is_unchanged = self.unchanged_lead(booking).is_some();
        if is_unchanged && !self.may_pass(cancel.fence.as_ref()) {
            return CancelOutcome::ClaimLost;
        }
        if !is_unchanged || !is_own || !self.may_drop(booking) {
            return match self.has_status(booking, LeadStatus::Cancelled) {
                true => CancelOutcome::CancelledBefore,
                false => CancelOutcome::BookingChanged,
            };
        }
        self.bookings.remove(&(booking.phone.clone(), booking.slot));
        row.map(|row| self.schedule.remove(&row));
        self.count_change(booking.slot.date());
        self.put_texts(&cancel.notification);
        self.leads.get_mut(&booking.lead_id).unwrap().status = LeadStatus::Cancelled;
        CancelOutcome::Cancelled
    }

    pub fn complete(&mut self, done: &Completion) -> CompleteOutcome {
        let booking = &done.booking;
        let (row, is_own) = self.own_row(booking, done.slot_key.as_ref());
        if self.unchanged_lead(booking).is_none() || !is_own || !self.may_drop(booking) {
            return match self.has_status(booking, LeadStatus::Completed) {
                true => CompleteOutcome::Completed,
                false => CompleteOutcome::BookingChanged,
            };
        }
        self.bookings.remove(&(booking.phone.clone(), booking.slot));
        if let Some(row) = row.and_then(|row| self.schedule.get_mut(&row)) {
            row.status = RowStatus::Completed;
        }
        self.leads.get_mut(&booking.lead_id).unwrap().status = LeadStatus::Completed;
        CompleteOutcome::Completed
    }

    pub fn reschedule(&mut self, change: &Reschedule) -> RescheduleOutcome {
        let (old, new) = (&change.booking, change.moved());
        if self.unchanged_lead(old).is_none() {
            let is_moved = self.has_status(&new, LeadStatus::Booked)
                && self.leads.get(&new.lead_id).is_some_and(|lead| lead.slot == new.slot);
            return match is_moved {
                true => RescheduleOutcome::RescheduledBefore,
                false => RescheduleOutcome::BookingChanged,
            };
        }
        if !self.may_pass(change.fence.as_ref()) {
            return RescheduleOutcome::ClaimLost;
        }
        let (row, is_own) = self.own_row(old, change.slot_key.as_ref());
        let is_current = self.calendar_versions() == change.calendar_versions;
        let is_unchanged =
            is_own && self.may_drop(old) && self.day_version(new.slot.date()) == change.day_version;
        let is_taken = !self.may_take(new.slot, &new.lead_id, change.now);
        match (is_taken, is_unchanged, is_current) {
            (true, true, true) => return RescheduleOutcome::SlotTaken,
            (_, _, false) => return RescheduleOutcome::CalendarChanged,
            (true, ..) | (_, false, _) => return RescheduleOutcome::BookingChanged,
            (false, true, true) => {}
        }
        self.count_change(new.slot.date());
        if old.slot.date() != new.slot.date() {
            self.count_change(old.slot.date());
        }
        self.put_texts(&change.notification);
        self.bookings.remove(&(old.phone.clone(), old.slot));
        row.map(|row| self.schedule.remove(&row));
        self.schedule.insert(row_key(new.slot), ScheduleRow::booked(&new));
        let lead = self.leads.get_mut(&new.lead_id).unwrap();
        (lead.slot, lead.time_needed) = (new.slot, new.time_needed);
        self.bookings.insert((new.phone.clone(), new.slot), new);
        RescheduleOutcome::Rescheduled
    }
}
