//! Snapshots.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Body of `POST /snapshots`, which may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRequest {
    /// Its name; a number when left out. A snapshot of the same name is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Response of `GET /snapshots`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Snapshots {
    /// The snapshots that are kept, by name.
    pub snapshots: Vec<SnapshotInfo>,
}

/// A snapshot: rows, business time and opt-outs of one moment.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotInfo {
    /// Its name.
    pub name: String,
    /// Business time of the moment.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub now: Timestamp,
    /// How many rows each table had, by its logical id.
    pub rows: BTreeMap<String, usize>,
}
