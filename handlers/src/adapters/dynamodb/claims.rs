//! Idempotency keys with the requests they are bound to.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;

use super::{
    DynamoDb,
    errors::{ConditionalWrite, conditional},
    row::{RowReader, number, text},
};
use crate::{domain::booking::IdempotencyRecord, ports::StoreError};

/// Days until DynamoDB may delete such a row.
const DAYS: i64 = 7;
const CLAIM: &str = "claim";

/// When DynamoDB may delete a row, in seconds since the Unix epoch.
pub(super) fn expiry(now: Timestamp, days: i64) -> i64 {
    now.as_second().saturating_add(days * 24 * 60 * 60)
}

impl DynamoDb {
    pub(super) async fn write_idempotency_record(
        &self,
        claim: &IdempotencyRecord,
    ) -> Result<IdempotencyRecord, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.conversations)
            .item("conversation_id", text(format!("form#{}", claim.key_hash)))
            .item("item_id", text(CLAIM))
            .item("fingerprint", text(&claim.fingerprint))
            .item("now", number(claim.now.as_millisecond()))
            .item("expires_at", number(expiry(claim.now, DAYS)))
            .condition_expression("attribute_not_exists(conversation_id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match conditional(put.send().await)? {
            ConditionalWrite::Written(_) => return Ok(claim.clone()),
            ConditionalWrite::Rejected(row) => row.unwrap_or_default(),
        };
        let reader = RowReader::new("Conversations", &row);
        Ok(IdempotencyRecord {
            key_hash: claim.key_hash.clone(),
            fingerprint: reader.text("fingerprint")?.to_owned(),
            now: reader.millis("now")?,
        })
    }
}
