//! Requests of the form with the bookings that they led to.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;

use super::{
    DynamoDb,
    errors::unavailable,
    row::{RowReader, number, row, text},
    transactions,
};
use crate::{
    domain::{
        booking::{IdempotencyRecord, RecordWrite},
        lead::LeadId,
    },
    ports::StoreError,
};

/// Days until DynamoDB may delete such a row.
const DAYS: i64 = 7;
const CLAIM: &str = "claim";

/// When DynamoDB may delete a row, in seconds since the Unix epoch.
pub(super) fn expiry(now: Timestamp, days: i64) -> i64 {
    now.as_second().saturating_add(days * 24 * 60 * 60)
}

impl DynamoDb {
    pub(super) async fn read_idempotency_record(
        &self,
        key_hash: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let key = row([("conversation_id", text(record_id(key_hash))), ("item_id", text(CLAIM))]);
        let Some(row) = self.get_row(&self.tables.conversations, key).await? else {
            return Ok(None);
        };
        let reader = RowReader::new("Conversations", &row);
        let now = reader.millis("now")?;
        // Rows that were written before a booking have no lead, whose id derives from the key.
        let lead_id = match reader.text_or_none("lead_id")? {
            Some(lead_id) => LeadId::from_row(lead_id),
            None => LeadId::derive(now, &["form", key_hash]),
        };
        let fingerprint = reader.text("fingerprint")?.to_owned();
        Ok(Some(IdempotencyRecord { key_hash: key_hash.to_owned(), fingerprint, lead_id, now }))
    }

    /// Binds a request of the form to its booking as part of a transaction.
    pub(super) fn put_record(&self, write: &RecordWrite) -> Result<TransactWriteItem, StoreError> {
        let RecordWrite { record, replace_before } = write;
        let put = Put::builder()
            .table_name(&self.tables.conversations)
            .item("conversation_id", text(record_id(&record.key_hash)))
            .item("item_id", text(CLAIM))
            .item("fingerprint", text(&record.fingerprint))
            .item("lead_id", text(record.lead_id.as_str()))
            .item("now", number(record.now.as_millisecond()))
            .item("expires_at", number(expiry(record.now, DAYS)));
        let put = match replace_before {
            None => put.condition_expression("attribute_not_exists(conversation_id)"),
            Some(time) => put
                .condition_expression("attribute_not_exists(conversation_id) OR #now < :before")
                .expression_attribute_names("#now", "now")
                .expression_attribute_values(":before", number(time.as_millisecond())),
        };
        put.build().map(transactions::put).map_err(unavailable)
    }
}

fn record_id(key_hash: &str) -> String {
    format!("form#{key_hash}")
}
