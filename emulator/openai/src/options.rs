//! What a server accepts.

use std::time::Duration;

/// Models that the provider serves, the current ones first.
const MODELS: [&str; 15] = [
    "gpt-6-luna",
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
];

/// What a server accepts, and how it sends streams.
#[derive(Debug, Clone)]
pub struct Options {
    /// The only API key that it accepts.
    pub api_key: String,
    /// Models that exist; a request for another one gets the provider's 404.
    pub models: Vec<String>,
    /// Real time between two events of a stream. `None` sends them all at once.
    pub pace: Option<Duration>,
}

impl Options {
    /// Whether a model exists.
    pub(super) fn has_model(&self, model: &str) -> bool {
        self.models.iter().any(|m| m == model)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_key: "sk-rehearse".into(),
            models: MODELS.iter().map(ToString::to_string).collect(),
            pace: None,
        }
    }
}
