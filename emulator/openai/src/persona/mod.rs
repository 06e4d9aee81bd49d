//! An assistant by rules, for a world that runs without a script: patterns turn
//! a customer's words into tool calls and answers.
//!
//! An answer follows from the request alone, as with a script: what it remembers
//! it finds in the messages of the request.

mod days;
mod file;
mod load;
mod run;
mod template;
#[cfg(test)]
mod tests;
mod times;

use std::{fmt, path::Path};

use jiff::Timestamp;

use super::{conversation::Conversation, ids::Ids, reply::Reply};
use rehearse_core::yaml::{Source, YamlError};

/// An assistant by rules.
pub struct Persona(Behavior);

enum Behavior {
    /// One answer to everything.
    Canned(String),
    Rules(Box<load::RuleSet>),
}

/// A rule's template cannot be filled in for this request.
#[derive(Debug, thiserror::Error)]
#[error("persona, rule {rule}: {reason}")]
pub(super) struct PersonaError {
    rule: usize,
    reason: String,
}

impl Persona {
    /// Reads a persona file such as `fixtures/openai/linda.yaml`.
    ///
    /// # Errors
    /// When the file is unreadable, not of the right shape, or has a pattern or template that is malformed.
    pub fn read(path: &Path) -> Result<Self, YamlError> {
        Self::parse(&Source::read(path)?)
    }

    /// Reads a persona from a text.
    ///
    /// # Errors
    /// As [`Persona::read`].
    pub fn parse(source: &Source) -> Result<Self, YamlError> {
        load::rules(source).map(|rules| Self(Behavior::Rules(Box::new(rules))))
    }

    /// One answer to everything, for load.
    pub fn canned(answer: impl Into<String>) -> Self {
        Self(Behavior::Canned(answer.into()))
    }

    pub(super) fn reply(
        &self,
        conversation: &Conversation<'_>,
        now: Timestamp,
        ids: Ids,
    ) -> Result<Reply, PersonaError> {
        match &self.0 {
            Behavior::Canned(text) => Ok(Reply::text(ids, text.clone())),
            Behavior::Rules(rules) => rules.reply(conversation, now, ids),
        }
    }
}

impl fmt::Debug for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Behavior::Canned(text) => f.debug_tuple("Persona").field(text).finish(),
            Behavior::Rules(rules) => write!(f, "Persona({} rules)", rules.len()),
        }
    }
}
