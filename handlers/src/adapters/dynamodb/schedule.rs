//! Which slots of a date are taken.

use std::collections::BTreeSet;

use jiff::civil;

use super::{
    DynamoDb,
    errors::unavailable,
    row::{Row, RowReader, text},
};
use crate::{domain::slot::SlotTime, ports::StoreError};

/// Status that the old system wrote for a free slot.
pub(super) const AVAILABLE: &str = "available";

impl DynamoDb {
    /// Reads the slots of a date that are taken, all pages. A failed page fails the whole read.
    pub(super) async fn read_taken(
        &self,
        date: civil::Date,
    ) -> Result<BTreeSet<SlotTime>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.tables.schedule)
            .key_condition_expression("schedule_date = :date")
            .expression_attribute_values(":date", text(date.to_string()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut taken = BTreeSet::new();
        while let Some(row) = pages.next().await {
            taken.extend(taken_time(&row.map_err(unavailable)?)?);
        }
        Ok(taken)
    }
}

/// The time of a slot's row, unless its status is `available`.
fn taken_time(row: &Row) -> Result<Option<SlotTime>, StoreError> {
    let reader = RowReader::new("Schedule", row);
    let time = SlotTime::parse(reader.text("slot_time")?)
        .map_err(|_| reader.malformed("slot_time", "a time of day"))?;
    let free = reader.text_or_none("status")? == Some(AVAILABLE);
    Ok((!free).then_some(time))
}

#[cfg(test)]
mod tests {
    use super::{super::row::row, *};

    fn slot_row(time: &str, status: Option<&str>) -> Row {
        let mut row = row([("slot_time", text(time))]);
        row.extend(status.map(|status| ("status".to_owned(), text(status))));
        row
    }

    #[test]
    fn only_available_means_free() {
        let two = SlotTime::new(14, 0);
        assert_eq!(taken_time(&slot_row("2:00 PM", Some("available"))).unwrap(), None);
        for status in [Some("booked"), Some("blocked"), Some(""), None] {
            assert_eq!(taken_time(&slot_row("2:00 PM", status)).unwrap(), two, "{status:?}");
        }
    }

    #[test]
    fn a_row_without_a_readable_time_is_an_error() {
        assert!(taken_time(&slot_row("afternoon", Some("booked"))).is_err());
        assert!(taken_time(&slot_row("afternoon", Some("available"))).is_err());
        assert!(taken_time(&Row::new()).is_err());
    }
}
