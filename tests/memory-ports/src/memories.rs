//! What is remembered of conversations in memory. The owner's own words stand beside the turns, so
//! that he and a turn of the customer may write at the same time.

use handlers::domain::{
    pace::Pace,
    turn::{ConversationMemory, MEMORY_TURNS, MemoryTurn},
};

/// What is remembered of a conversation.
#[derive(Debug, Default)]
pub struct MemoryRow {
    turns: Vec<MemoryTurn>,
    owners_words: Vec<MemoryTurn>,
    pace: Pace,
}

impl MemoryRow {
    pub fn read(&self) -> ConversationMemory {
        let mut turns: Vec<MemoryTurn> =
            self.turns.iter().chain(&self.owners_words).cloned().collect();
        turns.sort_by_key(|turn| turn.at_ms);
        ConversationMemory { turns, pace: self.pace }
    }

    /// Remembers the turns; the owner's words among them are there already.
    pub fn remember(&mut self, memory: &ConversationMemory) {
        self.turns = memory.turns.iter().filter(|turn| !turn.by_owner).cloned().collect();
        self.pace = memory.pace;
    }

    pub fn add_owners_words(&mut self, words: &MemoryTurn) {
        // As they are read, so that the oldest are forgotten.
        self.owners_words.sort_by_key(|turn| turn.at_ms);
        self.owners_words.push(MemoryTurn { by_owner: true, ..words.clone() });
        let excess = self.owners_words.len().saturating_sub(MEMORY_TURNS);
        self.owners_words.drain(..excess);
    }
}
