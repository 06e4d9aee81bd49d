//! Turns: a text of a customer and its answer.

use jiff::Timestamp;

use super::{
    outbox::{Callback, OutboxText},
    pace::{Pace, TurnCost},
    phone::Phone,
};

/// Turns of a conversation that are remembered.
pub const MEMORY_TURNS: usize = 20;
/// Bytes of a conversation that are remembered. A row of the database holds 400 KB, and all of this
/// goes to the model with every text.
pub const MEMORY_BYTES: usize = 48 * 1024;

/// Most texts of a conversation that have a place in its queue, with the one that is being answered.
pub const MAX_QUEUE: usize = 20;

/// Identifies a turn: the customer and the text's MessageSid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnKey {
    /// The customer.
    pub phone: Phone,
    /// MessageSid of the text.
    pub sid: String,
}

/// The claim of one attempt, on which a change of a booking depends: it is written only while the
/// attempt holds its turn. Otherwise an attempt whose lease has ended could book, cancel or move after
/// another one has answered the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnFence {
    /// The turn.
    pub key: TurnKey,
    /// Names the attempt.
    pub holder: String,
}

/// An item of the conversation with the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationItem {
    /// What the customer wrote.
    User(String),
    /// What the assistant said.
    Assistant(String),
    /// The model's reasoning, which it must get back unchanged.
    Reasoning {
        /// The item's id.
        id: String,
        /// The encrypted content, which only the provider can read.
        encrypted: Option<String>,
    },
    /// A call of a tool by the model.
    Call {
        /// The item's id.
        id: String,
        /// Identifies the call to its result.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The arguments: JSON text as the model wrote it.
        arguments: String,
    },
    /// The result of a tool call.
    Result {
        /// The `call_id` of the call.
        call_id: String,
        /// The result: JSON text.
        output: String,
    },
}

/// A stored round: first with the model's output, then also with the results of its calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredRound {
    /// The model's output items, in order.
    pub items: Vec<ConversationItem>,
    /// One [`ConversationItem::Result`] per call, in order; empty until all calls have run.
    pub results: Vec<ConversationItem>,
    /// `Confirmed: ...`: what the calls did, written from rows. Sent to the customer whatever the
    /// model says.
    pub confirmations: Vec<String>,
}

/// A turn as a claim found it.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnRecord {
    /// Business time of the first attempt.
    pub now: Timestamp,
    /// Rounds that earlier attempts stored.
    pub rounds: Vec<StoredRound>,
}

/// What a customer sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnText {
    /// The text itself.
    pub body: String,
    /// Number of pictures that came with it.
    pub media: usize,
    /// The addresses of those pictures that have one.
    pub media_urls: Vec<String>,
}

/// A claim on a turn.
#[derive(Debug, Clone)]
pub struct NewClaim<'a> {
    /// The turn.
    pub key: &'a TurnKey,
    /// The attempt.
    pub holder: &'a str,
    /// What the customer sent; stored by the first attempt.
    pub text: &'a TurnText,
    /// Business time; stored by the first attempt.
    pub now: Timestamp,
    /// Elapsed time, in milliseconds since the Unix epoch.
    pub unix_ms: i64,
    /// When the claim ends, likewise.
    pub until_ms: i64,
}

/// A turn that went past the webhook's deadline, as a claim found it.
#[derive(Debug, Clone, PartialEq)]
pub struct LateTurn {
    /// The turn so far.
    pub record: TurnRecord,
    /// What the customer sent.
    pub text: TurnText,
    /// Earlier attempts to finish it after the deadline.
    pub earlier_attempts: u32,
    /// It had waited for an earlier text of the same customer, and got no holding text.
    pub waited: bool,
}

/// Hands a turn that went past the webhook's deadline over, to be finished outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The turn.
    pub key: TurnKey,
    /// The attempt that holds it.
    pub holder: String,
    /// Business time of the turn.
    pub now: Timestamp,
    /// What the webhook is answered meanwhile; empty means silence.
    pub messages: Vec<String>,
}

/// Earlier turns of a conversation, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationMemory {
    /// At most [`MEMORY_TURNS`].
    pub turns: Vec<MemoryTurn>,
    /// How fast the customer writes.
    pub pace: Pace,
}

/// A remembered text and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryTurn {
    /// What the customer wrote.
    pub user: String,
    /// The answer.
    pub assistant: String,
    /// Business time of the text, in milliseconds since the Unix epoch; `None` in older rows.
    pub at_ms: Option<i64>,
    /// The owner wrote `assistant` himself, unasked; `user` says so.
    pub by_owner: bool,
}

impl ConversationMemory {
    /// Adds a turn. The oldest ones are forgotten when there are more than [`MEMORY_TURNS`] or
    /// [`MEMORY_BYTES`]; the newest stays however long it is.
    #[must_use]
    pub fn with(mut self, user: String, assistant: String, now: Timestamp) -> Self {
        self.turns.push(MemoryTurn {
            user,
            assistant,
            at_ms: Some(now.as_millisecond()),
            by_owner: false,
        });
        let mut bytes = 0;
        let fits = |turn: &&MemoryTurn| {
            bytes += turn.user.len() + turn.assistant.len();
            bytes <= MEMORY_BYTES
        };
        let kept = self.turns.iter().rev().take(MEMORY_TURNS).take_while(fits).count().max(1);
        let excess = self.turns.len().saturating_sub(kept);
        self.turns.drain(..excess);
        self
    }

    /// Counts what a turn has cost.
    #[must_use]
    pub fn with_cost(self, cost: TurnCost) -> Self {
        Self { pace: self.pace.with_cost(cost), ..self }
    }
}

/// An entry of a conversation's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueEntry {
    /// MessageSid of the text that waits or is being answered.
    pub sid: String,
    /// When other attempts may remove it, in milliseconds since the Unix epoch.
    pub until_ms: i64,
}

/// The end of a turn, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnEnd {
    /// The turn.
    pub key: TurnKey,
    /// The attempt that holds it.
    pub holder: String,
    /// Business time of the turn, from which the rows' expiry is counted.
    pub now: Timestamp,
    /// The answer; empty means silence.
    pub messages: Vec<String>,
    /// The new memory; `None` leaves the memory unchanged.
    pub memory: Option<ConversationMemory>,
    /// The head of the queue, to be removed. If the head has changed, the rest is stored all the
    /// same.
    pub dequeue: Option<QueueEntry>,
    /// What the answer promises: that the owner gets back to the customer.
    pub callback: Option<Callback>,
    /// The answer of a turn that was handed over, which goes out by the outbox: its webhook has been
    /// answered. `None` for any other turn.
    pub late_answer: Option<Vec<OutboxText>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_forgets_the_oldest() {
        let memory = (0..25).fold(ConversationMemory::default(), |memory, n| {
            memory.with(format!("q{n}"), format!("a{n}"), Timestamp::UNIX_EPOCH)
        });
        assert_eq!(memory.turns.len(), MEMORY_TURNS);
        assert_eq!(memory.turns[0].user, "q5");
        assert_eq!(memory.turns[19].assistant, "a24");
    }

    #[test]
    fn memory_fits_into_a_row_however_long_the_texts_are() {
        let memory = (0..25).fold(ConversationMemory::default(), |memory, n| {
            memory.with(
                format!("{n}{}", "\u{5b57}".repeat(2000)),
                "\u{5b57}".repeat(2000),
                Timestamp::UNIX_EPOCH,
            )
        });
        let bytes: usize = memory.turns.iter().map(|t| t.user.len() + t.assistant.len()).sum();
        assert!(bytes <= MEMORY_BYTES, "{bytes}");
        assert!(memory.turns.last().unwrap().user.starts_with("24"));
        let huge = ConversationMemory::default().with(
            "x".repeat(MEMORY_BYTES),
            "y".into(),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(huge.turns.len(), 1, "the newest stays");
    }
}
