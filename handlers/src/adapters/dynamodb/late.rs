//! Turns that went past the webhook's deadline and are finished outside of it.
//!
//! The turn's row says so by its attribute `late`; a row of the partition `late` lists it, so that
//! the schedule finds turns whose invocation was lost.

use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{
    DynamoDb,
    errors::{ConditionalWrite, unavailable},
    row::{Row, RowReader, number, row, text},
    transactions::{TransactionOutcome, delete, put, update},
    turn_row::{texts, to_answer, to_record},
};
use crate::{
    domain::turn::{HandOver, LateTurn, TurnEnd, TurnKey, TurnText},
    ports::StoreError,
};

/// Partition of the turns that were handed over.
pub(super) const LATE_TURNS: &str = "late";
/// Value of a turn's attribute `late` until it is finished.
pub(super) const LATE: &str = "waiting";
const DONE: &str = "done";
/// Condition under which an attempt still holds a turn.
pub(super) const HELD: &str =
    "holder = :holder AND (attribute_not_exists(messages) OR late = :late)";

impl DynamoDb {
    pub(super) async fn write_hand_over(&self, hand_over: &HandOver) -> Result<bool, StoreError> {
        let HandOver { key, holder, now, messages } = hand_over;
        let turn = Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(key)))
            .update_expression("SET messages = :messages, late = :late REMOVE until_ms")
            .condition_expression("holder = :holder AND attribute_not_exists(messages)")
            .expression_attribute_values(":messages", texts(messages))
            .expression_attribute_values(":late", text(LATE))
            .expression_attribute_values(":holder", text(holder))
            .build()
            .map(update)
            .map_err(unavailable)?;
        let listed = Put::builder()
            .table_name(&self.tables.conversations)
            .set_item(Some(listed_key(key)))
            .item("phone", text(key.phone.as_str()))
            .item("created_ms", number(now.as_millisecond()))
            .build()
            .map(put)
            .map_err(unavailable)?;
        let error = match self.transact(None, vec![turn, listed]).await {
            TransactionOutcome::Written => return Ok(true),
            TransactionOutcome::Rejected(_) => None,
            TransactionOutcome::Unknown(error) => Some(error),
        };
        // The acknowledgement may have been lost.
        let ours = match self.read_turn(key).await? {
            Some(row) => {
                let reader = RowReader::new("Conversations", &row);
                is_late(&row)? && reader.text_or_none("holder")? == Some(holder.as_str())
            }
            None => false,
        };
        match (ours, error) {
            (true, _) => Ok(true),
            (false, Some(error)) => Err(error),
            (false, None) => Ok(false),
        }
    }

    pub(super) async fn read_late_turns(&self) -> Result<Vec<TurnKey>, StoreError> {
        let mut turns = Vec::new();
        for row in self.read_partition(LATE_TURNS).await? {
            let reader = RowReader::new("Conversations", &row);
            let sid = reader.text("item_id")?.to_owned();
            match (reader.millis("created_ms"), reader.phone("phone")) {
                (Ok(created), Ok(phone)) => turns.push((created, TurnKey { phone, sid })),
                // It keeps no other from being finished.
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(sid, %error, "a late turn cannot be read");
                }
            }
        }
        turns.sort_by_key(|(created, _)| *created);
        Ok(turns.into_iter().map(|(_, key)| key).collect())
    }

    pub(super) async fn write_late_claim(
        &self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<LateTurn>, StoreError> {
        let claim = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(key)))
            .update_expression(
                "SET holder = :holder, until_ms = :until, \
                 late_attempts = if_not_exists(late_attempts, :none) + :one",
            )
            .condition_expression(
                "late = :late AND (attribute_not_exists(until_ms) OR until_ms < :wall)",
            )
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":late", text(LATE))
            .expression_attribute_values(":wall", number(unix_ms))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match self.write_conditionally(|| claim.clone().send()).await? {
            ConditionalWrite::Written(output) => output.attributes.unwrap_or_default(),
            // This very claim: its acknowledgement was lost and the SDK sent it again.
            ConditionalWrite::Rejected(Some(row))
                if is_late(&row)? && row.get("holder") == Some(&text(holder)) =>
            {
                row
            }
            ConditionalWrite::Rejected(_) => return Ok(None),
        };
        to_late_turn(&row).map(Some)
    }

    /// Ends a turn that was handed over as part of a transaction.
    pub(super) fn end_late_turn(&self, end: &TurnEnd) -> Result<TransactWriteItem, StoreError> {
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(&end.key)))
            .update_expression("SET late = :done")
            .condition_expression("holder = :holder AND late = :late")
            .expression_attribute_values(":done", text(DONE))
            .expression_attribute_values(":late", text(LATE))
            .expression_attribute_values(":holder", text(&end.holder))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    /// Takes a turn off the list as part of a transaction.
    pub(super) fn drop_late_turn(&self, key: &TurnKey) -> Result<TransactWriteItem, StoreError> {
        Delete::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(listed_key(key)))
            .build()
            .map(delete)
            .map_err(unavailable)
    }
}

/// Whether a turn was handed over and is not finished.
fn is_late(row: &Row) -> Result<bool, StoreError> {
    Ok(RowReader::new("Conversations", row).text_or_none("late")? == Some(LATE))
}

/// Whether a turn was handed over and then finished.
pub(super) fn is_late_and_done(row: &Row) -> Result<bool, StoreError> {
    Ok(RowReader::new("Conversations", row).text_or_none("late")? == Some(DONE))
}

fn listed_key(key: &TurnKey) -> Row {
    row([("conversation_id", text(LATE_TURNS)), ("item_id", text(&key.sid))])
}

fn to_late_turn(row: &Row) -> Result<LateTurn, StoreError> {
    let reader = RowReader::new("Conversations", row);
    let attempts = reader.integer("late_attempts")?.saturating_sub(1);
    Ok(LateTurn {
        record: to_record(row)?,
        text: TurnText {
            body: reader.text("body")?.to_owned(),
            media: usize::try_from(reader.integer("media")?).unwrap_or_default(),
            media_urls: reader.texts("media_urls")?,
        },
        earlier_attempts: u32::try_from(attempts).unwrap_or_default(),
        waited: to_answer(row)?.is_some_and(|messages| messages.is_empty()),
    })
}
