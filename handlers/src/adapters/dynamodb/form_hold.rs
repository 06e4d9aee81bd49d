//! Times that the form holds until they are confirmed.
//!
//! The partition `holds` of the conversations' table has the last hold of each request, by the hash
//! of the request's key. The slot's row in the schedule has the status `held`, the lead that will be
//! booked, and the end; nothing cleans it up, since whoever reads or writes it compares that end.

use aws_sdk_dynamodb::types::{
    Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use jiff::Timestamp;

use super::{
    DynamoDb,
    booking::time_change,
    claims::expiry,
    errors::{ConditionalWrite, unavailable},
    lead_row::{from_lead, to_lead},
    row::{Row, RowReader, number, row, seconds, text},
    schedule::{AVAILABLE, HELD, HELD_UNTIL, IS_FREE, slot_key},
    transactions::{TransactionOutcome, put, update},
};
use crate::{
    domain::form_hold::{CODE_TRIES, FormHold, HoldId, NewFormHold},
    ports::{HoldOutcome, StoreError},
};

pub(super) const HOLDS: &str = "holds";
/// Days until DynamoDB may delete a hold. Until then a repeated confirmation finds its booking.
const DAYS: i64 = 1;

/// Positions of items in the transaction of [`DynamoDb::write_form_hold`].
const SLOT: usize = 0;
const DAY: usize = 1;
const HOLD: usize = 2;

impl DynamoDb {
    pub(super) async fn write_form_hold(
        &self,
        new: &NewFormHold,
    ) -> Result<HoldOutcome, StoreError> {
        let hold = &new.hold;
        let mut items = vec![
            self.take_slot_for(hold)?,
            self.count_change(hold.lead.slot, Some(new.day_version))?,
            self.put_form_hold(hold, new.replaces.as_ref())?,
        ];
        for text in &new.texts {
            items.push(self.put_text(text)?);
        }
        let outcome = match self.transact(Some(new.token.as_str()), items).await {
            TransactionOutcome::Written => return Ok(HoldOutcome::Held),
            outcome => outcome,
        };
        // An earlier attempt may have written it.
        let written = self.read_form_hold(hold.id.key_hash()).await;
        match (written, outcome) {
            (Ok(Some(written)), _) if written.id == hold.id => Ok(HoldOutcome::Held),
            (_, TransactionOutcome::Unknown(error)) => Err(error),
            (Err(error), _) => Err(error),
            (_, TransactionOutcome::Rejected(failed)) if failed.at(SLOT) => {
                Ok(HoldOutcome::SlotTaken)
            }
            (_, TransactionOutcome::Rejected(failed)) if failed.at(HOLD) => {
                Ok(HoldOutcome::KeyHeld)
            }
            (_, TransactionOutcome::Rejected(failed)) if failed.at(DAY) => {
                Ok(HoldOutcome::DayChanged)
            }
            (_, _) => Err(StoreError::Malformed {
                table: "Conversations",
                what: "a hold of the form was refused".to_owned(),
            }),
        }
    }

    pub(super) async fn read_form_hold(
        &self,
        key_hash: &str,
    ) -> Result<Option<FormHold>, StoreError> {
        let row = self.get_row(&self.tables.conversations, key(key_hash)).await?;
        row.as_ref().map(to_hold).transpose()
    }

    /// Counts first and compares later, so that guesses at the same time are no more than others.
    pub(super) async fn write_code_try(
        &self,
        id: &HoldId,
        attempt: &str,
    ) -> Result<Option<u32>, StoreError> {
        let count = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(key(id.key_hash())))
            .update_expression("SET tries = tries + :one, last_try = :attempt")
            .condition_expression(
                "nonce = :nonce AND tries < :most \
                 AND (attribute_not_exists(last_try) OR last_try <> :attempt)",
            )
            .expression_attribute_values(":attempt", text(attempt))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":nonce", text(id.nonce()))
            .expression_attribute_values(":most", number(CODE_TRIES))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let left = |row: &Row| {
            let tries = tries(RowReader::new("Conversations", row))?;
            Ok(Some(CODE_TRIES.saturating_sub(tries)))
        };
        match self.write_conditionally(|| count.clone().send()).await? {
            ConditionalWrite::Written(output) => left(&output.attributes.unwrap_or_default()),
            // This very try: its acknowledgement was lost and the SDK sent it again.
            ConditionalWrite::Rejected(Some(row))
                if row.get("last_try") == Some(&text(attempt)) =>
            {
                left(&row)
            }
            ConditionalWrite::Rejected(_) => Ok(None),
        }
    }

    pub(super) async fn write_release(
        &self,
        hold: &FormHold,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let free = Update::builder()
            .table_name(&self.tables.schedule)
            .set_key(Some(slot_key(hold.lead.slot)))
            .update_expression(
                "SET #status = :available, updated_at = :now \
                 REMOVE lead_id, held_until, minutes, travel_minutes",
            )
            .condition_expression("lead_id = :lead_id AND #status = :held")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":available", text(AVAILABLE))
            .expression_attribute_values(":held", text(HELD))
            .expression_attribute_values(":lead_id", text(hold.lead.id.as_str()))
            .expression_attribute_values(":now", seconds(now))
            .build()
            .map(update)
            .map_err(unavailable)?;
        let items = vec![free, self.count_change(hold.lead.slot, None)?];
        match self.transact(None, items).await {
            TransactionOutcome::Written | TransactionOutcome::Rejected(_) => Ok(()),
            TransactionOutcome::Unknown(error) => Err(error),
        }
    }

    /// Holds a slot for the form if nobody has it. The row names nobody: whose the number is has not
    /// been proved.
    fn take_slot_for(&self, hold: &FormHold) -> Result<TransactWriteItem, StoreError> {
        let (time, lengths) =
            time_change(hold.lead.time_needed, &["phone", "repair_type", "device"]);
        let mut slot = Update::builder()
            .table_name(&self.tables.schedule)
            .set_key(Some(slot_key(hold.lead.slot)))
            .update_expression(format!(
                "SET #status = :held, lead_id = :lead_id, held_until = :until, updated_at = :now, \
                 created_at = if_not_exists(created_at, :now){time}"
            ))
            .condition_expression(IS_FREE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":held", text(HELD))
            .expression_attribute_values(":available", text(AVAILABLE))
            .expression_attribute_values(":lead_id", text(hold.lead.id.as_str()))
            .expression_attribute_values(":until", seconds(hold.until))
            .expression_attribute_values(":now", seconds(hold.lead.timestamp));
        for (name, value) in lengths {
            slot = slot.expression_attribute_values(format!(":{name}"), value);
        }
        slot.build().map(update).map_err(unavailable)
    }

    /// Writes a hold in the place of the one that `replaces` names, or of none.
    fn put_form_hold(
        &self,
        hold: &FormHold,
        replaces: Option<&HoldId>,
    ) -> Result<TransactWriteItem, StoreError> {
        let write = Put::builder()
            .table_name(&self.tables.conversations)
            .set_item(Some(from_hold(hold)))
            .condition_expression(match replaces {
                None => "attribute_not_exists(conversation_id)",
                // DynamoDB may have deleted it meanwhile.
                Some(_) => "attribute_not_exists(conversation_id) OR nonce = :replaced",
            });
        let write = match replaces {
            None => write,
            Some(id) => write.expression_attribute_values(":replaced", text(id.nonce())),
        };
        write.build().map(put).map_err(unavailable)
    }
}

fn key(key_hash: &str) -> Row {
    row([("conversation_id", text(HOLDS)), ("item_id", text(key_hash))])
}

/// The row of the lead that will be booked, with the hold's own attributes.
fn from_hold(hold: &FormHold) -> Row {
    let mut hold_row = from_lead(&hold.lead);
    // There is no lead yet whose status it could be.
    hold_row.remove("status");
    hold_row.extend(key(hold.id.key_hash()));
    hold_row.extend(row([
        ("nonce", text(hold.id.nonce())),
        ("fingerprint", text(&hold.fingerprint)),
        ("code_hash", text(&hold.code_hash)),
        ("tries", number(hold.tries)),
        (HELD_UNTIL, seconds(hold.until)),
        ("expires_at", number(expiry(hold.lead.timestamp, DAYS))),
    ]));
    hold_row
}

fn to_hold(row: &Row) -> Result<FormHold, StoreError> {
    let reader = RowReader::new("Conversations", row);
    Ok(FormHold {
        id: HoldId::new(reader.text("item_id")?, reader.text("nonce")?),
        fingerprint: reader.text("fingerprint")?.to_owned(),
        code_hash: reader.text("code_hash")?.to_owned(),
        tries: tries(reader)?,
        until: reader.seconds(HELD_UNTIL)?,
        lead: to_lead(row)?,
    })
}

fn tries(reader: RowReader<'_>) -> Result<u32, StoreError> {
    u32::try_from(reader.integer("tries")?).map_err(|_| reader.malformed("tries", "a count"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::{
        catalogue::{Repair, RepairKind},
        form_hold::FormCode,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        phone::Phone,
        slot::{Slot, SlotTime},
        time_needed::TimeNeeded,
    };

    #[test]
    fn what_is_written_is_read_back_and_has_no_code() {
        let lead = Lead {
            id: LeadId::from_row("LEAD-20260210-201000-1a2b3c"),
            timestamp: "2026-02-10T20:10:00Z".parse().unwrap(),
            phone: Phone::parse("+19042520927").unwrap(),
            slot: Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(14)),
            time_needed: TimeNeeded { minutes: 90, travel: 20 },
            repair: Repair::at_shop(RepairKind::Screen),
            device: "iPhone".into(),
            customer_name: Some("Ann".into()),
            address: None,
            status: LeadStatus::Booked,
            source: LeadSource::Form,
            discount_percent: None,
        };
        let code = FormCode::parse("735104").unwrap();
        let id = HoldId::new(&"0f".repeat(32), &"a1".repeat(16));
        let hold = FormHold::new(id, lead, "fingerprint".into(), &code);
        let written = from_hold(&hold);
        assert!(!format!("{written:?}").contains("735104"));
        assert_eq!(written.get("status"), None);
        assert_eq!(to_hold(&written).unwrap(), hold);
        for name in ["nonce", "fingerprint", "code_hash", "tries", "held_until", "phone"] {
            let mut row = written.clone();
            row.remove(name);
            assert!(to_hold(&row).is_err(), "{name}");
        }
    }
}
