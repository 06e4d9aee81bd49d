//! Bodies and queries of requests and responses of the control API.

mod faults;
mod journal;
mod model;
mod rows;
mod scripts;
mod snapshots;
mod texts;
mod world;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    faults::{ArmedFault, ArmedFaults, Disarmed, FaultRequest, Faults},
    journal::{EventsQuery, JournalPage, JournalQuery},
    model::{
        EndedRound, HeldCall, HeldMessage, HeldRound, HoldEnd, HoldRequest, ModelState, OfferedTool,
    },
    rows::{
        DeleteItems, DeletedItems, Fixtures, IndexInfo, Items, KeyInfo, LoadedFixture, PutItems,
        Rows, TableInfo, Tables, Written,
    },
    scripts::{Difference, ModelRequest, Nearest, ScriptReport, Scripts, Unmet},
    snapshots::{SnapshotInfo, SnapshotRequest, Snapshots},
    texts::{
        Attempt, DeliveryStatus, Message, Messages, RefusedText, SmsRequest, SmsResponse,
        StatusRequest, TwilioProblem, WaitRequest,
    },
    world::{ClockRequest, ClockResponse, Endpoints, Part, People, Person, Ready, Reset},
};

/// Body of every error response.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// With status 410: position of the first exchange that the journal still has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
}
