//! The outbox, and the texts that wait for the owner's answer.
//!
//! Both are partitions of the conversations' table: `outbox` holds what Twilio has not taken,
//! `unanswered` the customers who were promised an answer. A third row per cause, `outbox#<id>`,
//! remembers for a week that a text was stored, so that a repeat of the cause stores nothing.

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;

use super::{
    DynamoDb,
    claims::expiry,
    errors::{ConditionalWrite, unavailable},
    row::{Row, RowReader, number, row, text},
    transactions::{TransactionOutcome, put},
    turn_row::texts,
};
use crate::{
    domain::outbox::{Callback, OutboxText, UnansweredText},
    ports::StoreError,
};

pub(super) const OUTBOX: &str = "outbox";
pub(super) const UNANSWERED: &str = "unanswered";
const CLAIM: &str = "claim";
/// Days until DynamoDB may delete the memory of a text that was stored.
const CLAIM_DAYS: i64 = 7;
/// Days until DynamoDB may delete a text that Twilio refused.
const REFUSED_DAYS: i64 = 90;
/// Position of the claim in the transaction of [`DynamoDb::write_texts_with`].
pub(super) const CLAIMED: usize = 0;

impl DynamoDb {
    /// Writes texts with a claim on the first one's id, in one transaction.
    pub(super) async fn write_texts(&self, new: &[OutboxText]) -> Result<bool, StoreError> {
        self.write_texts_with(new, Vec::new()).await
    }

    /// Writes a callback: the customer's text with the owner's texts.
    pub(super) async fn write_callback(&self, callback: &Callback) -> Result<(), StoreError> {
        let unanswered = self.put_unanswered(&callback.unanswered)?;
        self.write_texts_with(&callback.notification, vec![unanswered]).await.map(|_| ())
    }

    /// Writes texts and what belongs to them. Without texts a repeat writes the same once more.
    async fn write_texts_with(
        &self,
        new: &[OutboxText],
        others: Vec<TransactWriteItem>,
    ) -> Result<bool, StoreError> {
        let claim = new.first().map(|first| self.claim_cause(first)).transpose()?;
        let claimed = claim.is_some();
        let mut items: Vec<TransactWriteItem> = claim.into_iter().collect();
        for text in new {
            items.push(self.put_text(text)?);
        }
        items.extend(others);
        if items.is_empty() {
            return Ok(true);
        }
        match self.transact(None, items).await {
            TransactionOutcome::Written => Ok(true),
            TransactionOutcome::Rejected(failed) if claimed && failed.at(CLAIMED) => Ok(false),
            TransactionOutcome::Rejected(_) => Err(StoreError::Malformed {
                table: "Conversations",
                what: "the outbox refused a text".to_owned(),
            }),
            TransactionOutcome::Unknown(error) => Err(error),
        }
    }

    pub(super) fn claim_cause(&self, first: &OutboxText) -> Result<TransactWriteItem, StoreError> {
        Put::builder()
            .table_name(&self.tables.conversations)
            .item("conversation_id", text(format!("{OUTBOX}#{}", first.id)))
            .item("item_id", text(CLAIM))
            .item("expires_at", number(expiry(first.created, CLAIM_DAYS)))
            .condition_expression("attribute_not_exists(conversation_id)")
            .build()
            .map(put)
            .map_err(unavailable)
    }

    /// Whether the texts of this cause were written.
    pub(super) async fn cause_is_claimed(&self, first: &OutboxText) -> Result<bool, StoreError> {
        let id = text(format!("{OUTBOX}#{}", first.id));
        let key = row([("conversation_id", id), ("item_id", text(CLAIM))]);
        Ok(self.get_row(&self.tables.conversations, key).await?.is_some())
    }

    /// Puts a text into the outbox as part of a transaction.
    pub(super) fn put_text(&self, new: &OutboxText) -> Result<TransactWriteItem, StoreError> {
        Put::builder()
            .table_name(&self.tables.conversations)
            .set_item(Some(to_row(new)))
            .build()
            .map(put)
            .map_err(unavailable)
    }

    /// Keeps a text that waits for the owner's answer as part of a transaction.
    pub(super) fn put_unanswered(
        &self,
        unanswered: &UnansweredText,
    ) -> Result<TransactWriteItem, StoreError> {
        let UnansweredText { key, words, media, reason, now } = unanswered;
        Put::builder()
            .table_name(&self.tables.conversations)
            .item("conversation_id", text(UNANSWERED))
            .item("item_id", text(&key.sid))
            .item("phone", text(key.phone.as_str()))
            .item("words", text(words))
            .item("media", texts(media))
            .item("reason", text(reason))
            .item("created_ms", number(now.as_millisecond()))
            .build()
            .map(put)
            .map_err(unavailable)
    }

    pub(super) async fn read_waiting(&self) -> Result<Vec<String>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.conversations)
            .key_condition_expression("conversation_id = :outbox")
            .filter_expression("attribute_not_exists(refused_ms)")
            .expression_attribute_values(":outbox", text(OUTBOX));
        let mut waiting: Vec<(Timestamp, String)> = Vec::new();
        for row in self.query_all(query).await? {
            let reader = RowReader::new("Conversations", &row);
            // One that cannot be read is told when it is claimed, and keeps no other from going out.
            let created = reader.millis("created_ms").unwrap_or(Timestamp::MIN);
            waiting.push((created, reader.text("item_id")?.to_owned()));
        }
        waiting.sort_unstable();
        Ok(waiting.into_iter().map(|(_, id)| id).collect())
    }

    pub(super) async fn write_text_claim(
        &self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<(OutboxText, u32)>, StoreError> {
        let claim = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(key(id)))
            .update_expression(
                "SET holder = :holder, until_ms = :until, \
                 attempts = if_not_exists(attempts, :none) + :one",
            )
            .condition_expression(
                "attribute_exists(conversation_id) AND attribute_not_exists(refused_ms) \
                 AND (attribute_not_exists(until_ms) OR until_ms < :wall)",
            )
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":wall", number(unix_ms))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match self.write_conditionally(|| claim.clone().send()).await? {
            ConditionalWrite::Written(output) => output.attributes.unwrap_or_default(),
            // This very claim: its acknowledgement was lost and the SDK sent it again.
            ConditionalWrite::Rejected(Some(row)) if row.get("holder") == Some(&text(holder)) => {
                row
            }
            ConditionalWrite::Rejected(_) => return Ok(None),
        };
        let attempts = RowReader::new("Conversations", &row).integer("attempts")?;
        let earlier = u32::try_from(attempts.saturating_sub(1)).unwrap_or_default();
        Ok(Some((from_row(&row)?, earlier)))
    }

    /// Ends a claim on a text that was not sent.
    pub(super) async fn drop_text_claim(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        let release = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(key(id)))
            .update_expression("REMOVE holder, until_ms")
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", text(holder));
        self.write_conditionally(|| release.clone().send()).await.map(|_| ())
    }

    pub(super) async fn delete_text(&self, id: &str) -> Result<(), StoreError> {
        let delete =
            self.client.delete_item().table_name(&self.tables.conversations).set_key(Some(key(id)));
        delete.send().await.map(|_| ()).map_err(unavailable)
    }

    pub(super) async fn mark_refused(
        &self,
        id: &str,
        code: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let refuse = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(key(id)))
            // Nobody holds it any more.
            .update_expression(
                "SET refused_ms = :now, code = :code, expires_at = :expires REMOVE holder, until_ms",
            )
            .condition_expression("attribute_exists(body)")
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":code", code.map_or(AttributeValue::Null(true), number))
            .expression_attribute_values(":expires", number(expiry(now, REFUSED_DAYS)));
        self.write_conditionally(|| refuse.clone().send()).await.map(|_| ())
    }
}

fn key(id: &str) -> Row {
    row([("conversation_id", text(OUTBOX)), ("item_id", text(id))])
}

fn to_row(new: &OutboxText) -> Row {
    let mut waiting = key(&new.id);
    waiting.extend(row([
        ("to", text(new.to.as_str())),
        ("body", text(&new.body)),
        ("created_ms", number(new.created.as_millisecond())),
    ]));
    if new.despite_opt_out {
        waiting.insert("despite_opt_out".into(), AttributeValue::Bool(true));
    }
    waiting
}

fn from_row(row: &Row) -> Result<OutboxText, StoreError> {
    let reader = RowReader::new("Conversations", row);
    Ok(OutboxText {
        id: reader.text("item_id")?.to_owned(),
        to: reader.phone("to")?,
        body: reader.text("body")?.to_owned(),
        created: reader.millis("created_ms")?,
        despite_opt_out: row.get("despite_opt_out") == Some(&AttributeValue::Bool(true)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone::Phone;

    #[test]
    fn texts_are_read_back() {
        let waiting = OutboxText {
            id: "callback#SM1#0".into(),
            to: Phone::parse("+19045550199").unwrap(),
            body: "Somebody wrote".into(),
            created: "2026-02-10T20:10:00.123Z".parse().unwrap(),
            despite_opt_out: false,
        };
        assert_eq!(from_row(&to_row(&waiting)).unwrap(), waiting);
        let last = OutboxText { despite_opt_out: true, ..waiting };
        assert_eq!(from_row(&to_row(&last)).unwrap(), last);
        assert!(from_row(&key("x")).is_err());
    }
}
