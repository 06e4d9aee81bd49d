//! A conversation takes one response at a time.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::ApiError;

/// The conversations in which a response is under way.
#[derive(Debug, Default)]
pub(crate) struct ConversationLocks(Arc<Mutex<HashSet<String>>>);

/// A response is under way in a conversation for as long as this exists.
#[derive(Debug)]
pub(crate) struct ConversationLock {
    locked: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl ConversationLocks {
    /// Begins a response in a conversation.
    ///
    /// # Errors
    /// Another one is under way: paulgmiller/careme#379 has the provider's words.
    pub fn lock(&self, id: &str) -> Result<ConversationLock, ApiError> {
        if !locked(&self.0).insert(id.to_owned()) {
            return Err(ApiError::invalid(
                "Another process is currently operating on this conversation. Please retry in a few seconds.",
            )
            .param("conversation")
            .code("conversation_locked"));
        }
        Ok(ConversationLock { locked: Arc::clone(&self.0), id: id.to_owned() })
    }
}

impl Drop for ConversationLock {
    fn drop(&mut self) {
        locked(&self.locked).remove(&self.id);
    }
}

/// A set is whole after every statement, so a panic elsewhere does not spoil it.
fn locked(ids: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    ids.lock().unwrap_or_else(PoisonError::into_inner)
}
