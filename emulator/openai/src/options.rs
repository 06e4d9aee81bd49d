//! What a server accepts.

use std::time::Duration;

use rehearse_core::names;

use super::{
    error::ApiError,
    models::{MODELS, is_listed},
};

/// What a server accepts, and how it sends streams.
#[derive(Debug, Clone)]
pub struct Options {
    /// The only API key that it accepts.
    pub api_key: String,
    /// Models that exist, with their dated snapshots and fine-tuned variants; a request for another one
    /// gets the provider's 404.
    pub models: Vec<String>,
    /// Real time between two events of a stream. `None` sends them all at once.
    pub pace: Option<Duration>,
}

impl Options {
    /// Whether a model exists.
    pub(super) fn has_model(&self, model: &str) -> bool {
        is_listed(model, &self.models)
    }

    /// Checks that a model exists.
    ///
    /// # Errors
    /// The provider's 404, with a hint for whoever runs the fake.
    pub(super) fn check_model(&self, model: &str) -> Result<(), ApiError> {
        if self.has_model(model) {
            return Ok(());
        }
        let meant = names::hint(model, self.models.iter().map(String::as_str));
        Err(ApiError::model_not_found(model).hint(format!(
            "the fake OpenAI does not know the model `{model}`{meant} (if it exists, name it in rehearse.toml: [openai] models = [{model:?}], or in `Options::models`)"
        )))
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
