//! What a turn has done so far, kept outside its future so that it outlives it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::turn::{Memory, TurnKey, Waiting};

/// A turn's progress.
#[derive(Default)]
pub(super) struct Progress(Mutex<State>);

/// What closing a failed turn needs to know.
#[derive(Clone, Default)]
pub(super) struct State {
    /// The claim, while it is ours.
    pub(super) held: Option<Held>,
    /// Another attempt at the same text has it: that one alerts and stores.
    pub(super) waits_for_other: bool,
    /// Our entry in the conversation's queue.
    pub(super) place: Option<Waiting>,
    /// What was said before; known once the conversation is ours.
    pub(super) memory: Option<Memory>,
    /// What the customer must hear of what was booked, cancelled or moved.
    pub(super) lines: Vec<String>,
}

/// A claimed turn.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) key: TurnKey,
    pub(super) holder: String,
    /// Business time of its first attempt.
    pub(super) now: Timestamp,
}

impl Progress {
    /// Changes the state.
    pub(super) fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
    }

    /// The state as it is.
    pub(super) fn snapshot(&self) -> State {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No change can stop halfway, so a poisoned state is still a sound one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
