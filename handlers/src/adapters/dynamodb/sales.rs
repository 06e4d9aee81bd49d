//! Discounts and upsells, for the owner to read. Their rows never expire.

use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::{
    DynamoDb,
    errors::{ConditionalWrite, conditional, unavailable},
    row::{Row, RowReader, number, row, text},
    transactions::update,
    turn::item_key,
};
use crate::{
    domain::{
        discount::{DISCOUNT_DAYS, DiscountGrant},
        lead::Lead,
        phone::Phone,
        sales::{SalesEvent, SalesRecord},
    },
    ports::StoreError,
};

impl DynamoDb {
    /// Writes a record; a repeat finds the row and changes nothing.
    pub(super) async fn write_sale(&self, record: &SalesRecord) -> Result<(), StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.conversations)
            .set_item(Some(to_row(record)))
            .condition_expression("attribute_not_exists(conversation_id)");
        conditional(put.send().await).map(|_| ())
    }
}

const DISCOUNT: &str = "discount";

impl DynamoDb {
    pub(super) async fn write_grant(&self, grant: &DiscountGrant) -> Result<bool, StoreError> {
        let DiscountGrant { key, ordinal, percent, now } = grant;
        let used_before = now.as_millisecond().saturating_sub(DISCOUNT_DAYS * 24 * 60 * 60 * 1000);
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
                "attribute_not_exists(conversation_id) OR used_ms < :used_before \
                 OR (sid = :sid AND ordinal = :ordinal AND attribute_not_exists(used_ms))",
            )
            .expression_attribute_values(":used_before", number(used_before))
            .expression_attribute_values(":sid", text(&key.sid))
            .expression_attribute_values(":ordinal", number(ordinal))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let row = match conditional(put.send().await)? {
            ConditionalWrite::Written(_) => return Ok(true),
            ConditionalWrite::Rejected(row) => row.unwrap_or_default(),
        };
        // The call's own grant, which a booking has used since.
        let same =
            row.get("sid") == Some(&text(&key.sid)) && row.get("ordinal") == Some(&number(ordinal));
        Ok(same)
    }

    pub(super) async fn read_discount(&self, phone: &Phone) -> Result<Option<u8>, StoreError> {
        let Some(row) = self.read_item(phone, DISCOUNT).await? else { return Ok(None) };
        let reader = RowReader::new("Conversations", &row);
        if reader.has("used_ms") {
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

fn to_row(record: &SalesRecord) -> Row {
    let mut attributes = vec![
        ("conversation_id", text(record.key.phone.as_str())),
        ("item_id", text(format!("sale#{}#{}", record.key.sid, record.ordinal))),
        ("created_at", number(record.now.as_second())),
    ];
    match &record.kind {
        SalesEvent::Discount { percent, approved, reason } => attributes.extend([
            ("kind", text("discount")),
            ("discount_percent", number(percent)),
            ("approved", AttributeValue::Bool(*approved)),
            ("reason", text(reason)),
        ]),
        SalesEvent::Upsell { item, accepted, price } => {
            attributes.extend([
                ("kind", text("upsell")),
                ("upsell_item", text(item.slug())),
                ("accepted", AttributeValue::Bool(*accepted)),
            ]);
            attributes.extend(price.map(|price| ("price", number(price))));
        }
    }
    row(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{catalogue::Upsell, turn::TurnKey};

    fn note(kind: SalesEvent) -> Row {
        to_row(&SalesRecord {
            key: TurnKey { phone: Phone::parse("+19042520927").unwrap(), sid: "SM1".into() },
            ordinal: 2,
            now: "2026-02-10T20:10:00.5Z".parse().unwrap(),
            kind,
        })
    }

    #[test]
    fn rows_of_discounts_and_upsells() {
        let discount =
            note(SalesEvent::Discount { percent: 10, approved: false, reason: "student".into() });
        assert_eq!(discount["item_id"], text("sale#SM1#2"));
        assert_eq!(discount["discount_percent"], number(10));
        assert_eq!(discount["approved"], AttributeValue::Bool(false));
        assert_eq!(discount["created_at"], number(1_770_754_200));
        assert!(!discount.contains_key("expires_at"));

        let upsell =
            note(SalesEvent::Upsell { item: Upsell::Case, accepted: true, price: Some(25) });
        assert_eq!(upsell["upsell_item"], text("case"));
        assert_eq!(upsell["price"], number(25));
        let warranty =
            SalesEvent::Upsell { item: Upsell::WarrantyExtension, accepted: false, price: None };
        assert!(!note(warranty).contains_key("price"));
    }
}
