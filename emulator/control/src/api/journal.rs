//! The journal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rehearse_core::journal::Exchange;

/// Query of `GET /journal`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// Position of the first exchange wanted; when left out, the first that the journal still has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Only exchanges after this position, instead of `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Most exchanges, at least 1; the response says where to go on (`next`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub limit: Option<u64>,
    /// Only exchanges of this name; `dynamodb.*` is every name that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Phone number or name of a person: only the exchanges of the conversation with this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// [`JournalPage::changes`] of the last response: wait until there is another change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
    /// Longest wait, in milliseconds; more than 30,000 counts as 30,000.
    #[serde(default)]
    pub wait: u64,
}

/// Response of `GET /journal`. An exchange that was under way in an earlier response comes again when
/// it has ended, as long as `since` is not past it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct JournalPage {
    /// Counts resets: when it rises, the journal was emptied and positions began anew at 0.
    pub resets: u64,
    /// Counts changes: pass it to the next request to wait for another one.
    pub changes: u64,
    /// Position of the first exchange that the journal still has: how many it has dropped.
    #[serde(default)]
    pub first: u64,
    /// `since` of the request for the exchanges that follow on these.
    #[serde(default)]
    pub next: u64,
    /// Whether the journal had exchanges that were not looked at because of `limit`.
    #[serde(default)]
    pub more: bool,
    /// Exchanges from `since` on.
    pub entries: Vec<Exchange>,
}

/// Query of `GET /journal/events`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Only exchanges after this position; all that the journal still has when left out. The header
    /// `Last-Event-ID` goes before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Only exchanges of this name; `dynamodb.*` is every name that begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
