//! The rows of a date.

use jiff::civil;

use super::{
    DynamoDb,
    lead_row::time_needed,
    row::{Row, RowReader, row, text},
};
use crate::{
    domain::{
        day_schedule::{DaySchedule, HeldTime, HeldTimes, Hold, UnreadableRow},
        slot::{Slot, SlotTime, parse_date},
        time_needed::TimeNeeded,
    },
    ports::StoreError,
};

/// Status that the old system wrote for a free slot.
pub(super) const AVAILABLE: &str = "available";
/// Status of a time that the form holds until it is confirmed.
pub(super) const HELD: &str = "held";
/// Attribute with the end of such a time, in seconds since the Unix epoch.
pub(super) const HELD_UNTIL: &str = "held_until";
/// Status of a booking that is done: its time was used.
pub(super) const COMPLETED: &str = "completed";
/// Status of time off.
pub(super) const BLOCKED: &str = "blocked";
/// The condition under which nobody has a slot: it has no row, is marked as available, or was held
/// for the form until now at the latest. Its values are `:available`, `:held` and `:now`, and
/// `#status` is the status.
pub(super) const IS_FREE: &str = "attribute_not_exists(schedule_date) OR #status = :available \
                                  OR (#status = :held AND held_until <= :now)";
/// Range key of the row that counts the changes of a date, among the conversations: the schedule's
/// own rows are the owner's and those of older programs, which know no other kind.
const VERSION: &str = "version";

impl DynamoDb {
    pub(super) async fn read_versioned_day(
        &self,
        date: civil::Date,
    ) -> Result<DaySchedule, StoreError> {
        let version = match self.get_row(&self.tables.conversations, version_key(date)).await? {
            None => 0,
            Some(row) => {
                let reader = RowReader::new("Conversations", &row);
                u64::try_from(reader.integer("version")?)
                    .map_err(|_| reader.malformed("version", "a version"))?
            }
        };
        Ok(DaySchedule { version, ..self.read_day(date).await? })
    }

    /// Reads the rows of a date, all pages. A failed page fails the whole read.
    pub(super) async fn read_day(&self, date: civil::Date) -> Result<DaySchedule, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.schedule)
            .key_condition_expression("schedule_date = :date")
            .expression_attribute_values(":date", text(date.to_string()));
        let mut day = DaySchedule::default();
        for row in self.query_all(query).await? {
            add_row(&mut day, &row)?;
        }
        if !day.unreadable.is_empty() {
            tracing::error!(%date, rows = day.unreadable.len(), "a date has rows that cannot be read");
        }
        Ok(day)
    }

    pub(super) async fn read_holds_from(&self, date: civil::Date) -> Result<HeldTimes, StoreError> {
        let scan = self
            .client
            .scan()
            .table_name(&self.tables.schedule)
            .filter_expression("schedule_date >= :date")
            .expression_attribute_values(":date", text(date.to_string()));
        let rows = self.scan_all(scan).await?;
        let mut held = HeldTimes::default();
        for row in &rows {
            add_held(&mut held, row);
        }
        held.times.sort_by_key(|held| (held.date, held.hold.start));
        Ok(held)
    }
}

/// The key of a slot's row, with the time as this program spells it.
pub(super) fn slot_key(slot: Slot) -> Row {
    row([
        ("schedule_date", text(slot.date().to_string())),
        ("slot_time", text(slot.time().to_string())),
    ])
}

/// The key of the row that counts the changes of a date.
pub(super) fn version_key(date: civil::Date) -> Row {
    row([("conversation_id", text(format!("day#{date}"))), ("item_id", text(VERSION))])
}

/// Adds what a row of some date says. What stands under no date is on none.
fn add_held(held: &mut HeldTimes, row: &Row) {
    let reader = RowReader::new("Schedule", row);
    // What the form holds is no booking before it is confirmed, and is decided anew then.
    if matches!(reader.text_or_none("status"), Ok(Some(AVAILABLE | HELD))) {
        return;
    }
    let Some(date) = reader.text("schedule_date").ok().and_then(|date| parse_date(date).ok())
    else {
        return;
    };
    match reader.text("slot_time").ok().and_then(|key| hold(reader, key)) {
        Some(hold) => held.times.push(HeldTime { date, hold }),
        None => {
            held.unreadable.insert(date);
        }
    }
}

/// Adds what a row says.
fn add_row(day: &mut DaySchedule, row: &Row) -> Result<(), StoreError> {
    let reader = RowReader::new("Schedule", row);
    let key = reader.text("slot_time")?;
    if matches!(reader.text_or_none("status"), Ok(Some(AVAILABLE))) {
        return Ok(());
    }
    match hold(reader, key) {
        Some(hold) => {
            // Without an end that can be read it is held like any other time.
            if matches!(reader.text_or_none("status"), Ok(Some(HELD)))
                && let Ok(until) = reader.seconds(HELD_UNTIL)
            {
                day.held_until.insert(hold.key.clone(), until);
            }
            day.holds.push(hold);
        }
        None => day.unreadable.push(UnreadableRow {
            key: key.to_owned(),
            lead_id: reader.text_or_empty("lead_id").unwrap_or_default(),
        }),
    }
    Ok(())
}

/// What a row holds that is not free; `None` when it cannot be read.
fn hold(reader: RowReader<'_>, key: &str) -> Option<Hold> {
    let TimeNeeded { minutes, travel } = time_needed(reader).ok()?;
    let lead_id = reader.text_or_empty("lead_id").ok()?;
    let status = reader.text_or_none("status").ok().flatten();
    let is_time_off = lead_id.is_empty() && status == Some(BLOCKED);
    Some(Hold {
        key: key.to_owned(),
        start: SlotTime::parse(key).ok()?,
        minutes,
        travel,
        lead_id,
        phone: reader.phone("phone").ok(),
        is_time_off,
        is_done: status == Some(COMPLETED),
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;
    use crate::adapters::dynamodb::row::seconds;

    fn day(rows: &[(&str, Option<&str>)]) -> DaySchedule {
        let mut day = DaySchedule::default();
        for (time, status) in rows {
            let mut row = row([("slot_time", text(*time))]);
            row.extend(status.map(|status| ("status".to_owned(), text(status))));
            add_row(&mut day, &row).unwrap();
        }
        day
    }

    #[test]
    fn only_available_means_free() {
        assert_eq!(day(&[("2:00 PM", Some("available"))]), DaySchedule::default());
        for status in [Some("booked"), Some("blocked"), Some(""), None] {
            let day = day(&[("2:00 PM", status)]);
            assert_eq!(day.holds[0].start, SlotTime::hour_of_day(14), "{status:?}");
        }
    }

    #[test]
    fn only_what_the_form_holds_has_an_end() {
        let until = "2026-02-10T20:20:00Z".parse().unwrap();
        let day = |status: &str, held_until: AttributeValue| {
            let (time, status) = (text("2:00 PM"), text(status));
            let held = row([("slot_time", time), ("status", status), ("held_until", held_until)]);
            let mut day = DaySchedule::default();
            add_row(&mut day, &held).unwrap();
            day.at(until)
        };
        assert_eq!(day("held", seconds(until)), DaySchedule::default());
        for (status, end) in [("booked", seconds(until)), ("held", text("soon"))] {
            assert_eq!(day(status, end).holds.len(), 1, "{status}");
        }
    }

    #[test]
    fn a_time_counts_however_it_is_written() {
        for spelling in ["14:00", "2pm", "2:00 pm", "02:00 PM", " 2:00 PM ", "2 P.M."] {
            let day = day(&[(spelling, Some("booked"))]);
            assert_eq!(day.holds[0].start, SlotTime::hour_of_day(14), "{spelling}");
            assert_eq!(day.holds[0].key, spelling, "the row is found again");
        }
    }

    #[test]
    fn a_row_whose_time_cannot_be_read_is_counted_unless_it_is_free() {
        for words in ["lunch", "all day", "afternoon", "14.00", "25:00", ""] {
            assert_eq!(day(&[(words, Some("blocked"))]).unreadable.len(), 1, "{words}");
            assert_eq!(day(&[(words, Some("available"))]).unreadable.len(), 0, "{words}");
        }
        let mut day = DaySchedule::default();
        let odd = row([("slot_time", text("2:00 PM")), ("minutes", text("long"))]);
        add_row(&mut day, &odd).unwrap();
        assert_eq!(day.unreadable.len(), 1);
        assert!(add_row(&mut day, &Row::new()).is_err());
    }
}
