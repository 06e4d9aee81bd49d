//! What a turn has done so far. It is kept outside of the turn's future, because it is needed after
//! the deadline has dropped that.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::alerts::CallbackReason;

use crate::domain::{
    lead::{Lead, LeadId, LeadStatus},
    pace::TurnCost,
    phone::Phone,
    slot::Slot,
    text::count_segments,
    turn::{ConversationMemory, QueueEntry, TurnKey},
};

/// Shared state of a running turn.
#[derive(Default)]
pub(super) struct Progress(Mutex<TurnState>);

/// What closing a failed turn needs to know.
#[derive(Clone, Default)]
pub(super) struct TurnState {
    /// The claim, while this attempt holds it.
    pub(super) claimed: Option<ClaimedTurn>,
    /// The customer had not opted out when the turn began.
    pub(super) opted_in: bool,
    /// This attempt's entry in the conversation's queue.
    pub(super) queue_entry: Option<QueueEntry>,
    /// The turn waited for an earlier text of the same customer.
    pub(super) waited: bool,
    /// Earlier turns; known once the attempt is at the head of the queue.
    pub(super) memory: Option<ConversationMemory>,
    /// Requests to the model so far: the rounds that earlier attempts stored, and this one's.
    pub(super) model_calls: usize,
    /// Confirmations of what was booked, cancelled or moved.
    pub(super) confirmations: Vec<String>,
    /// The change of a booking that is being written. If the turn ends meanwhile, its outcome is
    /// unknown.
    pub(super) pending_change: Option<PendingChange>,
    /// Ids of texts in the outbox that changes of bookings put there.
    pub(super) notifications: Vec<String>,
    /// Why the owner must get back to the customer, although the turn may have an answer.
    pub(super) callback: Option<CallbackReason>,
    /// Twilio has taken a text to the owner that asks for a callback.
    pub(super) owner_told: bool,
    /// The customer opted out by this very text, and its answer is the last one.
    pub(super) ends_conversation: bool,
    /// The answer, once it is stored. From then on the turn has ended, whatever fails.
    pub(super) stored_answer: Option<Vec<String>>,
}

/// A change of a booking, and how its lead looks once it is written.
#[derive(Clone)]
pub(super) struct PendingChange {
    /// First word of its confirmation: `Confirmed`, `Moved` or `Cancelled`.
    pub(super) heading: &'static str,
    pub(super) lead_id: LeadId,
    pub(super) phone: Phone,
    /// The lead's status after the change.
    pub(super) status: LeadStatus,
    /// The lead's slot after the change, if the change sets it.
    pub(super) slot: Option<Slot>,
    /// Ids of the texts that the change puts into the outbox.
    pub(super) notification: Vec<String>,
}

impl PendingChange {
    /// Whether the lead looks as the change leaves it.
    pub(super) fn is_written(&self, lead: &Lead) -> bool {
        lead.phone == self.phone
            && lead.status == self.status
            && self.slot.is_none_or(|slot| lead.slot == slot)
    }
}

impl TurnState {
    /// What the turn has cost when these messages answer it.
    pub(super) fn cost(&self, messages: &[String]) -> TurnCost {
        let segments = messages.iter().map(|message| count_segments(message)).sum();
        TurnCost { model_calls: self.model_calls, segments }
    }
}

/// A claimed turn.
#[derive(Clone)]
pub(super) struct ClaimedTurn {
    pub(super) key: TurnKey,
    pub(super) holder: String,
    /// Business time of the turn's first attempt.
    pub(super) now: Timestamp,
}

impl Progress {
    /// Changes the state.
    pub(super) fn update(&self, change: impl FnOnce(&mut TurnState)) {
        change(&mut self.lock());
    }

    /// A copy of the state.
    pub(super) fn snapshot(&self) -> TurnState {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, TurnState> {
        // No update can stop halfway, so the state behind a poisoned lock is consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
