//! Stored conversations.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{error::ApiError, ids::Ids, responses};

/// The conversations of one server, by their ids.
#[derive(Debug, Default)]
pub(crate) struct StoredConversations {
    conversations: BTreeMap<String, Conversation>,
    /// How many there ever were.
    begun: u64,
}

/// A conversation.
#[derive(Debug)]
pub(crate) struct Conversation {
    created_at: i64,
    pub metadata: Value,
    /// As they are answered, the oldest first.
    pub items: Vec<Value>,
    /// How many items it ever had.
    added: usize,
    ids: Ids,
}

impl StoredConversations {
    /// Begins a conversation and returns its id.
    pub fn create(&mut self, created_at: i64, metadata: Value) -> String {
        let ids = Ids::of(&[b"conversation", &self.begun.to_le_bytes()]);
        self.begun += 1;
        let id = ids.conversation();
        let conversation = Conversation { created_at, metadata, items: Vec::new(), added: 0, ids };
        self.conversations.insert(id.clone(), conversation);
        id
    }

    /// The conversation of this id.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, id: &str) -> Result<&Conversation, ApiError> {
        self.conversations.get(id).ok_or_else(|| ApiError::conversation_not_found(id))
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// There is none.
    pub fn get_mut(&mut self, id: &str) -> Result<&mut Conversation, ApiError> {
        self.conversations.get_mut(id).ok_or_else(|| ApiError::conversation_not_found(id))
    }

    /// Removes a conversation.
    pub fn remove(&mut self, id: &str) {
        self.conversations.remove(id);
    }

    /// Removes every conversation. Ids are not used again: a backend may remember those that it has seen.
    pub fn clear(&mut self) {
        self.conversations.clear();
    }

    /// Every item of every conversation.
    pub fn items(&self) -> impl Iterator<Item = &Value> {
        self.conversations.values().flat_map(|conversation| &conversation.items)
    }
}

impl Conversation {
    /// Adds items and returns them as they are stored.
    pub fn append(&mut self, items: &[Value]) -> Vec<Value> {
        let stored = responses::stored_items(items, self.ids, self.added);
        self.added += items.len();
        self.items.extend(stored.iter().cloned());
        stored
    }

    /// The conversation without its items, as it is answered.
    pub fn resource(&self, id: &str) -> Value {
        json!({
            "id": id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata
        })
    }
}
