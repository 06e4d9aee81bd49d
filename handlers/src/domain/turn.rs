//! A turn: one text of a customer and its answer.

use jiff::Timestamp;

use super::phone::Phone;

/// How many turns of a conversation are remembered.
pub const MEMORY_TURNS: usize = 20;

/// What identifies a turn: the customer and the text's MessageSid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnKey {
    /// The customer.
    pub phone: Phone,
    /// MessageSid of the text.
    pub sid: String,
}

/// An item of the conversation as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationItem {
    /// What the customer wrote.
    User(String),
    /// What the assistant said.
    Assistant(String),
    /// The model's reasoning, which it needs back as it was.
    Reasoning {
        /// Its id.
        id: String,
        /// Its content, readable for the provider only.
        encrypted: Option<String>,
    },
    /// A call of a tool.
    Call {
        /// The item's id.
        id: String,
        /// What its result refers to.
        call_id: String,
        /// The tool.
        name: String,
        /// JSON text, as the model wrote it.
        arguments: String,
    },
    /// The result of a call.
    Result {
        /// The call.
        call_id: String,
        /// JSON text.
        output: String,
    },
}

/// A round as it is stored: first the model's answer, then also the results of its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredRound {
    /// The model's output items, in order.
    pub items: Vec<ConversationItem>,
    /// An [`ConversationItem::Result`] for each call, in order; empty until all calls have run.
    pub results: Vec<ConversationItem>,
    /// What the customer is to be told of these calls whatever the model says:
    /// `Confirmed: ...`, written from rows.
    pub confirmations: Vec<String>,
}

/// A turn as it was found when it was claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// Business time of the first attempt.
    pub now: Timestamp,
    /// Rounds stored so far.
    pub rounds: Vec<StoredRound>,
}

/// What was said before, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationMemory {
    /// At most [`MEMORY_TURNS`].
    pub turns: Vec<MemoryTurn>,
}

/// A text and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTurn {
    /// What the customer wrote.
    pub user: String,
    /// What was answered.
    pub assistant: String,
}

impl ConversationMemory {
    /// The memory after one more turn; the oldest is forgotten when it is full.
    #[must_use]
    pub fn with(mut self, user: String, assistant: String) -> Self {
        self.turns.push(MemoryTurn { user, assistant });
        let excess = self.turns.len().saturating_sub(MEMORY_TURNS);
        self.turns.drain(..excess);
        self
    }
}

/// An entry of a conversation's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// MessageSid of the text that waits, or is being answered.
    pub sid: String,
    /// When others may remove it, in milliseconds of the machines' clock.
    pub until_ms: i64,
}

/// How a turn ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnEnd {
    /// Which turn.
    pub key: TurnKey,
    /// Who holds it.
    pub holder: String,
    /// Business time of the turn, for the rows' expiry.
    pub now: Timestamp,
    /// The answer; empty is silence.
    pub messages: Vec<String>,
    /// What is remembered from now on; `None` leaves the memory as it is.
    pub memory: Option<ConversationMemory>,
    /// The head of the queue, to be removed with it. A queue that has moved on does not fail the end.
    pub dequeue: Option<QueueEntry>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_forgets_the_oldest() {
        let memory = (0..25).fold(ConversationMemory::default(), |memory, n| {
            memory.with(format!("q{n}"), format!("a{n}"))
        });
        assert_eq!(memory.turns.len(), MEMORY_TURNS);
        assert_eq!(memory.turns[0].user, "q5");
        assert_eq!(memory.turns[19].assistant, "a24");
    }
}
