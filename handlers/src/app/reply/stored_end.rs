//! Stores the end of a turn that has no answer of its own, unless the turn has one by now.

use super::{InboundText, ReplyService, limits::STORE_TIMEOUT, progress::TurnState};
use crate::{
    app::error_chain::ErrorChain,
    domain::{outbox::Callback, turn::TurnEnd},
};

/// What came of storing the end of a turn.
pub(super) enum StoredEnd {
    /// It is stored with its callback.
    Stored,
    /// The turn has this answer already: another attempt's, or one of this attempt whose acknowledgement was
    /// lost.
    Answered(Vec<String>),
    /// It is not known to be stored.
    Failed,
}

impl ReplyService {
    /// Stores the end of the turn with its callback and leaves the queue.
    pub(super) async fn store_end(
        &self,
        text: &InboundText,
        state: &TurnState,
        messages: Vec<String>,
        callback: Option<&Callback>,
    ) -> StoredEnd {
        let stored = self.try_store_end(text, state, messages, callback);
        self.with_timeout(STORE_TIMEOUT, stored).await.unwrap_or_else(|| {
            tracing::warn!(sid = text.sid, "storing the end of the turn timed out");
            StoredEnd::Failed
        })
    }

    async fn try_store_end(
        &self,
        text: &InboundText,
        state: &TurnState,
        messages: Vec<String>,
        callback: Option<&Callback>,
    ) -> StoredEnd {
        let Some(claimed) = &state.claimed else {
            // Another attempt holds the turn, or the turn could not be claimed.
            let Some(callback) = callback else { return StoredEnd::Stored };
            return match self.ports.store.keep_callback(callback).await {
                Ok(()) => StoredEnd::Stored,
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "failed to store a callback");
                    StoredEnd::Failed
                }
            };
        };
        // Memory is known only to the attempt at the head of the queue, which alone may change it.
        let memory = state.memory.clone().filter(|_| !messages.is_empty()).map(|memory| {
            let memory = memory.with_cost(state.cost(&messages));
            memory.with(text.content(), messages.join("\n"), claimed.now)
        });
        let end = TurnEnd {
            key: claimed.key.clone(),
            holder: claimed.holder.clone(),
            now: claimed.now,
            messages,
            dequeue: state.queue_entry.clone().filter(|_| state.memory.is_some()),
            memory,
            callback: callback.cloned(),
            late_answer: None,
        };
        let (finished, left) = futures::join!(self.ports.store.finish_turn(&end), async {
            match (&state.queue_entry, &end.dequeue) {
                (Some(entry), None) => self.leave_queue(&text.phone, entry).await,
                _ => Ok(()),
            }
        });
        if let Err(error) = left {
            tracing::warn!(error = %ErrorChain(&error), "failed to leave the queue");
        }
        match finished {
            Ok(true) => StoredEnd::Stored,
            // Another attempt has taken the turn over, so nothing is known of a callback.
            Ok(false) => {
                let left = self.leave_queue_after_failure(&text.phone, end.dequeue.as_ref());
                match futures::join!(left, self.ports.store.turn_answer(&end.key)) {
                    ((), Ok(Some(messages))) => StoredEnd::Answered(messages),
                    ((), Ok(None) | Err(_)) => StoredEnd::Failed,
                }
            }
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to store the end of the turn");
                self.leave_queue_after_failure(&text.phone, end.dequeue.as_ref()).await;
                StoredEnd::Failed
            }
        }
    }
}
