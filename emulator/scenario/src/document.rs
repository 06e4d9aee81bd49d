//! The content of a scenario file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{expectation::Expect, step::Step, time::Moment};

/// The moment at which a scenario starts that does not say `now`: a Monday at noon, UTC.
pub const DEFAULT_NOW: &str = "2026-01-05T12:00:00Z";

/// A scenario file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Scenario")]
pub struct Document {
    /// The name: what it proves. Unique in a run.
    pub name: String,
    /// Words by which scenarios are selected.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Business time at the start, with its offset, which is also the zone of `day(n)`.
    /// 2026-01-05T12:00:00Z when left out.
    #[serde(default)]
    pub now: Option<Moment>,
    /// Names and numbers, besides those of `rehearse.toml`.
    #[serde(default)]
    pub people: BTreeMap<String, String>,
    /// What exists at the start.
    #[serde(default)]
    pub given: Given,
    /// Checked after every step.
    #[serde(default)]
    pub always: Option<Expect>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Runs the scenario once for every entry; each entry's keys are names for templates.
    #[serde(default)]
    pub each: Option<Vec<Map<String, Value>>>,
}

/// What exists at the start.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Files of rows, by name.
    #[serde(default)]
    pub fixtures: Vec<String>,
    /// Rows, by the table's logical id.
    #[serde(default)]
    pub tables: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Environment of the functions, for this scenario.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The number's own configuration, over `[webhook]` of `rehearse.toml`.
    #[serde(default)]
    pub twilio: Number,
}

/// How the number is configured at Twilio.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// `local` when left out.
    #[serde(default)]
    pub kind: NumberKind,
    /// Connection overrides of the webhook's URL: `#rc=2&rp=ct,5xx` (retries, on what),
    /// `ct`, `rt` and `tt` (timeouts in milliseconds). Empty for Twilio's defaults.
    #[serde(default)]
    pub overrides: Option<String>,
    /// Path of the fallback URL, or `none`.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Where status callbacks go for messages that name no URL: a path.
    #[serde(default)]
    pub status_callback: Option<String>,
    /// GET delivers webhooks in the query; POST when left out.
    #[serde(default)]
    pub method: Option<WebhookMethod>,
    /// The number belongs to a Messaging Service with Advanced Opt-Out.
    #[serde(default)]
    pub advanced_opt_out: bool,
}

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NumberKind {
    /// Ten digits; Twilio handles opt-out keywords.
    #[default]
    Local,
    /// 8xx; the network handles them.
    TollFree,
}

/// Methods of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    /// In the query.
    Get,
    /// In the body.
    Post,
}
