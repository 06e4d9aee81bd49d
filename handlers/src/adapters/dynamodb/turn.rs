//! Turns: claiming one, storing its rounds, finishing it; and the memory of the conversation.

use super::{
    DynamoDb,
    claims::expiry,
    errors::{ConditionalWrite, unavailable},
    late::{HELD, LATE, is_late_and_done},
    row::{Row, RowReader, number, row, text},
    transactions::{TransactionOutcome, update},
    turn_row::{
        encode_round, from_memory, from_pace, round_attribute, texts, to_answer, to_memory,
        to_record,
    },
};
use crate::{
    domain::{
        phone::Phone,
        turn::{ConversationMemory, NewClaim, QueueEntry, StoredRound, TurnEnd, TurnKey},
    },
    ports::{StoreError, TurnClaim},
};
use aws_sdk_dynamodb::types::{
    ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

/// Days until DynamoDB may delete a turn. Twilio's last retry comes seconds after the first.
const TURN_DAYS: i64 = 7;
/// Days after a customer's last text until DynamoDB may delete the conversation's memory.
pub(super) const MEMORY_DAYS: i64 = 30;
pub(super) const MEMORY: &str = "memory";

/// Position of the turn in the list of the finishing transaction.
const TURN: usize = 0;

impl DynamoDb {
    /// Claims a turn. An update instead of a put, so that an attempt that takes the turn over keeps
    /// its first `now` and its rounds.
    pub(super) async fn write_claim(&self, claim: &NewClaim<'_>) -> Result<TurnClaim, StoreError> {
        let NewClaim { key, holder, now, .. } = *claim;
        let request = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(key)))
            .update_expression(
                "SET holder = :holder, until_ms = :until, #now = if_not_exists(#now, :now), \
                 expires_at = if_not_exists(expires_at, :expires), \
                 body = if_not_exists(body, :body), media = if_not_exists(media, :media), \
                 media_urls = if_not_exists(media_urls, :media_urls)",
            )
            .condition_expression(
                "attribute_not_exists(messages) \
                 AND (attribute_not_exists(until_ms) OR until_ms < :wall)",
            )
            .expression_attribute_names("#now", "now")
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":until", number(claim.until_ms))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":expires", number(expiry(now, TURN_DAYS)))
            .expression_attribute_values(":wall", number(claim.unix_ms))
            .expression_attribute_values(":body", text(&claim.text.body))
            .expression_attribute_values(":media", number(claim.text.media))
            .expression_attribute_values(":media_urls", texts(&claim.text.media_urls))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        // A repeated webhook may arrive while the first attempt's answer is being written.
        let write = self.write_conditionally(|| request.clone().send()).await?;
        let row = match write {
            ConditionalWrite::Written(output) => {
                return to_record(&output.attributes.unwrap_or_default()).map(TurnClaim::Acquired);
            }
            ConditionalWrite::Rejected(Some(row)) => row,
            ConditionalWrite::Rejected(None) => self.read_turn(key).await?.unwrap_or_default(),
        };
        if let Some(messages) = to_answer(&row)? {
            return Ok(TurnClaim::Answered(messages));
        }
        // This very claim: its acknowledgement was lost and the SDK sent it again.
        if RowReader::new("Conversations", &row).text_or_none("holder")? == Some(holder) {
            return to_record(&row).map(TurnClaim::Acquired);
        }
        Ok(TurnClaim::Busy)
    }

    pub(super) async fn write_renewal(
        &self,
        key: &TurnKey,
        holder: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        let renew = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(key)))
            .update_expression("SET until_ms = :until")
            .condition_expression(HELD)
            .expression_attribute_values(":late", text(LATE))
            .expression_attribute_values(":until", number(until_ms))
            .expression_attribute_values(":holder", text(holder));
        Ok(matches!(
            self.write_conditionally(|| renew.clone().send()).await?,
            ConditionalWrite::Written(_)
        ))
    }

    pub(super) async fn read_answer(
        &self,
        key: &TurnKey,
    ) -> Result<Option<Vec<String>>, StoreError> {
        match self.read_turn(key).await? {
            Some(row) => to_answer(&row),
            None => Ok(None),
        }
    }

    pub(super) async fn write_round(
        &self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> Result<bool, StoreError> {
        let round = encode_round(round).map_err(unavailable)?;
        let save = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(key)))
            .update_expression("SET #round = :round")
            .condition_expression(HELD)
            .expression_attribute_values(":late", text(LATE))
            .expression_attribute_names("#round", round_attribute(ordinal))
            .expression_attribute_values(":round", text(round))
            .expression_attribute_values(":holder", text(holder));
        Ok(matches!(
            self.write_conditionally(|| save.clone().send()).await?,
            ConditionalWrite::Written(_)
        ))
    }

    /// Writes answer, memory, callback and queue in one transaction. If the queue's head has changed, writes
    /// the others without it.
    pub(super) async fn write_end(&self, end: &TurnEnd) -> Result<bool, StoreError> {
        let mut items = vec![self.answer(end)?];
        if let Some(memory) = &end.memory {
            items.push(self.remember(end, memory)?);
        }
        if let Some(callback) = &end.callback {
            items.push(self.put_unanswered(&callback.unanswered)?);
            for notification in &callback.notification {
                items.push(self.put_text(notification)?);
            }
        }
        if let Some(late_answer) = &end.late_answer {
            items.push(self.drop_late_turn(&end.key)?);
            for message in late_answer {
                items.push(self.put_text(message)?);
            }
        }
        items.push(self.note_customer(&end.key.phone, end.now)?);
        let without_queue = items.clone();
        let queue = items.len();
        if let Some(entry) = &end.dequeue {
            items.push(self.leave_head(&end.key.phone, entry)?);
        }
        let mut outcome = self.transact(None, items).await;
        if matches!(&outcome, TransactionOutcome::Rejected(failed) if failed.at(queue) && !failed.at(TURN))
        {
            tracing::info!("the head of the queue had changed");
            outcome = self.transact(None, without_queue).await;
            if let (TransactionOutcome::Written, Some(entry)) = (&outcome, &end.dequeue) {
                self.leave_from_behind(&end.key.phone, entry).await;
            }
        }
        let error = match outcome {
            TransactionOutcome::Written => return Ok(true),
            TransactionOutcome::Rejected(_) => None,
            TransactionOutcome::Unknown(error) => Some(error),
        };
        match (self.is_ended(end).await, error) {
            (Ok(true), _) => Ok(true),
            (_, Some(error)) => Err(error),
            (ended, None) => ended,
        }
    }

    /// Removes the entry of a turn that has ended and did not stand at the head: nobody else removes
    /// it before it expires, and the customer's next text would wait for that.
    async fn leave_from_behind(&self, phone: &Phone, ended: &QueueEntry) {
        let left = async {
            let queue = self.read_queue(phone).await?;
            match queue.iter().enumerate().find(|(_, entry)| entry.sid == ended.sid) {
                Some((position, entry)) => self.write_leave(phone, position, entry).await,
                None => Ok(true),
            }
        };
        if let Err(error) = left.await {
            tracing::warn!(%error, "failed to leave the queue");
        }
    }

    /// Whether this attempt's answer was written by a request whose acknowledgement was lost.
    async fn is_ended(&self, end: &TurnEnd) -> Result<bool, StoreError> {
        let Some(row) = self.read_turn(&end.key).await? else { return Ok(false) };
        let holder = RowReader::new("Conversations", &row).text_or_none("holder")?;
        let ours = holder == Some(end.holder.as_str());
        if end.late_answer.is_some() {
            return Ok(ours && is_late_and_done(&row)?);
        }
        Ok(ours && to_answer(&row)?.as_ref() == Some(&end.messages))
    }

    fn answer(&self, end: &TurnEnd) -> Result<TransactWriteItem, StoreError> {
        if end.late_answer.is_some() {
            return self.end_late_turn(end);
        }
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(self.turn_key(&end.key)))
            .update_expression("SET messages = :messages")
            .condition_expression("holder = :holder AND attribute_not_exists(messages)")
            .expression_attribute_values(":messages", texts(&end.messages))
            .expression_attribute_values(":holder", text(&end.holder))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    fn remember(
        &self,
        end: &TurnEnd,
        memory: &ConversationMemory,
    ) -> Result<TransactWriteItem, StoreError> {
        // An update, so that what the owner writes to the customer meanwhile stays.
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(&end.key.phone, MEMORY)))
            .update_expression(
                "SET turns = :turns, pace = :pace, updated_at = :now, expires_at = :expires",
            )
            .expression_attribute_values(":turns", from_memory(memory))
            .expression_attribute_values(":pace", from_pace(&memory.pace))
            .expression_attribute_values(":now", number(end.now.as_second()))
            .expression_attribute_values(":expires", number(expiry(end.now, MEMORY_DAYS)))
            .build()
            .map(update)
            .map_err(unavailable)
    }

    pub(super) async fn read_memory(
        &self,
        phone: &Phone,
    ) -> Result<ConversationMemory, StoreError> {
        match self.read_item(phone, MEMORY).await? {
            Some(row) => to_memory(&row),
            None => Ok(ConversationMemory::default()),
        }
    }

    pub(super) async fn read_turn(&self, key: &TurnKey) -> Result<Option<Row>, StoreError> {
        self.read_item(&key.phone, &format!("turn#{}", key.sid)).await
    }

    pub(super) async fn read_item(
        &self,
        phone: &Phone,
        item_id: &str,
    ) -> Result<Option<Row>, StoreError> {
        self.get_row(&self.tables.conversations, item_key(phone, item_id)).await
    }

    pub(super) fn turn_key(&self, key: &TurnKey) -> Row {
        item_key(&key.phone, &format!("turn#{}", key.sid))
    }
}

/// The key of a row of a conversation.
pub(super) fn item_key(phone: &Phone, item_id: &str) -> Row {
    row([("conversation_id", text(phone.as_str())), ("item_id", text(item_id))])
}
