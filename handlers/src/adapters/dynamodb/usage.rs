//! How often something was done lately: a row of the conversations' table for each thing and address.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    DynamoDb,
    claims::expiry,
    errors::ConditionalWrite,
    row::{Row, RowReader, number, row, text},
};
use crate::{
    domain::usage::{Usage, Use},
    ports::StoreError,
};

/// Days after the last change until DynamoDB may delete the row: longer than any limit looks back.
const DAYS: i64 = 2;
const USES: &str = "uses";

impl DynamoDb {
    pub(super) async fn read_usage(&self, subject: &str) -> Result<Usage, StoreError> {
        match self.get_row(&self.tables.conversations, key(subject)).await? {
            Some(row) => to_usage(&row),
            None => Ok(Usage::default()),
        }
    }

    pub(super) async fn write_usage(
        &self,
        subject: &str,
        usage: &Usage,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let write = self
            .client
            .update_item()
            .table_name(&self.tables.conversations)
            .set_key(Some(key(subject)))
            .update_expression("SET uses = :uses, version = :version, expires_at = :expires")
            .condition_expression("attribute_not_exists(version) OR version = :expected")
            .expression_attribute_values(":uses", from_uses(&usage.uses))
            .expression_attribute_values(":version", number(usage.version))
            .expression_attribute_values(":expected", number(usage.version.saturating_sub(1)))
            .expression_attribute_values(":expires", number(expiry(now, DAYS)));
        Ok(matches!(
            self.write_conditionally(|| write.clone().send()).await?,
            ConditionalWrite::Written(_)
        ))
    }
}

fn key(subject: &str) -> Row {
    row([("conversation_id", text(format!("usage#{subject}"))), ("item_id", text(USES))])
}

fn from_uses(uses: &[Use]) -> AttributeValue {
    let one =
        |one: &Use| AttributeValue::M(row([("id", text(&one.id)), ("at_ms", number(one.at_ms))]));
    AttributeValue::L(uses.iter().map(one).collect())
}

fn to_usage(row: &Row) -> Result<Usage, StoreError> {
    let reader = RowReader::new("Conversations", row);
    let expected = || reader.malformed(USES, "a list of uses");
    let Some(AttributeValue::L(values)) = reader.get(USES) else { return Err(expected()) };
    let one = |value: &AttributeValue| {
        let AttributeValue::M(one) = value else { return Err(expected()) };
        let reader = RowReader::new("Conversations", one);
        Ok(Use { id: reader.text("id")?.to_owned(), at_ms: reader.integer("at_ms")? })
    };
    let version = u64::try_from(reader.integer("version")?)
        .map_err(|_| reader.malformed("version", "a count"))?;
    Ok(Usage { version, uses: values.iter().map(one).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_read_back() {
        let usage = Usage { version: 3, uses: vec![Use { id: "a".into(), at_ms: 7 }] };
        let written = row([("uses", from_uses(&usage.uses)), ("version", number(3))]);
        assert_eq!(to_usage(&written).unwrap(), usage);
        assert!(to_usage(&Row::new()).is_err());
    }
}
