//! Bookings, cancellations and moves: one transaction each.
//!
//! The acknowledgement of a transaction can be lost, and its repeat then fails on its own rows. So
//! after a rejected or unknown outcome the rows are read before anything is reported: a slot counts
//! as taken only when another lead holds it.

mod items;

use jiff::civil;

use super::{
    DynamoDb,
    errors::unavailable,
    lead_row::{to_booking, to_lead},
    row::{Row, RowReader, row, text},
    transactions::{FailedConditions, TransactionOutcome},
};
use crate::{
    domain::{
        booking::{Booking, Cancellation, FormGuard, NewBooking, Reschedule},
        lead::{Lead, LeadId, LeadStatus},
        phone::Phone,
        slot::Slot,
    },
    ports::{BookOutcome, CancelOutcome, CustomerBookings, RescheduleOutcome, StoreError},
};

/// Range key of the row that guards the limit on open bookings by the form. It sorts before every
/// date.
const GUARD: &str = "#form";

/// Positions of items in the transactions' lists.
const SLOT: usize = 0;
const FORM_GUARD: usize = 3;

impl DynamoDb {
    pub(super) async fn write_booking(&self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        let booking = Booking::from(&new.lead);
        let mut items = vec![
            self.take_slot(&booking, new.lead.timestamp)?,
            self.put_lead(&new.lead)?,
            self.put_booking(&booking)?,
        ];
        if let Some(step) = new.guard {
            items.push(self.update_form_guard(&booking.phone, step)?);
        }
        match self.transact(Some(new.token.as_str()), items).await {
            TransactionOutcome::Written => Ok(BookOutcome::Booked),
            TransactionOutcome::Rejected(failed) if self.has_lead(&new.lead).await? => {
                tracing::info!(?failed, "the booking was written by an earlier attempt");
                Ok(BookOutcome::Booked)
            }
            TransactionOutcome::Rejected(failed) if failed.only(FORM_GUARD) => {
                Ok(BookOutcome::GuardChanged)
            }
            TransactionOutcome::Rejected(failed) => self.refused(&booking, &failed).await,
            TransactionOutcome::Unknown(error) => self.after_unknown(&new.lead, error).await,
        }
    }

    /// Explains a rejected transaction that no earlier attempt of the same booking had written.
    async fn refused(
        &self,
        booking: &Booking,
        failed: &FailedConditions,
    ) -> Result<BookOutcome, StoreError> {
        match self.holder(booking.slot).await? {
            Some(holder) if holder != booking.lead_id.as_str() => Ok(BookOutcome::SlotTaken),
            // Taken when the transaction ran and freed since: the result was true at that moment.
            _ if failed.at(SLOT) => Ok(BookOutcome::SlotTaken),
            _ if failed.at(FORM_GUARD) => Ok(BookOutcome::GuardChanged),
            _ => Err(StoreError::Malformed {
                table: "Leads",
                what: "the id of a new lead is in use".to_owned(),
            }),
        }
    }

    /// Resolves an unknown outcome by reading the rows; returns `error` when they do not tell.
    async fn after_unknown(
        &self,
        lead: &Lead,
        error: StoreError,
    ) -> Result<BookOutcome, StoreError> {
        if self.has_lead(lead).await.unwrap_or_default() {
            return Ok(BookOutcome::Booked);
        }
        match self.holder(lead.slot).await {
            Ok(Some(holder)) if holder != lead.id.as_str() => Ok(BookOutcome::SlotTaken),
            _ => Err(error),
        }
    }

    /// Whether an earlier attempt wrote the lead, whatever its status is now.
    async fn has_lead(&self, lead: &Lead) -> Result<bool, StoreError> {
        let found = self.read_lead(&lead.id).await?;
        Ok(found.is_some_and(|found| {
            found.phone == lead.phone && found.timestamp.as_second() == lead.timestamp.as_second()
        }))
    }

    /// The id of the lead that holds a slot: `None` when the slot is free, empty when the row names
    /// no lead.
    async fn holder(&self, slot: Slot) -> Result<Option<String>, StoreError> {
        let key = row([
            ("schedule_date", text(slot.date().to_string())),
            ("slot_time", text(slot.time().to_string())),
        ]);
        let Some(row) = self.get_row(&self.tables.schedule, key).await? else { return Ok(None) };
        let reader = RowReader::new("Schedule", &row);
        if reader.text_or_none("status")? == Some(super::schedule::AVAILABLE) {
            return Ok(None);
        }
        reader.text_or_empty("lead_id").map(Some)
    }

    /// Reads the guard before the bookings, so that a booking written between the two reads changes
    /// the guard and is noticed.
    pub(super) async fn read_bookings(
        &self,
        phone: &Phone,
        from: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError> {
        let guard = self.read_guard(phone).await?;
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.bookings)
            .key_condition_expression("phone = :phone AND #start >= :from")
            .expression_attribute_names("#start", "start")
            .expression_attribute_values(":phone", text(phone.as_str()))
            .expression_attribute_values(":from", text(from.strftime("%Y-%m-%dT%H:%M").to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut bookings = Vec::new();
        while let Some(row) = pages.next().await {
            bookings.push(to_booking(&row.map_err(unavailable)?)?);
        }
        // Keys have whole minutes, so the query also returns a start in the current minute.
        bookings.retain(|booking| booking.slot.start() >= from);
        Ok(CustomerBookings { bookings, guard })
    }

    async fn read_guard(&self, phone: &Phone) -> Result<Option<FormGuard>, StoreError> {
        let key = row([("phone", text(phone.as_str())), ("start", text(GUARD))]);
        let row = self.get_row(&self.tables.bookings, key).await?;
        let guard = |row: Row| {
            let reader = RowReader::new("CustomerBookings", &row);
            let version = u64::try_from(reader.integer("version")?)
                .map_err(|_| reader.malformed("version", "a version"))?;
            Ok(FormGuard { version })
        };
        row.map(guard).transpose()
    }

    /// A query, because the range key is the lead's timestamp, which the caller does not know.
    pub(super) async fn read_lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.tables.leads)
            .key_condition_expression("lead_id = :id")
            .expression_attribute_values(":id", text(id.as_str()))
            .consistent_read(true)
            .limit(1)
            .send()
            .await
            .map_err(unavailable)?;
        answer.items().first().map(to_lead).transpose()
    }

    pub(super) async fn write_cancellation(
        &self,
        cancel: &Cancellation,
    ) -> Result<CancelOutcome, StoreError> {
        let Cancellation { booking, token, now } = cancel;
        let items = vec![
            self.free_slot(booking, *now)?,
            self.cancel_lead(booking, *now)?,
            self.drop_booking(booking)?,
        ];
        let unknown = match self.transact(Some(token.as_str()), items).await {
            TransactionOutcome::Written => return Ok(CancelOutcome::Cancelled),
            TransactionOutcome::Rejected(_) => None,
            TransactionOutcome::Unknown(error) => Some(error),
        };
        let lead = self.read_lead(&booking.lead_id).await;
        let is_cancelled =
            |lead: &Lead| lead.status == LeadStatus::Cancelled && lead.phone == booking.phone;
        match (lead, unknown) {
            (Ok(Some(lead)), _) if is_cancelled(&lead) => Ok(CancelOutcome::Cancelled),
            (_, Some(error)) => Err(error),
            (Ok(_), None) => Ok(CancelOutcome::BookingChanged),
            (Err(error), None) => Err(error),
        }
    }

    pub(super) async fn write_reschedule(
        &self,
        change: &Reschedule,
    ) -> Result<RescheduleOutcome, StoreError> {
        let (old, new) = (&change.booking, change.moved());
        let items = vec![
            self.take_slot(&new, change.now)?,
            self.free_slot(old, change.now)?,
            self.move_lead(old, new.slot, change.now)?,
            self.drop_booking(old)?,
            self.put_booking(&new)?,
        ];
        let outcome = match self.transact(Some(change.token.as_str()), items).await {
            TransactionOutcome::Written => return Ok(RescheduleOutcome::Rescheduled),
            outcome => outcome,
        };
        let lead = self.read_lead(&old.lead_id).await;
        let is_moved = |lead: &Lead| {
            lead.slot == new.slot && lead.status == LeadStatus::Booked && lead.phone == new.phone
        };
        match (lead, outcome) {
            (Ok(Some(lead)), _) if is_moved(&lead) => Ok(RescheduleOutcome::Rescheduled),
            (_, TransactionOutcome::Unknown(error)) => Err(error),
            (Err(error), _) => Err(error),
            (_, TransactionOutcome::Rejected(failed)) if failed.only(SLOT) => {
                Ok(RescheduleOutcome::SlotTaken)
            }
            (_, _) => Ok(RescheduleOutcome::BookingChanged),
        }
    }
}
