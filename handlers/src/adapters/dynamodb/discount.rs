//! The discount of a customer: granted, and then used by one booking. One row of the conversation.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use jiff::Timestamp;

use super::{
    DynamoDb,
    errors::{ConditionalWrite, unavailable},
    row::{RowReader, number, text},
    transactions::update,
    turn::item_key,
};
use crate::{
    domain::{
        discount::{DiscountGrant, discounts_count_from},
        lead::Lead,
        phone::Phone,
    },
    ports::StoreError,
};

const DISCOUNT: &str = "discount";

impl DynamoDb {
    pub(super) async fn write_grant(&self, grant: &DiscountGrant) -> Result<bool, StoreError> {
        let DiscountGrant { key, ordinal, percent, now } = grant;
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.conversations)
            .set_item(Some(item_key(&key.phone, DISCOUNT)))
            .item("percent", number(percent))
            .item("sid", text(&key.sid))
            .item("ordinal", number(ordinal))
            .item("granted_ms", number(now.as_millisecond()))
            .condition_expression(
                "attribute_not_exists(conversation_id) OR used_ms < :from \
                 OR (attribute_not_exists(used_ms) \
                     AND (granted_ms < :from OR (sid = :sid AND ordinal = :ordinal)))",
            )
            .expression_attribute_values(":from", number(counts_from(*now)))
            .expression_attribute_values(":sid", text(&key.sid))
            .expression_attribute_values(":ordinal", number(ordinal))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match self.write_conditionally(|| put.clone().send()).await? {
            ConditionalWrite::Written(_) => return Ok(true),
            ConditionalWrite::Rejected(row) => row.unwrap_or_default(),
        };
        // The call's own grant, which a booking has used since.
        let same =
            row.get("sid") == Some(&text(&key.sid)) && row.get("ordinal") == Some(&number(ordinal));
        Ok(same)
    }

    pub(super) async fn read_discount(
        &self,
        phone: &Phone,
        now: Timestamp,
    ) -> Result<Option<u8>, StoreError> {
        let Some(row) = self.read_item(phone, DISCOUNT).await? else { return Ok(None) };
        let reader = RowReader::new("Conversations", &row);
        if reader.has("used_ms") || reader.integer("granted_ms")? < counts_from(now) {
            return Ok(None);
        }
        let percent = u8::try_from(reader.integer("percent")?);
        percent.map(Some).map_err(|_| reader.malformed("percent", "a percentage"))
    }

    /// Marks the customer's discount as used by a booking as part of a transaction.
    pub(super) fn use_discount(
        &self,
        lead: &Lead,
        percent: u8,
    ) -> Result<TransactWriteItem, StoreError> {
        Update::builder()
            .table_name(&self.tables.conversations)
            .set_key(Some(item_key(&lead.phone, DISCOUNT)))
            .update_expression("SET used_ms = :now, used_by = :lead")
            .condition_expression("#percent = :percent AND attribute_not_exists(used_ms)")
            .expression_attribute_names("#percent", "percent")
            .expression_attribute_values(":percent", number(percent))
            .expression_attribute_values(":now", number(lead.timestamp.as_millisecond()))
            .expression_attribute_values(":lead", text(lead.id.as_str()))
            .build()
            .map(update)
            .map_err(unavailable)
    }
}

fn counts_from(now: Timestamp) -> i64 {
    discounts_count_from(now).as_millisecond()
}
