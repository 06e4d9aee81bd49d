//! Ends a turn that has no answer of its own.

use super::{
    InboundText, ReplyService, TurnError,
    alerts::CallbackReason,
    late::HandOverOutcome,
    limits::{CLOSE_TIMEOUT, READ_TIMEOUT, VERIFY_TIMEOUT},
    progress::{Progress, TurnState},
    reply_text::reply_text,
    stored_end::StoredEnd,
    tool_outcome::ToolOutcome,
};
use crate::{
    app::error_chain::ErrorChain,
    domain::{booking::Booking, opt_out::Keyword, outbox::Callback, text, turn::TurnKey},
    ports::ModelError,
};

/// What is known of the customer's wish to hear nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OptOut {
    In,
    Out,
    Unreadable,
}

/// How a turn without an answer of its own ended.
enum Closed {
    /// What the customer wanted is done or will be, or they want to hear nothing.
    Answered(Vec<String>),
    /// Nobody but the owner can answer.
    FellBack(Vec<String>),
}

impl TurnError {
    /// The error's name in logs.
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
            Self::QueueFull => "queue_full",
        }
    }

    /// Whether other texts of the same customer kept the turn from being answered.
    pub(super) fn is_of_a_crowd(&self, state: &TurnState) -> bool {
        match self {
            Self::QueueFull => true,
            // The memory is read at the head of the queue.
            Self::Deadline => state.waited && state.memory.is_none(),
            _ => false,
        }
    }
}

impl ReplyService {
    /// Returns what is said instead of an answer. A callback is promised only once it is stored, or
    /// once Twilio has taken the owner's text.
    pub(super) async fn fall_back(
        &self,
        text: &InboundText,
        progress: &Progress,
        error: &TurnError,
    ) -> Vec<String> {
        if let Some(answer) = progress.snapshot().stored_answer {
            tracing::info!(sid = text.sid, "the answer was stored before the turn was over");
            return answer;
        }
        tracing::warn!(
            customer = text.phone.masked(),
            sid = text.sid,
            cause = error.cause(),
            error = %ErrorChain(error),
            "the turn has no answer of its own"
        );
        if text.keyword() == Some(Keyword::Stop) {
            return Vec::new();
        }
        let closed = self.with_timeout(CLOSE_TIMEOUT, self.close(text, progress, error)).await;
        // Each part of closing has a time of its own, and together they fit; but a busy machine may
        // be late for all of them.
        let closed = closed.unwrap_or_else(|| {
            tracing::error!(sid = text.sid, "closing the turn timed out");
            let state = progress.snapshot();
            Closed::FellBack(if state.owner_told {
                text::split_into_messages(&promise(&state))
            } else if state.opted_in {
                text::split_into_messages(&state.without_promise())
            } else {
                Vec::new()
            })
        });
        match closed {
            Closed::Answered(messages) => messages,
            Closed::FellBack(messages) => {
                // An alarm counts these lines.
                tracing::error!(
                    sid = text.sid,
                    cause = error.cause(),
                    "the turn failed, falling back"
                );
                messages
            }
        }
    }

    async fn close(&self, text: &InboundText, progress: &Progress, error: &TurnError) -> Closed {
        let ((), opt_out, owner_reachable, answered) = futures::join!(
            self.verify_pending_change(progress),
            self.read_opt_out(text, progress),
            self.owner_is_reachable(),
            self.answer_of_another_attempt(text, progress)
        );
        let state = progress.snapshot();
        if let (OptOut::In, Some(messages)) = (opt_out, answered) {
            return Closed::Answered(messages);
        }
        if opt_out == OptOut::Out {
            self.store_end(text, &state, Vec::new(), None).await;
            return Closed::Answered(Vec::new());
        }
        if opt_out == OptOut::Unreadable {
            let reason = CallbackReason::OptOutUnreadable;
            let callback = self.callback(text, &reason, owner_reachable);
            match self.store_end(text, &state, Vec::new(), Some(&callback)).await {
                StoredEnd::Stored => {
                    self.send_texts(&callback.notification, &state, text.now).await;
                    return Closed::FellBack(Vec::new());
                }
                StoredEnd::Answered(_) => return Closed::Answered(Vec::new()),
                StoredEnd::Failed => {}
            }
            // Nothing can be stored either. A customer who has just written hears that much; Twilio
            // itself stops texts to those who sent STOP.
            let answer = self.answer_without_tables(progress, &callback).await;
            return Closed::FellBack(answer);
        }
        // What exists at the deadline is confirmed at once; anything else may still be finished.
        let unfinished = state.pending_change.is_some() || state.confirmations.is_empty();
        if matches!(error, TurnError::Deadline) && opt_out == OptOut::In && unfinished {
            match self.hand_over(text, progress).await {
                HandOverOutcome::Answer(messages) => return Closed::Answered(messages),
                HandOverOutcome::Impossible | HandOverOutcome::Failed => {}
                // There is no time for another attempt at the tables.
                HandOverOutcome::TimedOut => {
                    let state = progress.snapshot();
                    let reason = no_answer(&state, error);
                    let (entry, callback) =
                        (state.queue_entry, self.callback(text, &reason, owner_reachable));
                    let (answer, ()) = futures::join!(
                        self.answer_without_tables(progress, &callback),
                        self.leave_queue_after_failure(&text.phone, entry.as_ref())
                    );
                    return Closed::FellBack(answer);
                }
            }
        }
        if error.is_of_a_crowd(&state)
            && let Some(closed) = self.close_crowded(text, progress, error, owner_reachable).await
        {
            return closed;
        }
        // Handing over may have renewed the place in the queue.
        let state = progress.snapshot();
        let reason = if state.pending_change.is_some() || state.confirmations.is_empty() {
            Some(no_answer(&state, error))
        } else {
            // What the customer wanted is done, and the confirmation says so.
            state.callback.clone()
        };
        let Some(reason) = reason else {
            let answer = reply_text("", &state.confirmations, &Default::default());
            let answer = text::split_into_messages(&answer);
            let answer = match self.store_end(text, &state, answer.clone(), None).await {
                // Which may know more: a booking can have been moved since.
                StoredEnd::Answered(messages) => messages,
                StoredEnd::Stored | StoredEnd::Failed => answer,
            };
            self.send_texts(&[], &state, text.now).await;
            return Closed::Answered(answer);
        };
        let callback = self.callback(text, &reason, owner_reachable);
        let answer = if callback.notification.is_empty() {
            state.without_promise()
        } else {
            promise(&state)
        };
        let answer = text::split_into_messages(&answer);
        match self.store_end(text, &state, answer.clone(), Some(&callback)).await {
            StoredEnd::Stored => {
                self.send_texts(&callback.notification, &state, text.now).await;
                return Closed::FellBack(answer);
            }
            StoredEnd::Answered(messages) => return Closed::Answered(messages),
            StoredEnd::Failed => {}
        }
        Closed::FellBack(self.answer_without_tables(progress, &callback).await)
    }

    /// Ends a turn that other texts of the same customer kept from being answered. Its words are kept,
    /// and of the first such text within an hour the owner hears. `None` when that cannot be stored in
    /// time: the turn ends like any other then.
    async fn close_crowded(
        &self,
        text: &InboundText,
        progress: &Progress,
        error: &TurnError,
        owner_reachable: bool,
    ) -> Option<Closed> {
        // Handing over may have renewed the place in the queue.
        let state = progress.snapshot();
        let mut callback = self.callback(text, &CallbackReason::Crowded, owner_reachable);
        let notification = std::mem::take(&mut callback.notification);
        let told = self.ports.store.enqueue_once(&notification);
        match self.with_timeout(READ_TIMEOUT, told).await {
            Some(Ok(is_first)) => {
                // Who floods us gets no answer to each text; who waited for one does.
                let is_silent = matches!(error, TurnError::QueueFull);
                let answer = match (notification.is_empty(), is_silent) {
                    (true, _) => state.without_promise(),
                    (false, true) => String::new(),
                    (false, false) => promise(&state),
                };
                let answer = text::split_into_messages(&answer);
                match self.store_end(text, &state, answer.clone(), Some(&callback)).await {
                    StoredEnd::Stored => {
                        if is_first {
                            self.send_texts(&notification, &state, text.now).await;
                        }
                        return Some(if answer.is_empty() {
                            Closed::Answered(answer)
                        } else {
                            Closed::FellBack(answer)
                        });
                    }
                    StoredEnd::Answered(messages) => return Some(Closed::Answered(messages)),
                    StoredEnd::Failed => {}
                }
            }
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to store what the owner is told of a flood");
            }
            None => tracing::warn!("storing what the owner is told of a flood timed out"),
        }
        None
    }

    /// Tells the owner first, and promises a callback only if Twilio took that text. It is the text of the
    /// callback that may have been stored, so that the outbox finds it sent.
    async fn answer_without_tables(&self, progress: &Progress, callback: &Callback) -> Vec<String> {
        let state = progress.snapshot();
        let told = self.send_to_owner(&callback.notification).await;
        progress.update(|state| state.owner_told = told);
        let answer = if told { promise(&state) } else { state.without_promise() };
        text::split_into_messages(&answer)
    }

    /// Someone who opted out must hear nothing, so neither does a customer of whom this cannot be
    /// read.
    async fn read_opt_out(&self, text: &InboundText, progress: &Progress) -> OptOut {
        let unreadable = if progress.snapshot().opted_in { OptOut::In } else { OptOut::Unreadable };
        match self.with_timeout(READ_TIMEOUT, self.ports.store.opted_out(&text.phone)).await {
            Some(Ok(false)) => OptOut::In,
            Some(Ok(true)) => OptOut::Out,
            Some(Err(error)) => {
                tracing::error!(error = %ErrorChain(&error), "failed to read the opt-out");
                unreadable
            }
            None => {
                tracing::error!("reading the opt-out timed out");
                unreadable
            }
        }
    }

    /// Finds out whether the change that was being written is there. If so, the customer is told.
    pub(super) async fn verify_pending_change(&self, progress: &Progress) {
        let Some(change) = progress.snapshot().pending_change else { return };
        match self.with_timeout(VERIFY_TIMEOUT, self.ports.store.lead(&change.lead_id)).await {
            Some(Ok(Some(lead))) if change.is_written(&lead) => {
                let confirmation =
                    ToolOutcome::change(change.heading, &Booking::from(&lead)).confirmation;
                progress.update(|state| {
                    state.confirmations.extend(confirmation);
                    state.notifications.extend(change.notification.iter().cloned());
                    state.pending_change = None;
                });
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

    /// What another attempt has answered, when this one does not hold the turn.
    async fn answer_of_another_attempt(
        &self,
        text: &InboundText,
        progress: &Progress,
    ) -> Option<Vec<String>> {
        if progress.snapshot().claimed.is_some() {
            return None;
        }
        let key = TurnKey { phone: text.phone.clone(), sid: text.sid.clone() };
        match self.with_timeout(READ_TIMEOUT, self.ports.store.turn_answer(&key)).await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to read what another attempt answered");
                None
            }
            None => None,
        }
    }
}

/// Why the owner is asked to answer a turn that has no answer.
fn no_answer(state: &TurnState, error: &TurnError) -> CallbackReason {
    match state.pending_change {
        Some(_) => CallbackReason::NoAnswerDuringChange(error.to_string()),
        None => CallbackReason::NoAnswer(error.to_string()),
    }
}

/// The promise of a callback, followed by the confirmations of what was done all the same.
fn promise(state: &TurnState) -> String {
    reply_text(text::FALLBACK_REPLY, &state.confirmations, &Default::default())
}
