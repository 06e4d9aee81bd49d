//! Faults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rehearse_core::faults::{Failure, FaultTarget};

/// Body of `POST /faults` in its first form. The other forms are those of scenarios: an entry of a
/// `faults:` step, or the step itself.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    /// The exchange's name in the journal: `openai.responses`.
    pub on: String,
    /// How the call fails.
    pub failure: Failure,
    /// Restricts the fault to some of these calls. Only database calls can be restricted.
    #[serde(default)]
    pub target: FaultTarget,
    /// How many calls to let through first.
    #[serde(default)]
    pub skip: u32,
    /// How many calls fail after those; every one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Response of `POST /faults`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ArmedFaults {
    /// Always true.
    pub armed: bool,
    /// The faults that this request armed.
    #[serde(default)]
    pub faults: Vec<ArmedFault>,
}

/// Response of `GET /faults`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Faults {
    /// The faults that were armed and not disarmed, in order. The first one that applies to a call is
    /// injected.
    pub faults: Vec<ArmedFault>,
}

/// A fault, and how often it struck.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ArmedFault {
    /// Its id, for `DELETE /faults/{id}`.
    pub id: u64,
    /// The exchange's name in the journal.
    pub on: String,
    /// How a call fails.
    pub failure: Failure,
    /// The calls that it is restricted to.
    pub target: FaultTarget,
    /// How many calls it lets through first.
    pub skip: u32,
    /// How many calls fail after those; null is every one.
    pub times: Option<u32>,
    /// The part of these calls that fail; null is all.
    pub chance: Option<f64>,
    /// How many calls it applied to, those included that it let through.
    pub matched: u64,
    /// How many calls it made fail.
    pub injected: u64,
    /// Whether its `times` are used up.
    pub spent: bool,
}

/// Response of `DELETE /faults`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Disarmed {
    /// Always false.
    pub armed: bool,
}
