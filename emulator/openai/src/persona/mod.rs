//! Personas: rules that respond when no script matches. Patterns turn a customer's words into tool
//! calls and texts.
//!
//! As with a script, the response depends on the request alone: what a persona remembers, it finds in
//! the messages of the request.

mod choices;
#[cfg(test)]
mod conversation_table;
mod days;
mod reply;
mod rules;
mod template;
#[cfg(test)]
mod tests;
mod times;

use std::{fmt, path::Path};

use jiff::Timestamp;

use super::{conversation::Conversation, ids::Ids, reply::Reply};
use rehearse_core::yaml::{Source, YamlError};

/// Rules that respond to requests when no script matches.
pub struct Persona(Behavior);

enum Behavior {
    /// The same text for every request.
    Canned(String),
    Rules(Box<rules::RuleSet>),
}

/// A rule cannot be rendered for this request.
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
    /// The file is unreadable, too large, not UTF-8 or not of the right form, its time zone is
    /// unknown, or a pattern or template is malformed.
    pub fn read(path: &Path) -> Result<Self, YamlError> {
        Self::parse(&Source::read(path)?)
    }

    /// Reads a persona from a text.
    ///
    /// # Errors
    /// The text is not of the right form, its time zone is unknown, or a pattern or template is
    /// malformed.
    pub fn parse(source: &Source) -> Result<Self, YamlError> {
        rules::rules(source).map(|rules| Self(Behavior::Rules(Box::new(rules))))
    }

    /// The same text for every request, for load tests.
    pub fn canned(answer: impl Into<String>) -> Self {
        Self(Behavior::Canned(answer.into()))
    }

    /// The reply to a request; `now` is business time.
    ///
    /// # Errors
    /// No rule matches, or a template of the first that does has no value.
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
