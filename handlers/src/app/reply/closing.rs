//! Ends a turn that has no answer of its own.

use super::{
    InboundText, ReplyService, TurnError,
    limits::{CLOSE_TIMEOUT, VERIFY_TIMEOUT},
    progress::{Progress, TurnState},
    reply_text::reply_text,
    tool_outcome::ToolOutcome,
};
use crate::{
    app::error_chain::ErrorChain,
    domain::{booking::Booking, opt_out::Keyword, text, turn::TurnEnd},
    ports::ModelError,
};

impl TurnError {
    /// The error's name in logs and in the limit of alerts.
    fn cause(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Credential(_) => "credential",
            Self::Model(ModelError::Unavailable(_)) => "model_unavailable",
            Self::Model(ModelError::Rejected(_)) => "model_rejected",
            Self::Model(ModelError::Refused) => "model_refused",
            Self::Model(ModelError::Filtered) => "model_filtered",
            Self::Model(ModelError::Incomplete) => "model_incomplete",
            Self::Model(ModelError::Empty) => "model_empty",
            Self::NothingToSay => "nothing_to_say",
            Self::RoundsExhausted => "rounds_exhausted",
            Self::Deadline => "deadline",
            Self::ClaimLost => "lost",
        }
    }
}

impl ReplyService {
    /// Returns the fallback. Stores it and alerts the owner as far as the time left allows.
    pub(super) async fn fall_back(
        &self,
        text: &InboundText,
        progress: &Progress,
        error: &TurnError,
    ) -> Vec<String> {
        let state = progress.snapshot();
        let cause = error.cause();
        tracing::error!(
            customer = text.phone.masked(),
            sid = text.sid,
            cause,
            error = %ErrorChain(error),
            "the turn failed, falling back"
        );
        if text.keyword() == Some(Keyword::Stop) {
            return Vec::new();
        }
        let alert = async {
            // Otherwise the attempt that holds the turn alerts.
            if !state.waits_for_other_attempt {
                let phone = text.phone.as_str();
                let body = if state.pending_change.is_none() {
                    format!("{phone} got no answer ({error}). Please text them back.")
                } else {
                    format!(
                        "{phone} got no answer ({error}) while their booking was being changed. \
                         Please check it and text them back."
                    )
                };
                self.alert(cause, &body, text.now).await;
            }
        };
        let close = async {
            self.verify_pending_change(progress).await;
            self.close(text, &progress.snapshot()).await
        };
        let work = async { futures::join!(close, alert).0 };
        let opted_out = self.with_timeout(CLOSE_TIMEOUT, work).await;
        if opted_out.is_none() {
            tracing::warn!(sid = text.sid, "closing the turn timed out");
        }
        if opted_out == Some(true) {
            return Vec::new();
        }
        text::split_into_messages(&fallback(&progress.snapshot()))
    }

    /// Finds out whether the change that was being written is there. If so, the customer is told.
    async fn verify_pending_change(&self, progress: &Progress) {
        let Some(change) = progress.snapshot().pending_change else { return };
        match self.with_timeout(VERIFY_TIMEOUT, self.ports.store.lead(&change.lead_id)).await {
            Some(Ok(Some(lead))) if change.is_written(&lead) => {
                let confirmation =
                    ToolOutcome::change(change.heading, &Booking::from(&lead)).confirmation;
                progress.update(|state| state.confirmations.extend(confirmation));
            }
            Some(Ok(_)) => {
                tracing::warn!("a pending change of a booking is not written yet");
            }
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to verify a pending change");
            }
            None => tracing::warn!("verifying a pending change timed out"),
        }
    }

    /// Reads once more whether the customer opted out, stores the fallback and leaves the queue.
    /// Returns whether the customer opted out.
    async fn close(&self, text: &InboundText, state: &TurnState) -> bool {
        let store = &self.ports.store;
        let opted_out = match store.opted_out(&text.phone).await {
            Ok(opted_out) => opted_out,
            // The customer has just written something other than STOP, and Twilio blocks texts to
            // anyone who opted out.
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to read the opt-out, answering the text");
                false
            }
        };
        let Some(claimed) = &state.claimed else { return opted_out };
        let answer = fallback(state);
        // Memory is known only to the attempt at the head of the queue, which alone may change it.
        let memory = state.memory.clone().map(|memory| memory.with(text.content(), answer.clone()));
        let end = TurnEnd {
            key: claimed.key.clone(),
            holder: claimed.holder.clone(),
            now: claimed.now,
            messages: if opted_out { Vec::new() } else { text::split_into_messages(&answer) },
            dequeue: state.queue_entry.clone().filter(|_| memory.is_some()),
            memory,
        };
        let (finished, left) = futures::join!(store.finish_turn(&end), async {
            match (&state.queue_entry, &end.dequeue) {
                (Some(entry), None) => self.leave_queue(&text.phone, entry).await,
                _ => Ok(()),
            }
        });
        if let Err(error) = left {
            tracing::warn!(error = %ErrorChain(&error), "failed to leave the queue");
        }
        if let Err(error) = finished {
            tracing::warn!(error = %ErrorChain(&error), "failed to store the fallback");
            self.leave_queue_after_failure(&end).await;
        }
        opted_out
    }
}

/// The fallback, followed by the confirmations of what was done all the same.
fn fallback(state: &TurnState) -> String {
    reply_text(text::FALLBACK_REPLY, &state.confirmations, &Default::default())
}
