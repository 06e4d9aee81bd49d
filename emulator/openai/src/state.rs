//! What all requests of a server share.

use std::sync::{
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use super::{
    conversations::ConversationLocks, holding::Holding, options::Options, registry::ScriptRegistry,
    stored_responses::StoredResponses,
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};

/// What all requests of a server share.
#[derive(Debug)]
pub(super) struct ServerState {
    pub options: Options,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    pub registry: ScriptRegistry,
    /// The conversations in which a response is under way.
    pub locks: ConversationLocks,
    pub holding: Holding,
    stored: RwLock<StoredResponses>,
    requests: AtomicU64,
}

impl ServerState {
    pub fn new(
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
        registry: ScriptRegistry,
    ) -> Self {
        let (holding, stored, requests) =
            (Holding::default(), RwLock::default(), AtomicU64::new(0));
        let locks = ConversationLocks::default();
        Self { options, journal, clock, faults, registry, locks, holding, stored, requests }
    }

    /// The stored responses. They are consistent after every statement, so a panic elsewhere does
    /// not spoil them.
    pub fn stored(&self) -> RwLockReadGuard<'_, StoredResponses> {
        self.stored.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stored responses, to change them.
    pub fn stored_mut(&self) -> RwLockWriteGuard<'_, StoredResponses> {
        self.stored.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and returns how many came before it.
    pub fn count_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}
