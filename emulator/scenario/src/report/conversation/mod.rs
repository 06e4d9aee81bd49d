//! The journal as a conversation: texts with their business times, and between them, dimmed, what
//! the backend did.

mod about;
mod bodies;
mod calls;
mod model;
mod read;
mod render;
#[cfg(test)]
mod tests;

pub use about::about;
pub use model::results as tool_results;
pub use read::Reader;
pub use render::Renderer;

use jiff::Timestamp;

/// How much of what happened between the texts is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Texts, model rounds, tool results and HTTP calls.
    Story,
    /// Database calls and log lines as well.
    Everything,
}

/// One line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationLine {
    /// Business time; shown beside texts only.
    pub at: Timestamp,
    /// Who or what it is about.
    pub label: String,
    /// What was said or done.
    pub text: String,
    /// How it is highlighted.
    pub tone: Tone,
}

/// How a line is highlighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A person's text.
    Person,
    /// A text of the backend to a person.
    Shop,
    /// What happened in between.
    Quiet,
    /// Something failed.
    Trouble,
}
