//! What the owner decided about the calendar, which is one row beside that of the owner's state.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use serde_json::Value;

use super::{
    DynamoDb,
    errors::ConditionalWrite,
    row::{Row, RowReader, number, row, seconds, text},
};
use crate::{
    domain::{
        calendar_settings::{CalendarPatch, CalendarSettings},
        changed_by::ChangedBy,
    },
    ports::{OwnerWriteOutcome, StoreError},
};

/// Key of the row, in the table of the owner's state.
pub(super) const SETTINGS_KEY: &str = "CALENDAR";

impl DynamoDb {
    pub(super) async fn read_calendar_settings(
        &self,
    ) -> Result<Option<CalendarSettings>, StoreError> {
        let key = row([("state_id", text(SETTINGS_KEY))]);
        self.get_row(&self.tables.owner, key).await?.as_ref().map(from_row).transpose()
    }

    pub(super) async fn write_calendar_settings(
        &self,
        settings: &CalendarSettings,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.owner)
            .set_item(Some(to_row(settings)))
            .expression_attribute_names("#version", "version")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = if expected == 0 {
            put.condition_expression("attribute_not_exists(#version)")
        } else {
            put.condition_expression("#version = :expected")
                .expression_attribute_values(":expected", number(expected))
        };
        // A booking under way looks at this row, too.
        match self.write_conditionally(|| put.clone().send()).await? {
            ConditionalWrite::Written(_) => Ok(OwnerWriteOutcome::Written),
            // The SDK repeated this very write because its acknowledgement was lost.
            ConditionalWrite::Rejected(Some(row)) if row == to_row(settings) => {
                Ok(OwnerWriteOutcome::Written)
            }
            ConditionalWrite::Rejected(_) => Ok(OwnerWriteOutcome::Conflict),
        }
    }
}

/// The settings as one text of JSON, as the API writes them.
fn to_row(settings: &CalendarSettings) -> Row {
    let mut stored = row([
        ("state_id", text(SETTINGS_KEY)),
        ("settings", text(Value::Object(settings.to_json()).to_string())),
        ("version", number(settings.version)),
    ]);
    stored.extend(settings.updated_at.map(|time| ("updated_at".to_owned(), seconds(time))));
    stored.extend(settings.changed_by.map(|by| ("changed_by".to_owned(), text(by.as_str()))));
    stored
}

/// Reads the row by the rules of the API, so that nothing is offered on what it would refuse.
fn from_row(row: &Row) -> Result<CalendarSettings, StoreError> {
    let reader = RowReader::new("OwnerState", row);
    let malformed = |_| reader.malformed("settings", "settings of the calendar");
    let settings: Value = serde_json::from_str(reader.text("settings")?)
        .map_err(|error| malformed(error.to_string()))?;
    let fields = settings.as_object().ok_or_else(|| malformed(String::new()))?;
    let patch = CalendarPatch::from_json(fields).map_err(|error| malformed(error.to_string()))?;
    let version = u64::try_from(reader.integer("version")?)
        .map_err(|_| reader.malformed("version", "a version"))?;
    let updated_at =
        if reader.has("updated_at") { Some(reader.seconds("updated_at")?) } else { None };
    let changed_by = reader.text_or_none("changed_by").ok().flatten().and_then(ChangedBy::parse);
    let settings = CalendarSettings::default().with(&patch);
    Ok(CalendarSettings { version, updated_at, changed_by, ..settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> CalendarSettings {
        CalendarSettings {
            closed_dates: [jiff::civil::date(2026, 12, 25)].into(),
            quiet_hours: None,
            travel_minutes: 20,
            updated_at: Some("2026-02-10T20:10:00Z".parse().unwrap()),
            changed_by: Some(ChangedBy::OwnersPage),
            version: 3,
            ..CalendarSettings::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(from_row(&to_row(&settings())).unwrap().to_json(), settings().to_json());
        let read = from_row(&to_row(&settings())).unwrap();
        assert_eq!((read.version, read.changed_by), (3, Some(ChangedBy::OwnersPage)));
    }

    #[test]
    fn a_row_that_the_api_would_refuse_is_malformed() {
        for value in ["", "[]", "{\"horizon_days\": 0}", "{\"open\": true}"] {
            let mut row = to_row(&settings());
            row.insert("settings".into(), text(value));
            let error = from_row(&row).unwrap_err().to_string();
            assert!(error.starts_with("a row of OwnerState is malformed: settings"), "{error}");
        }
        let mut row = to_row(&settings());
        row.remove("version");
        assert!(from_row(&row).is_err());
    }
}
