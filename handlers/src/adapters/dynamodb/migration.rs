//! Writes the rows that open leads of the old system lack: the one that holds the slot and the one
//! among the customer's bookings. Runs once, before the new system answers; a repeat changes nothing.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil};

use super::{
    DynamoDb,
    lead_row::to_lead,
    row::{Row, row, text},
    transactions::TransactionOutcome,
};
use crate::{
    domain::{
        booking::Booking,
        day_schedule::{DaySchedule, Hold},
        lead::Lead,
        migration::{Holder, MissingRows, missing_rows},
    },
    ports::StoreError,
};

/// What a migration found, a line for each lead, without personal data.
#[derive(Debug, Default)]
pub struct MigrationReport {
    /// Leads whose rows are missing, and which.
    pub missing: Vec<String>,
    /// Leads whose rows were written.
    pub written: Vec<String>,
    /// What somebody has to decide or mend: leads that cannot be read, times that others hold, leads
    /// that changed meanwhile.
    pub open: Vec<String>,
}

impl DynamoDb {
    /// Finds the rows that leads lack whose appointments are not over at `local`, on the shop's wall
    /// clock. With `apply`, writes them too, each lead's in one transaction and on the condition that
    /// the lead is unchanged and that neither row has come meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database fails. What was written until then stays.
    pub async fn migrate(
        &self,
        local: civil::DateTime,
        now: Timestamp,
        apply: bool,
    ) -> Result<MigrationReport, StoreError> {
        let mut report = MigrationReport::default();
        let mut days: BTreeMap<civil::Date, DaySchedule> = BTreeMap::new();
        for lead_row in self.scan_all(self.client.scan().table_name(&self.tables.leads)).await? {
            let lead = match to_lead(&lead_row) {
                Ok(lead) => lead,
                Err(error) => {
                    report.open.push(format!("{}: {error}", id_of(&lead_row)));
                    continue;
                }
            };
            let date = lead.slot.date();
            if !lead.time_needed.is_open_at(lead.slot, local) {
                continue;
            }
            let mut day = match days.remove(&date) {
                Some(day) => day,
                None => self.read_day(date).await?.at(now),
            };
            let has_row = self.has_booking_row(&lead).await?;
            if let Some(missing) = missing_rows(&lead, &day, has_row, local) {
                self.migrate_lead(&lead, &lead_row, &missing, now, apply, &mut report).await?;
                // What was written is read again; what would be written stands in the way of others.
                if apply {
                    continue;
                }
                if missing.slot {
                    day.holds.push(Hold {
                        key: lead.slot.time().to_string(),
                        start: lead.slot.time(),
                        minutes: lead.time_needed.minutes,
                        travel: lead.time_needed.travel,
                        lead_id: lead.id.to_string(),
                        phone: None,
                        is_time_off: false,
                        is_done: false,
                    });
                }
            }
            days.insert(date, day);
        }
        Ok(report)
    }

    async fn migrate_lead(
        &self,
        lead: &Lead,
        lead_row: &Row,
        missing: &MissingRows,
        now: Timestamp,
        apply: bool,
        report: &mut MigrationReport,
    ) -> Result<(), StoreError> {
        let line = format!("{} on {}", lead.id, lead.slot.wall_clock());
        match &missing.conflict {
            Some(Holder::Lead(other)) => {
                report.open.push(format!("{line}: the time is held by {other}"));
            }
            Some(Holder::Row(key)) => {
                report.open.push(format!("{line}: the time is held by the row {key:?}"));
            }
            None => {}
        }
        let mut names = Vec::new();
        let booking = Booking::from(lead);
        // Not an update of its content: the lead's condition, so that one that changed is left alone.
        let mut items = vec![self.touch_lead(lead_row, now)?];
        if missing.slot {
            names.push("slot");
            items.push(self.take_slot(&booking, lead.timestamp)?);
            items.push(self.count_change(lead.slot, None)?);
        }
        if missing.booking {
            names.push("booking");
            items.push(self.put_missing_booking(&booking)?);
        }
        if names.is_empty() {
            return Ok(());
        }
        report.missing.push(format!("{line}: {}", names.join(", ")));
        if !apply {
            return Ok(());
        }
        match self.transact(None, items).await {
            TransactionOutcome::Written => report.written.push(line),
            TransactionOutcome::Rejected(_) => {
                report.open.push(format!("{line}: it changed meanwhile, so nothing was written"));
            }
            TransactionOutcome::Unknown(error) => return Err(error),
        }
        Ok(())
    }

    async fn has_booking_row(&self, lead: &Lead) -> Result<bool, StoreError> {
        let key =
            row([("phone", text(lead.phone.as_str())), ("start", text(lead.slot.wall_clock()))]);
        Ok(self.get_row(&self.tables.bookings, key).await?.is_some())
    }
}

/// The lead's id for the report.
fn id_of(lead_row: &Row) -> &str {
    lead_row
        .get("lead_id")
        .and_then(|id| id.as_s().ok())
        .map_or("a lead without an id", String::as_str)
}
