//! What a turn has done so far, kept outside its future so that it outlives it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::{
    lead::{Lead, LeadId, LeadStatus},
    phone::Phone,
    slot::Slot,
    turn::{ConversationMemory, QueueEntry, TurnKey},
};

/// A turn's progress.
#[derive(Default)]
pub(super) struct Progress(Mutex<TurnState>);

/// What closing a failed turn needs to know.
#[derive(Clone, Default)]
pub(super) struct TurnState {
    /// The claim, while it is ours.
    pub(super) claimed: Option<ClaimedTurn>,
    /// Another attempt at the same text has it: that one alerts and stores.
    pub(super) waits_for_other_attempt: bool,
    /// Our entry in the conversation's queue.
    pub(super) queue_entry: Option<QueueEntry>,
    /// What was said before; known once the conversation is ours.
    pub(super) memory: Option<ConversationMemory>,
    /// What the customer must hear of what was booked, cancelled or moved.
    pub(super) confirmations: Vec<String>,
    /// The change of a booking that is being written. A turn that ends meanwhile does not know
    /// whether it was.
    pub(super) pending_change: Option<PendingChange>,
}

/// A change of a booking, as its lead shows it once it is written.
#[derive(Clone)]
pub(super) struct PendingChange {
    /// What the customer is told of it.
    pub(super) what: &'static str,
    pub(super) lead_id: LeadId,
    pub(super) phone: Phone,
    /// The lead's status afterwards.
    pub(super) status: LeadStatus,
    /// The lead's appointment afterwards, when the change decides it.
    pub(super) slot: Option<Slot>,
}

impl PendingChange {
    /// Whether the lead is as the change leaves it.
    pub(super) fn is_written(&self, lead: &Lead) -> bool {
        lead.phone == self.phone
            && lead.status == self.status
            && self.slot.is_none_or(|slot| lead.slot == slot)
    }
}

/// A claimed turn.
#[derive(Clone)]
pub(super) struct ClaimedTurn {
    pub(super) key: TurnKey,
    pub(super) holder: String,
    /// Business time of its first attempt.
    pub(super) now: Timestamp,
}

impl Progress {
    /// Changes the state.
    pub(super) fn update(&self, change: impl FnOnce(&mut TurnState)) {
        change(&mut self.lock());
    }

    /// The state as it is.
    pub(super) fn snapshot(&self) -> TurnState {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, TurnState> {
        // No change can stop halfway, so a poisoned state is still a sound one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
