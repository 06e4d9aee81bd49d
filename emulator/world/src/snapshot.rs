//! What a world remembers at one moment, to go back to it.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Unsettled, World};
use rehearse_dynamodb::DatabaseError;

/// The rows, the business time and the opt-outs of a world at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    now: Timestamp,
    /// Rows in DynamoDB's own format, by the logical ids of the tables.
    tables: Vec<(String, Vec<Map<String, Value>>)>,
    opt_outs: BTreeSet<(String, String)>,
}

impl Snapshot {
    /// Business time at that moment.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// How many rows each table had, by its logical id.
    pub fn rows(&self) -> impl Iterator<Item = (&str, usize)> {
        self.tables.iter().map(|(table, rows)| (table.as_str(), rows.len()))
    }
}

/// Why no snapshot was taken, or none restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Something is under way that would be cut in half.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The rows could not be read or written.
    #[error("failed to read or write the rows")]
    Database(#[from] DatabaseError),
}

impl World {
    /// Remembers rows, business time and opt-outs, once nothing is under way.
    ///
    /// # Errors
    /// Something does not end within `limit` of elapsed time, or the rows cannot be read.
    pub async fn snapshot(&self, limit: Duration) -> Result<Snapshot, SnapshotError> {
        let take = async {
            loop {
                self.settled_within(limit).await?;
                // Nothing becomes due while the rows are read. What others begin meanwhile makes the
                // rows be read again.
                let _firing = self.events().lock_firing().await;
                let begun = self.begun_if_idle();
                let snapshot = self.read_snapshot().await?;
                if begun.is_some() && begun == self.begun_if_idle() {
                    return Ok(snapshot);
                }
            }
        };
        let taken = tokio::time::timeout(limit, take).await;
        taken.unwrap_or_else(|_| Err(Unsettled::new(self.under_way(), limit).into()))
    }

    async fn read_snapshot(&self) -> Result<Snapshot, SnapshotError> {
        let mut tables = Vec::new();
        for table in self.database().tables() {
            tables.push((table.id.clone(), self.database().items(&table.id).await?));
        }
        let opt_outs = self.twilio().opt_outs();
        Ok(Snapshot { now: self.clock().now(), tables, opt_outs })
    }

    /// Goes back to a snapshot, once nothing is under way. Asynchronous invocations, texts and reports of
    /// the carrier that are due later are forgotten, and schedules count anew from the snapshot's time.
    /// Texts that were scheduled are canceled, and those whose last status was still to come have it then.
    /// Other texts, journal, scripts, faults and plans of deliveries stay as they are.
    ///
    /// # Errors
    /// Something does not end within `limit` of elapsed time; then nothing has changed. Or the rows
    /// cannot be written; then some are, and restoring again is safe.
    pub async fn restore(&self, snapshot: &Snapshot, limit: Duration) -> Result<(), SnapshotError> {
        let wait = async {
            loop {
                self.settled_within(limit).await?;
                let firing = self.events().lock_firing().await;
                if self.begun_if_idle().is_some() {
                    return Ok::<_, SnapshotError>(firing);
                }
            }
        };
        let waited = tokio::time::timeout(limit, wait).await;
        let _firing =
            waited.unwrap_or_else(|_| Err(Unsettled::new(self.under_way(), limit).into()))?;
        let halted = self.events().halt().await;
        self.twilio().forget_due();
        self.twilio().set_opt_outs(snapshot.opt_outs.clone());
        self.database().empty().await?;
        for (table, rows) in &snapshot.tables {
            self.database().put_items(table, rows.clone()).await?;
        }
        self.clock().set(snapshot.now);
        drop(halted);
        Ok(())
    }
}
