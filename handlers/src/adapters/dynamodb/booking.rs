//! Bookings, cancellations and moves: one transaction each.
//!
//! The acknowledgement of a transaction can be lost, and its repeat then fails on its own rows. So
//! after a rejected or unknown outcome the rows are read before anything is reported: a slot counts
//! as taken only when another lead holds it.

mod completion;
mod items;

pub(super) use items::time_change;

use jiff::{Span, Timestamp, civil};

use super::{
    DynamoDb,
    errors::unavailable,
    lead_row::{to_booking, to_lead},
    row::{Row, RowReader, row, text},
    schedule::{AVAILABLE, HELD, HELD_UNTIL, slot_key},
    transactions::TransactionOutcome,
};
use crate::{
    domain::{
        booking::{Booking, Cancellation, FormGuard, NewBooking, Reschedule},
        lead::{Lead, LeadId, LeadStatus},
        phone::Phone,
        slot::Slot,
        time_needed::MAX_MINUTES,
    },
    ports::{BookOutcome, CancelOutcome, CustomerBookings, RescheduleOutcome, StoreError},
};

/// Range key of the row that guards the limit on open bookings by the form. It sorts before every
/// date.
const GUARD: &str = "#form";

/// Positions of items in the transactions' lists.
const SLOT: usize = 0;
const DAY: usize = 1;

impl DynamoDb {
    pub(super) async fn write_booking(&self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        let booking = Booking::from(&new.lead);
        let mut items = vec![
            self.take_slot(&booking, new.lead.timestamp)?,
            self.count_change(booking.slot, Some(new.day_version))?,
            self.put_lead(&new.lead)?,
            self.put_booking(&booking)?,
        ];
        let mut position = |item| {
            items.push(item);
            items.len() - 1
        };
        let discount = match new.lead.discount_percent.filter(|_| new.uses_discount) {
            Some(percent) => Some(position(self.use_discount(&new.lead, percent)?)),
            None => None,
        };
        let guard = match new.guard {
            Some(step) => Some(position(self.update_form_guard(&booking.phone, step)?)),
            None => None,
        };
        let record = match &new.record {
            Some(record) => Some(position(self.put_record(record)?)),
            None => None,
        };
        for text in &new.notification {
            position(self.put_text(text)?);
        }
        let checks = self.check_calendar(new.calendar_versions)?.map(&mut position);
        let fence = match &new.fence {
            Some(fence) => Some(position(self.check_claim(fence)?)),
            None => None,
        };
        let failed = match self.transact(Some(new.token.as_str()), items).await {
            TransactionOutcome::Written => return Ok(BookOutcome::Booked),
            TransactionOutcome::Rejected(failed) => failed,
            TransactionOutcome::Unknown(error) => {
                return self.after_unknown(&new.lead, error).await;
            }
        };
        if let Some(lead) = self.own_lead(&new.lead).await? {
            tracing::info!(?failed, "the booking was written by an earlier attempt");
            return Ok(BookOutcome::Exists(Box::new(lead)));
        }
        let has_failed = |at: Option<usize>| at.is_some_and(|at| failed.at(at));
        if has_failed(fence) {
            Ok(BookOutcome::ClaimLost)
        } else if failed.at(SLOT) {
            // When the transaction ran; it may be free by now.
            Ok(BookOutcome::SlotTaken)
        } else if has_failed(record) {
            Ok(BookOutcome::RecordExists)
        } else if has_failed(discount) {
            Ok(BookOutcome::DiscountChanged)
        } else if has_failed(guard) {
            Ok(BookOutcome::GuardChanged)
        } else if failed.at(DAY) {
            Ok(BookOutcome::DayChanged)
        } else if checks.iter().any(|at| failed.at(*at)) {
            Ok(BookOutcome::CalendarChanged)
        } else {
            Err(StoreError::Malformed {
                table: "Leads",
                what: "the id of a new lead is in use".to_owned(),
            })
        }
    }

    /// Resolves an unknown outcome by reading the rows; returns `error` when they do not tell.
    async fn after_unknown(
        &self,
        lead: &Lead,
        error: StoreError,
    ) -> Result<BookOutcome, StoreError> {
        if let Ok(Some(written)) = self.own_lead(lead).await {
            return Ok(BookOutcome::Exists(Box::new(written)));
        }
        match self.holder(lead.slot, lead.timestamp).await {
            Ok(Some(holder)) if holder != lead.id.as_str() => Ok(BookOutcome::SlotTaken),
            _ => Err(error),
        }
    }

    /// The lead as an earlier attempt wrote it, whatever its status is now.
    async fn own_lead(&self, lead: &Lead) -> Result<Option<Lead>, StoreError> {
        let found = self.read_lead(&lead.id).await?;
        Ok(found.filter(|found| {
            found.phone == lead.phone && found.timestamp.as_second() == lead.timestamp.as_second()
        }))
    }

    /// The id of the lead that holds a slot at `now`: `None` when the slot is free, empty when the
    /// row names no lead.
    async fn holder(&self, slot: Slot, now: Timestamp) -> Result<Option<String>, StoreError> {
        let row = self.get_row(&self.tables.schedule, slot_key(slot)).await?;
        let Some(row) = row else { return Ok(None) };
        let reader = RowReader::new("Schedule", &row);
        match reader.text_or_none("status")? {
            Some(AVAILABLE) => return Ok(None),
            Some(HELD) if reader.seconds(HELD_UNTIL).is_ok_and(|end| end <= now) => {
                return Ok(None);
            }
            _ => {}
        }
        reader.text_or_empty("lead_id").map(Some)
    }

    /// Reads the guard before the bookings, so that a booking written between the two reads changes
    /// the guard and is noticed.
    pub(super) async fn read_bookings(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError> {
        // None is longer.
        let from = now.saturating_sub(Span::new().minutes(MAX_MINUTES));
        let guard = self.read_guard(phone).await?;
        let query = self
            .client
            .query()
            .table_name(&self.tables.bookings)
            .key_condition_expression("phone = :phone AND #start >= :from")
            .expression_attribute_names("#start", "start")
            .expression_attribute_values(":phone", text(phone.as_str()))
            .expression_attribute_values(
                ":from",
                text(from.strftime("%Y-%m-%dT%H:%M").to_string()),
            );
        let rows = self.query_all(query).await?;
        let mut bookings = rows.iter().map(to_booking).collect::<Result<Vec<_>, _>>()?;
        bookings.retain(|booking| booking.is_open_at(now));
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

    pub(super) async fn read_lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        self.read_lead_row(id).await?.as_ref().map(to_lead).transpose()
    }

    /// A query, because the range key is the lead's timestamp, which the caller does not know.
    async fn read_lead_row(&self, id: &LeadId) -> Result<Option<Row>, StoreError> {
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
        Ok(answer.items().first().cloned())
    }

    /// The row of a booking's lead, if the lead still says what the booking says. Rows of the old
    /// system spell phone, time and timestamp in other ways, so changes are bound to the row itself.
    async fn unchanged_lead_row(&self, booking: &Booking) -> Result<Option<Row>, StoreError> {
        let Some(row) = self.read_lead_row(&booking.lead_id).await? else { return Ok(None) };
        let lead = to_lead(&row)?;
        let unchanged = lead.phone == booking.phone
            && lead.slot == booking.slot
            && lead.status == LeadStatus::Booked;
        Ok(unchanged.then_some(row))
    }

    pub(super) async fn write_cancellation(
        &self,
        cancel: &Cancellation,
    ) -> Result<CancelOutcome, StoreError> {
        let Cancellation { booking, slot_key, token, now, fence, notification } = cancel;
        let Some(row) = self.unchanged_lead_row(booking).await? else {
            return self.cancellation_result(booking, None).await;
        };
        let mut items = vec![
            self.cancel_lead(&row, *now)?,
            self.drop_booking(booking)?,
            self.count_change(booking.slot, None)?,
        ];
        if let Some(key) = slot_key {
            items.push(self.free_slot(booking, key, *now)?);
        }
        for text in notification {
            items.push(self.put_text(text)?);
        }
        let fence_at = items.len();
        if let Some(fence) = fence {
            items.push(self.check_claim(fence)?);
        }
        match self.transact(Some(token.as_str()), items).await {
            TransactionOutcome::Written => Ok(CancelOutcome::Cancelled),
            TransactionOutcome::Rejected(failed) if failed.at(fence_at) => {
                Ok(CancelOutcome::ClaimLost)
            }
            TransactionOutcome::Rejected(_) => self.cancellation_result(booking, None).await,
            TransactionOutcome::Unknown(error) => {
                self.cancellation_result(booking, Some(error)).await
            }
        }
    }

    /// What became of a cancellation that was not acknowledged. Of `unknown` outcome it is this one's
    /// if the booking is cancelled.
    async fn cancellation_result(
        &self,
        booking: &Booking,
        unknown: Option<StoreError>,
    ) -> Result<CancelOutcome, StoreError> {
        let lead = self.read_lead(&booking.lead_id).await;
        let is_cancelled =
            |lead: &Lead| lead.status == LeadStatus::Cancelled && lead.phone == booking.phone;
        match (lead, unknown) {
            (Ok(Some(lead)), Some(_)) if is_cancelled(&lead) => Ok(CancelOutcome::Cancelled),
            (Ok(Some(lead)), None) if is_cancelled(&lead) => Ok(CancelOutcome::CancelledBefore),
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
        let is_moved = |lead: &Lead| {
            lead.slot == new.slot && lead.status == LeadStatus::Booked && lead.phone == new.phone
        };
        let Some(row) = self.unchanged_lead_row(old).await? else {
            let lead = self.read_lead(&old.lead_id).await?;
            return Ok(match lead {
                Some(lead) if is_moved(&lead) => RescheduleOutcome::RescheduledBefore,
                _ => RescheduleOutcome::BookingChanged,
            });
        };
        let mut items = vec![
            self.take_slot(&new, change.now)?,
            self.count_change(new.slot, Some(change.day_version))?,
            self.move_lead(&row, &new, change.now)?,
            self.drop_booking(old)?,
            self.put_booking(&new)?,
        ];
        if old.slot.date() != new.slot.date() {
            items.push(self.count_change(old.slot, None)?);
        }
        if let Some(key) = &change.slot_key {
            items.push(self.free_slot(old, key, change.now)?);
        }
        for text in &change.notification {
            items.push(self.put_text(text)?);
        }
        let checks = [items.len(), items.len() + 1];
        items.extend(self.check_calendar(change.calendar_versions)?);
        let fence_at = items.len();
        if let Some(fence) = &change.fence {
            items.push(self.check_claim(fence)?);
        }
        let outcome = match self.transact(Some(change.token.as_str()), items).await {
            TransactionOutcome::Written => return Ok(RescheduleOutcome::Rescheduled),
            TransactionOutcome::Rejected(failed) if failed.at(fence_at) => {
                return Ok(RescheduleOutcome::ClaimLost);
            }
            outcome => outcome,
        };
        let lead = self.read_lead(&old.lead_id).await;
        match (lead, outcome) {
            (Ok(Some(lead)), TransactionOutcome::Unknown(_)) if is_moved(&lead) => {
                Ok(RescheduleOutcome::Rescheduled)
            }
            (Ok(Some(lead)), _) if is_moved(&lead) => Ok(RescheduleOutcome::RescheduledBefore),
            (_, TransactionOutcome::Unknown(error)) => Err(error),
            (Err(error), _) => Err(error),
            (_, TransactionOutcome::Rejected(failed)) if failed.only(SLOT) => {
                Ok(RescheduleOutcome::SlotTaken)
            }
            (_, TransactionOutcome::Rejected(failed)) if checks.iter().any(|at| failed.at(*at)) => {
                Ok(RescheduleOutcome::CalendarChanged)
            }
            (_, _) => Ok(RescheduleOutcome::BookingChanged),
        }
    }
}
