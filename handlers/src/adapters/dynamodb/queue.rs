//! The queue of a conversation: the waiting texts in the order in which the database received them.

use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{
    DynamoDb,
    errors::{ConditionalWrite, unavailable},
    row::{Row, RowReader, number, row, text},
    transactions::update,
    turn::item_key,
};
use crate::{
    domain::{
        phone::Phone,
        turn::{MAX_QUEUE, QueueEntry},
    },
    ports::StoreError,
};

const QUEUE: &str = "queue";
/// Seconds after the last entry until DynamoDB may delete a queue.
const EXPIRY: i64 = 7 * 24 * 60 * 60;

impl DynamoDb {
    /// Appends an entry, unless it is in the queue already or the queue is full, and returns the queue.
    pub(super) async fn write_join(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        let join = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(phone, QUEUE)))
            .update_expression(
                "SET waiting = list_append(if_not_exists(waiting, :none), :me), \
                 expires_at = :expires",
            )
            .condition_expression(
                "attribute_not_exists(waiting) \
                 OR (NOT contains(waiting, :entry) AND size(waiting) < :most)",
            )
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":me", AttributeValue::L(vec![from_entry(entry)]))
            .expression_attribute_values(":entry", from_entry(entry))
            .expression_attribute_values(":most", number(MAX_QUEUE))
            .expression_attribute_values(":expires", number(entry.until_ms / 1000 + EXPIRY))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match self.write_conditionally(|| join.clone().send()).await? {
            ConditionalWrite::Written(output) => output.attributes,
            ConditionalWrite::Rejected(row) => row,
        };
        to_entries(&row.unwrap_or_default())
    }

    pub(super) async fn read_queue(&self, phone: &Phone) -> Result<Vec<QueueEntry>, StoreError> {
        to_entries(&self.read_item(phone, QUEUE).await?.unwrap_or_default())
    }

    pub(super) async fn write_leave(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
    ) -> Result<bool, StoreError> {
        let place = format!("waiting[{position}]");
        let leave = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(phone, QUEUE)))
            .update_expression(format!("REMOVE {place}"))
            .condition_expression(unchanged(&place))
            .expression_attribute_values(":sid", text(&entry.sid))
            .expression_attribute_values(":until", number(entry.until_ms));
        Ok(matches!(
            self.write_conditionally(|| leave.clone().send()).await?,
            ConditionalWrite::Written(_)
        ))
    }

    pub(super) async fn write_replacement(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
        new: &QueueEntry,
    ) -> Result<bool, StoreError> {
        let place = format!("waiting[{position}]");
        let replace = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(phone, QUEUE)))
            .update_expression(format!("SET {place} = :new"))
            .condition_expression(unchanged(&place))
            .expression_attribute_values(":new", from_entry(new))
            .expression_attribute_values(":sid", text(&entry.sid))
            .expression_attribute_values(":until", number(entry.until_ms));
        Ok(matches!(
            self.write_conditionally(|| replace.clone().send()).await?,
            ConditionalWrite::Written(_)
        ))
    }

    /// Removes the head of the queue as part of a transaction.
    pub(super) fn leave_head(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<TransactWriteItem, StoreError> {
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(phone, QUEUE)))
            .update_expression("REMOVE waiting[0]")
            .condition_expression(unchanged("waiting[0]"))
            .expression_attribute_values(":sid", text(&entry.sid))
            .expression_attribute_values(":until", number(entry.until_ms))
            .build()
            .map(update)
            .map_err(unavailable)
    }
}

fn unchanged(place: &str) -> String {
    format!("{place}.sid = :sid AND {place}.until_ms = :until")
}

fn from_entry(entry: &QueueEntry) -> AttributeValue {
    AttributeValue::M(row([("sid", text(&entry.sid)), ("until_ms", number(entry.until_ms))]))
}

fn to_entries(row: &Row) -> Result<Vec<QueueEntry>, StoreError> {
    let reader = RowReader::new("Conversations", row);
    let values = match reader.get("waiting") {
        None => return Ok(Vec::new()),
        Some(AttributeValue::L(values)) => values,
        Some(_) => return Err(reader.malformed("waiting", "a list")),
    };
    let entry = |value: &AttributeValue| {
        let AttributeValue::M(entry) = value else {
            return Err(reader.malformed("waiting", "a list of entries"));
        };
        let reader = RowReader::new("Conversations", entry);
        Ok(QueueEntry {
            sid: reader.text("sid")?.to_owned(),
            until_ms: reader.integer("until_ms")?,
        })
    };
    values.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_back_in_order() {
        let entries = [("SM2", 20), ("SM1", 10)]
            .map(|(sid, until_ms)| QueueEntry { sid: sid.into(), until_ms });
        let list = AttributeValue::L(entries.iter().map(from_entry).collect());
        let row = row([("waiting", list)]);
        assert_eq!(to_entries(&row).unwrap(), entries);
    }

    #[test]
    fn no_row_is_an_empty_queue_and_another_shape_is_an_error() {
        assert_eq!(to_entries(&Row::new()).unwrap(), []);
        assert!(to_entries(&row([("waiting", text("SM1"))])).is_err());
    }
}
