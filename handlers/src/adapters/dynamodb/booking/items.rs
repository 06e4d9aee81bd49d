//! The items of the transactions, each with the condition under which it may be written.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use jiff::Timestamp;

use super::GUARD;
use crate::{
    adapters::dynamodb::{
        DynamoDb,
        calendar::SETTINGS_KEY,
        errors::unavailable,
        late::{HELD as CLAIM_HOLDS, LATE},
        lead_row::{from_booking, from_lead, slot_attributes, time_attributes},
        owner::OWNER_KEY,
        row::{Row, number, seconds, text},
        schedule::{AVAILABLE, COMPLETED, HELD, HELD_UNTIL, IS_FREE, version_key},
        transactions::{condition_check, delete, put, update},
    },
    domain::{
        booking::{Booking, FormGuardUpdate},
        calendar::CalendarVersions,
        lead::{Lead, LeadStatus},
        phone::Phone,
        slot::Slot,
        time_needed::TimeNeeded,
        turn::TurnFence,
    },
    ports::StoreError,
};

type TransactionItem = Result<TransactWriteItem, StoreError>;

impl DynamoDb {
    /// Takes a slot if nobody has it, or the same lead.
    pub(in super::super) fn take_slot(&self, booking: &Booking, now: Timestamp) -> TransactionItem {
        let (time, lengths) = time_change(booking.time_needed, &[HELD_UNTIL]);
        let mut slot = self
            .slot_row(booking.slot, &booking.slot.time().to_string())
            .update_expression(format!(
                "SET #status = :booked, lead_id = :lead_id, phone = :phone, \
                 repair_type = :repair_type, device = :device, updated_at = :now, \
                 created_at = if_not_exists(created_at, :now){time}"
            ))
            .condition_expression(format!("{IS_FREE} OR lead_id = :lead_id"))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":booked", text(LeadStatus::Booked.as_str()))
            .expression_attribute_values(":available", text(AVAILABLE))
            .expression_attribute_values(":held", text(HELD))
            .expression_attribute_values(":now", seconds(now));
        for (name, value) in slot_attributes(booking) {
            slot = slot.expression_attribute_values(format!(":{name}"), value);
        }
        for (name, value) in lengths {
            slot = slot.expression_attribute_values(format!(":{name}"), value);
        }
        slot.build().map(update).map_err(unavailable)
    }

    /// Counts a change of a date's bookings, if it is still at `expected`.
    pub(in super::super) fn count_change(
        &self,
        slot: Slot,
        expected: Option<u64>,
    ) -> TransactionItem {
        let count = Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(version_key(slot.date())))
            .update_expression("SET #version = if_not_exists(#version, :none) + :one")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1));
        let count = match expected {
            None => count,
            Some(0) => count.condition_expression("attribute_not_exists(#version)"),
            Some(version) => count
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(version)),
        };
        count.build().map(update).map_err(unavailable)
    }

    /// Fails the transaction when the calendar's settings or the owner's state have changed.
    pub(super) fn check_calendar(
        &self,
        versions: CalendarVersions,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        Ok([
            self.check_version(SETTINGS_KEY, versions.settings)?,
            self.check_version(OWNER_KEY, versions.owner)?,
        ])
    }

    fn check_version(&self, key: &str, expected: u64) -> TransactionItem {
        let check = ConditionCheck::builder()
            .table_name(&self.tables.owner)
            .key("state_id", text(key))
            .expression_attribute_names("#version", "version");
        let check = if expected == 0 {
            check.condition_expression("attribute_not_exists(#version)")
        } else {
            check
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected))
        };
        check.build().map(condition_check).map_err(unavailable)
    }

    /// Fails the transaction when the attempt no longer holds its turn.
    pub(super) fn check_claim(&self, fence: &TurnFence) -> TransactionItem {
        ConditionCheck::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(&fence.key)))
            .condition_expression(CLAIM_HOLDS)
            .expression_attribute_values(":holder", text(&fence.holder))
            .expression_attribute_values(":late", text(LATE))
            .build()
            .map(condition_check)
            .map_err(unavailable)
    }

    /// Frees a slot, by the time as its row spells it, if this lead holds it.
    pub(super) fn free_slot(
        &self,
        booking: &Booking,
        key: &str,
        now: Timestamp,
    ) -> TransactionItem {
        let change = "SET #status = :status, updated_at = :now \
                      REMOVE lead_id, phone, repair_type, device, minutes, travel_minutes";
        self.change_own_slot(booking, key, now, AVAILABLE, change)
    }

    /// Notes that a slot's booking is done, by the time as its row spells it, if this lead holds it.
    /// The slot stays held.
    pub(super) fn complete_slot(
        &self,
        booking: &Booking,
        key: &str,
        now: Timestamp,
    ) -> TransactionItem {
        self.change_own_slot(
            booking,
            key,
            now,
            COMPLETED,
            "SET #status = :status, updated_at = :now",
        )
    }

    /// Changes a slot's row, by the time as it spells it, if this booking's lead holds it.
    fn change_own_slot(
        &self,
        booking: &Booking,
        key: &str,
        now: Timestamp,
        status: &str,
        change: &str,
    ) -> TransactionItem {
        self.slot_row(booking.slot, key)
            .update_expression(change)
            .condition_expression("lead_id = :lead_id")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", text(status))
            .expression_attribute_values(":now", seconds(now))
            .expression_attribute_values(":lead_id", text(booking.lead_id.as_str()))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    fn slot_row(&self, slot: Slot, key: &str) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.schedule)
            .key("schedule_date", text(slot.date().to_string()))
            .key("slot_time", text(key))
    }

    pub(super) fn put_lead(&self, lead: &Lead) -> TransactionItem {
        Put::builder()
            .table_name(&self.tables.leads)
            .set_item(Some(from_lead(lead)))
            .condition_expression("attribute_not_exists(lead_id)")
            .build()
            .map(put)
            .map_err(unavailable)
    }

    /// Cancels a lead if its row is still as it was read.
    pub(super) fn cancel_lead(&self, row: &Row, now: Timestamp) -> TransactionItem {
        let values = [(":cancelled".to_owned(), text(LeadStatus::Cancelled.as_str()))];
        self.change_lead(row, now, "SET #status = :cancelled, updated_at = :now", values)
    }

    /// Marks a lead as done if its row is still as it was read.
    pub(super) fn complete_lead(&self, row: &Row, now: Timestamp) -> TransactionItem {
        let values = [(":completed".to_owned(), text(LeadStatus::Completed.as_str()))];
        self.change_lead(row, now, "SET #status = :completed, updated_at = :now", values)
    }

    /// Changes nothing but the time of the last change, if the lead's row is still as it was read.
    pub(in super::super) fn touch_lead(&self, row: &Row, now: Timestamp) -> TransactionItem {
        self.change_lead(row, now, "SET updated_at = :now", [])
    }

    /// Moves a lead to a booking's slot if its row is still as it was read.
    pub(super) fn move_lead(&self, row: &Row, to: &Booking, now: Timestamp) -> TransactionItem {
        let (time, lengths) = time_change(to.time_needed, &[]);
        let change = format!(
            "SET appointment_date = :to_date, appointment_time = :to_time, updated_at = :now{time}"
        );
        let mut values = vec![
            (":to_date".to_owned(), text(to.slot.date().to_string())),
            (":to_time".to_owned(), text(to.slot.time().to_string())),
        ];
        values.extend(lengths.into_iter().map(|(name, value)| (format!(":{name}"), value)));
        self.change_lead(row, now, &change, values)
    }

    /// Changes a lead on the condition that the attributes that matter are those of `row`, in its
    /// own spelling.
    fn change_lead(
        &self,
        row: &Row,
        now: Timestamp,
        change: &str,
        values: impl IntoIterator<Item = (String, AttributeValue)>,
    ) -> TransactionItem {
        let mut lead = Update::builder()
            .table_name(&self.tables.leads)
            .update_expression(change)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":now", seconds(now));
        for key in ["lead_id", "timestamp"] {
            if let Some(value) = row.get(key) {
                lead = lead.key(key, value.clone());
            }
        }
        let mut conditions = Vec::new();
        for (name, place) in [
            ("phone", "phone"),
            ("status", "#status"),
            ("appointment_date", "appointment_date"),
            ("appointment_time", "appointment_time"),
        ] {
            match row.get(name) {
                None => conditions.push(format!("attribute_not_exists({place})")),
                Some(value) => {
                    conditions.push(format!("{place} = :was_{name}"));
                    lead = lead.expression_attribute_values(format!(":was_{name}"), value.clone());
                }
            }
        }
        for (name, value) in values {
            lead = lead.expression_attribute_values(name, value);
        }
        lead.condition_expression(conditions.join(" AND ")).build().map(update).map_err(unavailable)
    }

    pub(super) fn put_booking(&self, booking: &Booking) -> TransactionItem {
        Put::builder()
            .table_name(&self.tables.bookings)
            .set_item(Some(from_booking(booking)))
            .build()
            .map(put)
            .map_err(unavailable)
    }

    /// Writes a booking row if there is none.
    pub(in super::super) fn put_missing_booking(&self, booking: &Booking) -> TransactionItem {
        Put::builder()
            .table_name(&self.tables.bookings)
            .set_item(Some(from_booking(booking)))
            .condition_expression("attribute_not_exists(phone)")
            .build()
            .map(put)
            .map_err(unavailable)
    }

    /// Deletes a booking row. A lead of the old system has none, which is no failure.
    pub(super) fn drop_booking(&self, booking: &Booking) -> TransactionItem {
        Delete::builder()
            .table_name(&self.tables.bookings)
            .key("phone", text(booking.phone.as_str()))
            .key("start", text(booking.slot.wall_clock()))
            .condition_expression("attribute_not_exists(phone) OR lead_id = :lead_id")
            .expression_attribute_values(":lead_id", text(booking.lead_id.as_str()))
            .build()
            .map(delete)
            .map_err(unavailable)
    }

    /// Writes the next form guard if the guard is still the one that was read.
    pub(super) fn update_form_guard(
        &self,
        phone: &Phone,
        step: FormGuardUpdate,
    ) -> TransactionItem {
        let guard = Put::builder()
            .table_name(&self.tables.bookings)
            .item("phone", text(phone.as_str()))
            .item("start", text(GUARD))
            .item("version", number(step.next.version));
        let guard = match step.expected {
            None => guard.condition_expression("attribute_not_exists(phone)"),
            Some(expected) => guard
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(expected.version)),
        };
        guard.build().map(put).map_err(unavailable)
    }
}

/// The end of an update expression that writes how long an appointment is, and its values. What is
/// usual stands in no row. `removed` are other attributes that go.
pub(in super::super) fn time_change(needed: TimeNeeded, removed: &[&str]) -> (String, Row) {
    let values = time_attributes(needed);
    let (set, usual): (Vec<&str>, Vec<&str>) =
        ["minutes", "travel_minutes"].iter().partition(|name| values.contains_key(**name));
    let set: String = set.iter().map(|name| format!(", {name} = :{name}")).collect();
    let removed: Vec<&str> = removed.iter().copied().chain(usual).collect();
    let remove =
        if removed.is_empty() { String::new() } else { format!(" REMOVE {}", removed.join(", ")) };
    (format!("{set}{remove}"), values)
}
