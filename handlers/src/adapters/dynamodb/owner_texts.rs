//! What the owner's texts read and write: the customers whom he may mean, his answers, his time off.
//!
//! The partition `customers` of the conversations' table lists who had a turn lately.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use jiff::{Timestamp, civil};

use super::{
    DynamoDb,
    claims::expiry,
    errors::{ConditionalWrite, unavailable},
    outbox::{CLAIMED, UNANSWERED},
    row::{Row, RowReader, number, row, seconds, text},
    schedule::{AVAILABLE, BLOCKED},
    transactions::{TransactionOutcome, put, update},
    turn::{MEMORY, MEMORY_DAYS, item_key},
    turn_row::{OWNER_TURNS, from_turns},
};
use crate::{
    domain::{
        outbox::{OwnerAnswer, UnansweredText},
        phone::Phone,
        slot::{Slot, SlotTime},
        time_off::{TimeOffChange, TimeOffRow},
        turn::{MEMORY_TURNS, MemoryTurn, TurnKey},
    },
    ports::StoreError,
};

pub(super) const CUSTOMERS: &str = "customers";
/// Days after a customer's last turn until DynamoDB may delete their row.
const CUSTOMER_DAYS: i64 = 8;
/// Days until DynamoDB may delete a text that the owner has answered.
const ANSWERED_DAYS: i64 = 90;
/// The first answer counts, whoever gives another.
const MARK_ANSWERED: &str = "SET answered_ms = if_not_exists(answered_ms, :now), \
                             expires_at = if_not_exists(expires_at, :expires)";
/// A row that expired or was erased is not written anew.
const IS_UNANSWERED_TEXT: &str = "attribute_exists(phone)";

impl DynamoDb {
    /// Notes that a customer had a turn, as part of a transaction.
    pub(super) fn note_customer(
        &self,
        phone: &Phone,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        Put::builder()
            .table_name(&self.tables.conversations)
            .item("conversation_id", text(CUSTOMERS))
            .item("item_id", text(phone.as_str()))
            .item("last_ms", number(now.as_millisecond()))
            .item("expires_at", number(expiry(now, CUSTOMER_DAYS)))
            .build()
            .map(put)
            .map_err(unavailable)
    }

    pub(super) async fn read_recent_customers(
        &self,
        since: Timestamp,
    ) -> Result<Vec<Phone>, StoreError> {
        let mut customers = Vec::new();
        for row in self.read_partition(CUSTOMERS).await? {
            let reader = RowReader::new("Conversations", &row);
            match (reader.millis("last_ms"), reader.phone("item_id")) {
                (Ok(last), Ok(phone)) if last >= since => customers.push((last, phone)),
                (Ok(_), Ok(_)) => {}
                // It keeps the owner from writing to no other customer.
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(%error, "the row of a customer cannot be read");
                }
            }
        }
        customers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(customers.into_iter().map(|(_, phone)| phone).collect())
    }

    pub(super) async fn read_unanswered(&self) -> Result<Vec<UnansweredText>, StoreError> {
        let mut unanswered = Vec::new();
        for row in self.read_partition(UNANSWERED).await? {
            let reader = RowReader::new("Conversations", &row);
            if reader.has("answered_ms") {
                continue;
            }
            match unanswered_text(reader) {
                Ok(text) => unanswered.push(text),
                // It keeps the owner from answering no other.
                Err(error) => tracing::error!(%error, "an unanswered text cannot be read"),
            }
        }
        Ok(unanswered)
    }

    pub(super) async fn write_owner_answer(&self, answer: &OwnerAnswer) -> Result<(), StoreError> {
        let Some(first) = answer.texts.first() else { return Ok(()) };
        let mut items = vec![self.claim_cause(first)?];
        for text in &answer.texts {
            items.push(self.put_text(text)?);
        }
        items.push(self.remember_owner_answer(answer).await?);
        // Whom he wrote to he may mean again, also when this very text is repeated.
        items.push(self.note_customer(&answer.to, answer.now)?);
        for sid in &answer.answered {
            items.push(self.mark_answered(sid, answer.now)?);
        }
        match self.transact(None, items).await {
            TransactionOutcome::Written => Ok(()),
            // The text was delivered twice.
            TransactionOutcome::Rejected(failed) if failed.at(CLAIMED) => Ok(()),
            TransactionOutcome::Rejected(_) => Err(StoreError::Malformed {
                table: "Conversations",
                what: "a text that the owner answers has gone".to_owned(),
            }),
            TransactionOutcome::Unknown(error) => match self.cause_is_claimed(first).await {
                Ok(true) => Ok(()),
                _ => Err(error),
            },
        }
    }

    /// Beside the turns of the customer, of whom one may be storing its own meanwhile.
    async fn remember_owner_answer(
        &self,
        answer: &OwnerAnswer,
    ) -> Result<TransactWriteItem, StoreError> {
        let memory = self.read_memory(&answer.to).await?;
        let earlier = memory.turns.iter().filter(|turn| turn.by_owner);
        let turns: Vec<&MemoryTurn> = earlier.chain([&answer.memory]).collect();
        let excess = turns.len().saturating_sub(MEMORY_TURNS);
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(&answer.to, MEMORY)))
            .update_expression("SET #turns = :turns, updated_at = :now, expires_at = :expires")
            .expression_attribute_names("#turns", OWNER_TURNS)
            .expression_attribute_values(":turns", from_turns(turns.into_iter().skip(excess)))
            .expression_attribute_values(":now", seconds(answer.now))
            .expression_attribute_values(":expires", number(expiry(answer.now, MEMORY_DAYS)))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    /// Marks a text as answered; false when there is none.
    pub(super) async fn write_answered(
        &self,
        sid: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mark = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(unanswered_key(sid)))
            .update_expression(MARK_ANSWERED)
            .condition_expression(IS_UNANSWERED_TEXT)
            .set_expression_attribute_values(Some(answered_at(now)));
        let outcome = self.write_conditionally(|| mark.clone().send()).await?;
        Ok(matches!(outcome, ConditionalWrite::Written(_)))
    }

    fn mark_answered(&self, sid: &str, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(unanswered_key(sid)))
            .update_expression(MARK_ANSWERED)
            .condition_expression(IS_UNANSWERED_TEXT)
            .set_expression_attribute_values(Some(answered_at(now)))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    pub(super) async fn write_time_off(&self, change: &TimeOffChange) -> Result<bool, StoreError> {
        let of_date = Slot::new(change.date, SlotTime::hour_of_day(0));
        let mut items = vec![self.count_change(of_date, Some(change.day_version))?];
        for row in &change.rows {
            items.push(self.put_time_off(change.date, row, change.now)?);
        }
        match self.transact(None, items).await {
            TransactionOutcome::Written => Ok(true),
            TransactionOutcome::Rejected(_) => Ok(false),
            TransactionOutcome::Unknown(error) => Err(error),
        }
    }

    /// Writes or frees a row of time off, if no booking holds it.
    fn put_time_off(
        &self,
        date: civil::Date,
        row: &TimeOffRow,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let change = Update::builder()
            .table_name(&self.tables.schedule)
            .key("schedule_date", text(date.to_string()))
            .key("slot_time", text(&row.key))
            .condition_expression(
                "attribute_not_exists(schedule_date) OR #status = :available \
                 OR (#status = :blocked AND (attribute_not_exists(lead_id) OR lead_id = :none))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":available", text(AVAILABLE))
            .expression_attribute_values(":blocked", text(BLOCKED))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":now", seconds(now));
        let change = match row.minutes {
            Some(minutes) => change
                .update_expression(
                    "SET #status = :blocked, minutes = :minutes, updated_at = :now, \
                     created_at = if_not_exists(created_at, :now) \
                     REMOVE lead_id, phone, repair_type, device",
                )
                .expression_attribute_values(":minutes", number(minutes)),
            None => change
                .update_expression("SET #status = :available, updated_at = :now REMOVE minutes"),
        };
        change.build().map(update).map_err(unavailable)
    }
}

fn unanswered_key(sid: &str) -> Row {
    row([("conversation_id", text(UNANSWERED)), ("item_id", text(sid))])
}

/// The values of [`MARK_ANSWERED`].
fn answered_at(now: Timestamp) -> Row {
    row([(":now", number(now.as_millisecond())), (":expires", number(expiry(now, ANSWERED_DAYS)))])
}

/// Words, pictures and reason may be missing, so that nobody is forgotten because of them.
fn unanswered_text(reader: RowReader<'_>) -> Result<UnansweredText, StoreError> {
    Ok(UnansweredText {
        key: TurnKey { phone: reader.phone("phone")?, sid: reader.text("item_id")?.to_owned() },
        words: reader.text_or_empty("words")?,
        media: reader.texts("media").unwrap_or_default(),
        reason: reader.text_or_empty("reason")?,
        now: reader.millis("created_ms").unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
