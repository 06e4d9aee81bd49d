//! The owner's state, which is one row.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::{
    DynamoDb,
    errors::ConditionalWrite,
    row::{Row, RowReader, number, row, seconds, text},
};
use crate::{
    domain::{
        changed_by::ChangedBy,
        owner::{MAX_DISCOUNT, OwnerState, OwnerStatus, Until},
    },
    ports::{OwnerWriteOutcome, StoreError},
};

/// Key of the row, in a table that has one row of each kind.
pub(super) const OWNER_KEY: &str = "CURRENT";

impl DynamoDb {
    pub(super) async fn read_owner(&self) -> Result<OwnerState, StoreError> {
        match self.get_row(&self.tables.owner, row([("state_id", text(OWNER_KEY))])).await? {
            Some(row) => owner(&row),
            None => Ok(OwnerState::default()),
        }
    }

    /// Sets the known attributes one by one, so that other attributes of an older deployment stay.
    pub(super) async fn write_owner(
        &self,
        owner_state: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.tables.owner)
            .key("state_id", text(OWNER_KEY))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut sets = Vec::new();
        for (index, (name, value)) in attributes(owner_state).into_iter().enumerate() {
            sets.push(format!("#a{index} = :a{index}"));
            update = update
                .expression_attribute_names(format!("#a{index}"), name)
                .expression_attribute_values(format!(":a{index}"), value);
        }
        let update = update
            .update_expression(format!("SET {}", sets.join(", ")))
            .expression_attribute_names("#version", "version");
        let update = if expected == 0 {
            update.condition_expression("attribute_not_exists(#version)")
        } else {
            update
                .condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected))
        };
        // A booking under way looks at this row, too.
        match self.write_conditionally(|| update.clone().send()).await? {
            ConditionalWrite::Written(_) => Ok(OwnerWriteOutcome::Written),
            // The SDK repeated this very write because its acknowledgement was lost.
            ConditionalWrite::Rejected(Some(row))
                if attributes(&owner(&row)?) == attributes(owner_state) =>
            {
                Ok(OwnerWriteOutcome::Written)
            }
            ConditionalWrite::Rejected(_) => Ok(OwnerWriteOutcome::Conflict),
        }
    }
}

fn attributes(owner: &OwnerState) -> Vec<(&'static str, AttributeValue)> {
    let mut attributes = vec![
        ("status", text(owner.status.as_str())),
        ("location", text(&owner.location)),
        ("notes", text(&owner.notes)),
        ("special_info", text(&owner.special_info)),
        ("assistant_name", text(&owner.assistant_name)),
        ("greeting", text(&owner.greeting)),
        ("max_discount", number(owner.max_discount)),
        ("ai_answers_sms", AttributeValue::Bool(owner.ai_answers_sms)),
        ("auto_upsell", AttributeValue::Bool(owner.auto_upsell)),
        ("version", number(owner.version)),
    ];
    // Empty when there is none: attributes are set one by one and not removed.
    attributes.push(("until", text(owner.until.map(|u| u.to_string()).unwrap_or_default())));
    attributes.extend(owner.voice.as_ref().map(|voice| ("voice", text(voice))));
    attributes.extend(
        owner.ai_answers_calls.map(|calls| ("ai_answers_calls", AttributeValue::Bool(calls))),
    );
    attributes.extend(owner.updated_at.map(|time| ("updated_at", seconds(time))));
    attributes.extend(owner.changed_by.map(|by| ("changed_by", text(by.as_str()))));
    attributes
}

/// Reads a row of any age; a missing field has its default.
fn owner(row: &Row) -> Result<OwnerState, StoreError> {
    let reader = RowReader::new("OwnerState", row);
    let default = OwnerState::default();
    let status = match reader.text_or_none("status")? {
        None => default.status,
        // A word of the owner's own choice, which the notes explain.
        Some(word) => OwnerStatus::parse(word).unwrap_or(OwnerStatus::Custom),
    };
    let some_text = |name, default: String| -> Result<String, StoreError> {
        Ok(reader.text_or_none(name)?.map_or(default, str::to_owned))
    };
    let max_discount = match reader.integer_or_none("max_discount")? {
        None => default.max_discount,
        Some(percent) => u8::try_from(percent.clamp(0, MAX_DISCOUNT.into())).unwrap_or_default(),
    };
    let version = reader.integer_or_none("version")?.unwrap_or_default();
    Ok(OwnerState {
        status,
        until: match reader.text_or_none("until")? {
            None | Some("") => None,
            Some(time) => {
                Some(Until::parse(time).ok_or_else(|| reader.malformed("until", "a time"))?)
            }
        },
        location: some_text("location", default.location)?,
        notes: some_text("notes", default.notes)?,
        special_info: some_text("special_info", default.special_info)?,
        assistant_name: some_text("assistant_name", default.assistant_name)?,
        greeting: some_text("greeting", default.greeting)?,
        max_discount,
        ai_answers_sms: reader.boolean_or_none("ai_answers_sms")?.unwrap_or(default.ai_answers_sms),
        auto_upsell: reader.boolean_or_none("auto_upsell")?.unwrap_or(default.auto_upsell),
        voice: reader.text_or_none("voice")?.map(str::to_owned),
        ai_answers_calls: reader.boolean_or_none("ai_answers_calls")?,
        updated_at: if reader.has("updated_at") {
            Some(reader.seconds("updated_at")?)
        } else {
            None
        },
        changed_by: reader.text_or_none("changed_by").ok().flatten().and_then(ChangedBy::parse),
        version: u64::try_from(version).map_err(|_| reader.malformed("version", "a version"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let state = OwnerState {
            status: OwnerStatus::Gym,
            location: "Planet Fitness".into(),
            max_discount: 20,
            ai_answers_sms: false,
            voice: Some("alloy".into()),
            ai_answers_calls: Some(true),
            updated_at: Some("2026-02-10T20:10:00Z".parse().unwrap()),
            changed_by: Some(ChangedBy::OwnersPage),
            version: 7,
            ..OwnerState::default()
        };
        assert_eq!(owner(&row(attributes(&state))).unwrap(), state);
    }

    #[test]
    fn a_row_of_the_old_system_has_no_version_and_defaults_where_it_says_nothing() {
        let state = owner(&row([
            ("state_id", text("CURRENT")),
            ("status", text("gym")),
            ("max_discount", text("20")),
            ("updated_at", number("1770750600.5")),
        ]))
        .unwrap();
        assert_eq!(state.version, 0);
        assert_eq!(state.status, OwnerStatus::Gym);
        assert_eq!(state.max_discount, 20);
        assert_eq!(state.assistant_name, "Linda");
        assert_eq!(state.updated_at, Some("2026-02-10T19:10:00Z".parse().unwrap()));
    }

    #[test]
    fn a_ceiling_out_of_range_is_brought_into_it() {
        let ceiling = |value| owner(&row([("max_discount", number(value))])).unwrap().max_discount;
        assert_eq!(ceiling(90), MAX_DISCOUNT);
        assert_eq!(ceiling(-1), 0);
    }

    #[test]
    fn an_own_word_of_the_owner_is_a_custom_status() {
        let state = owner(&row([("status", text("fishing"))])).unwrap();
        assert_eq!(state.status, OwnerStatus::Custom);
        assert!(owner(&row([("status", number(3))])).is_err());
    }
}
