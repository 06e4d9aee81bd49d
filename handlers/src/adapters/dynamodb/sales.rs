//! Records of discounts and upsells, for the owner to read. Their rows never expire.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    DynamoDb,
    row::{Row, number, row, text},
};
use crate::{
    domain::sales::{SalesEvent, SalesRecord},
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
        self.write_conditionally(|| put.clone().send()).await.map(|_| ())
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
    use crate::domain::{catalogue::Upsell, phone::Phone, turn::TurnKey};

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
