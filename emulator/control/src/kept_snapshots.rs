//! The snapshots of a world that are kept, in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::SnapshotInfo;
use rehearse_world::Snapshot;

/// Most snapshots that are kept: each holds all rows.
pub(super) const MOST: usize = 20;

/// Snapshots by name.
#[derive(Default)]
pub(super) struct KeptSnapshots(Mutex<BTreeMap<String, Arc<Snapshot>>>);

impl KeptSnapshots {
    /// Whether another one of this name, or without a name, can be kept now.
    pub fn has_room_for(&self, name: Option<&str>) -> bool {
        let kept = self.lock();
        kept.len() < MOST || name.is_some_and(|name| kept.contains_key(name))
    }

    /// Keeps a snapshot in place of an earlier one of its name, or under the lowest number that is no
    /// name yet. `None` when as many are kept as can be.
    pub fn keep(&self, name: Option<String>, snapshot: Snapshot) -> Option<SnapshotInfo> {
        let mut kept = self.lock();
        let name = name.unwrap_or_else(|| {
            let mut names = (1..).map(|number: u64| number.to_string());
            names.find(|name| !kept.contains_key(name)).unwrap_or_default()
        });
        if kept.len() >= MOST && !kept.contains_key(&name) {
            return None;
        }
        let info = info(&name, &snapshot);
        kept.insert(name, Arc::new(snapshot));
        Some(info)
    }

    pub fn get(&self, name: &str) -> Option<Arc<Snapshot>> {
        self.lock().get(name).cloned()
    }

    pub fn remove(&self, name: &str) -> Option<SnapshotInfo> {
        let snapshot = self.lock().remove(name)?;
        Some(info(name, &snapshot))
    }

    pub fn list(&self) -> Vec<SnapshotInfo> {
        self.lock().iter().map(|(name, snapshot)| info(name, snapshot)).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Snapshot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a response says of a snapshot.
pub(super) fn info(name: &str, snapshot: &Snapshot) -> SnapshotInfo {
    SnapshotInfo {
        name: name.into(),
        now: snapshot.now(),
        rows: snapshot.rows().map(|(table, rows)| (table.to_owned(), rows)).collect(),
    }
}
