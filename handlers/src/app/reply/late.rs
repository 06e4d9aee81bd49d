//! Turns that take longer than Twilio waits: handed over at the deadline, finished outside of the
//! webhook.
//!
//! The webhook is answered by one holding text, or by none behind an earlier text. The turn's answer
//! goes out by the outbox, at most once, because it is stored in the transaction that ends the turn.
//! A turn that cannot be finished either ends with a callback, so the customer is not forgotten.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    InboundText, ReplyService, TurnError,
    alerts::CallbackReason,
    limits::{
        LATE_ATTEMPTS, LATE_DEADLINE_FACTOR, LATE_ENTRY, MAX_LATE_AGE, SEND_TIMEOUT, STORE_TIMEOUT,
    },
    progress::{ClaimedTurn, Progress},
    reply_text::reply_text,
    run_alongside,
    turn::Attempt,
};
use crate::{
    app::{current_calendar::current_calendar, error_chain::ErrorChain},
    domain::{
        background::BackgroundTask,
        outbox::OutboxText,
        pace::{Attention, TurnCost},
        phone::Phone,
        text::{self, FALLBACK_REPLY, HOLDING_REPLY},
        turn::{
            ConversationItem, ConversationMemory, HandOver, LateTurn, QueueEntry, StoredRound,
            TurnEnd, TurnKey,
        },
    },
    ports::StoreError,
    tools,
};

/// Why a turn that was handed over is not finished yet. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum LateTurnError {
    /// The tables failed.
    #[error("the tables failed")]
    Store(#[from] StoreError),
    /// There is no answer yet.
    #[error("the turn has no answer yet: {0}")]
    NoAnswer(String),
}

/// What came of handing a turn over.
pub(super) enum HandOverOutcome {
    /// The webhook is answered with this: the holding text, or what another attempt has stored.
    Answer(Vec<String>),
    /// Nobody finishes turns later, or this attempt does not hold the turn.
    Impossible,
    /// It is not stored that the turn must be finished, and the tables said so.
    Failed,
    /// It is not known to be stored that the turn must be finished: the tables did not answer.
    TimedOut,
}

impl ReplyService {
    /// Hands the turn over at its deadline.
    pub(super) async fn hand_over(
        &self,
        text: &InboundText,
        progress: &Progress,
    ) -> HandOverOutcome {
        let state = progress.snapshot();
        let Some(claimed) = state.claimed.as_ref().filter(|_| self.settings.late_replies) else {
            return HandOverOutcome::Impossible;
        };
        // A customer whose earlier text was answered meanwhile, or is being answered, has heard of
        // us; a holding text between the answers would confuse.
        let messages = if state.waited { Vec::new() } else { vec![HOLDING_REPLY.to_owned()] };
        let hand_over = HandOver {
            key: claimed.key.clone(),
            holder: claimed.holder.clone(),
            now: claimed.now,
            messages,
        };
        let store = async {
            // Before the turn is handed over: afterwards its place belongs to whoever finishes it.
            if let Err(error) = self.keep_place(&text.phone, progress).await {
                tracing::warn!(error = %ErrorChain(&error), "failed to keep the place in the queue");
            }
            if self.ports.store.hand_over(&hand_over).await? {
                return Ok(Ok(()));
            }
            Ok::<_, StoreError>(Err(self.ports.store.turn_answer(&claimed.key).await?))
        };
        match self.with_timeout(STORE_TIMEOUT, store).await {
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(Some(messages)))) => return HandOverOutcome::Answer(messages),
            Some(Ok(Err(None))) => {
                tracing::warn!(sid = text.sid, "another attempt has the turn and no answer yet");
                return HandOverOutcome::Failed;
            }
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to hand a turn over");
                return HandOverOutcome::Failed;
            }
            None => {
                tracing::warn!(sid = text.sid, "handing a turn over timed out");
                return HandOverOutcome::TimedOut;
            }
        }
        let task = BackgroundTask::FinishTurn { key: claimed.key.clone(), now: text.now };
        match self.with_timeout(SEND_TIMEOUT, self.ports.background.start(&task)).await {
            Some(Ok(())) => tracing::info!(sid = text.sid, "handed over at the deadline"),
            // The schedule finds it.
            Some(Err(error)) => {
                tracing::error!(error = %ErrorChain(error.as_ref()), "failed to start a late reply");
            }
            None => tracing::error!("starting a late reply timed out"),
        }
        HandOverOutcome::Answer(hand_over.messages)
    }

    /// Makes this attempt's place in the queue last until the turn is finished.
    async fn keep_place(&self, phone: &Phone, progress: &Progress) -> Result<(), StoreError> {
        let Some(entry) = progress.snapshot().queue_entry else { return Ok(()) };
        if let Some(kept) = self.renew_place(phone, &entry).await? {
            progress.update(|state| state.queue_entry = Some(kept));
        }
        Ok(())
    }

    /// Replaces an entry by one that lasts as long as a late turn may be tried; `None` when it has
    /// no place.
    async fn renew_place(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<Option<QueueEntry>, StoreError> {
        let renewed = QueueEntry { sid: entry.sid.clone(), until_ms: self.unix_ms_in(LATE_ENTRY) };
        // The queue may change between the read and the write.
        for _ in 0..3 {
            let queue = self.ports.store.queue(phone).await?;
            let Some(position) = queue.iter().position(|other| other == entry) else { break };
            if self.ports.store.replace_in_queue(phone, position, entry, &renewed).await? {
                return Ok(Some(renewed));
            }
        }
        Ok(None)
    }

    /// Finishes every turn that was handed over and is not being finished: one of each customer,
    /// the oldest, because the next waits for it in the queue. What cannot be finished is left for
    /// the next call.
    ///
    /// # Errors
    /// When the turns cannot be listed.
    pub async fn finish_late_turns(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut customers = BTreeSet::new();
        let mut oldest = self.ports.store.late_turns().await?;
        oldest.retain(|key| customers.insert(key.phone.clone()));
        let finish = |key: TurnKey| async move {
            if let Err(error) = self.finish_late_turn(&key, now).await {
                tracing::error!(sid = key.sid, error = %ErrorChain(&error), "a late reply failed");
            }
        };
        futures::future::join_all(oldest.into_iter().map(finish)).await;
        Ok(())
    }

    /// Finishes a turn that was handed over, unless it is finished or somebody else is at it.
    ///
    /// # Errors
    /// When it is not finished and another attempt is worth it.
    pub async fn finish_late_turn(
        &self,
        key: &TurnKey,
        now: Timestamp,
    ) -> Result<(), LateTurnError> {
        let holder = self.ports.ids.generate();
        let (unix_ms, until_ms) = (self.unix_ms(), self.unix_ms_in(self.settings.lease));
        let claimed = self.ports.store.claim_late_turn(key, &holder, unix_ms, until_ms).await;
        if let Err(StoreError::Malformed { .. }) = &claimed {
            let body = format!(
                "{} was promised an answer, but their text cannot be read. Please text them back.",
                key.phone.as_str()
            );
            self.alert(&format!("late-unreadable#{}", key.sid), &body, now).await;
        }
        let claimed = claimed?;
        let Some(LateTurn { record, text, earlier_attempts, waited }) = claimed else {
            return Ok(());
        };
        let text = InboundText {
            phone: key.phone.clone(),
            sid: key.sid.clone(),
            body: text.body,
            media: text.media,
            media_urls: text.media_urls,
            opt_out_type: None,
            now: record.now,
            received_ms: unix_ms,
        };
        let progress = Progress::default();
        progress.update(|state| {
            let claimed = ClaimedTurn { key: key.clone(), holder: holder.clone(), now: record.now };
            state.claimed = Some(claimed);
            // Replaced when the rounds are replayed; needed when that fails.
            state.confirmations =
                record.rounds.iter().flat_map(|round| round.confirmations.clone()).collect();
        });
        let entry = self.place_of(&text).await?;
        let attempt = Attempt::late(&text, key.clone(), holder, entry);
        let too_old = now.duration_since(record.now) > MAX_LATE_AGE;
        if too_old || earlier_attempts >= LATE_ATTEMPTS {
            let error = TurnError::Deadline.to_string();
            let reason = if record.rounds.last().is_some_and(is_changing_a_booking) {
                CallbackReason::NoAnswerDuringChange(error)
            } else if waited && record.rounds.is_empty() {
                CallbackReason::Crowded
            } else {
                CallbackReason::NoAnswer(error)
            };
            return Ok(self.give_up(&attempt, &progress, &reason).await?);
        }
        let run = async {
            let store = self.ports.store.as_ref();
            let (owner, calendar) = current_calendar(store, &self.calendar).await?;
            self.converse(&attempt, record, (&owner, &calendar), &progress).await
        };
        let run = run_alongside(Box::pin(run), Box::pin(self.keep_renewing_claim(&progress)));
        let deadline = self.settings.deadline * LATE_DEADLINE_FACTOR;
        let error = match self.with_timeout(deadline, run).await {
            Some(Ok(_)) => return Ok(()),
            // Somebody else finishes it.
            Some(Err(TurnError::ClaimLost)) => return Ok(()),
            Some(Err(error)) => error,
            None => TurnError::Deadline,
        };
        if progress.snapshot().stored_answer.is_some() {
            return Ok(());
        }
        tracing::warn!(sid = key.sid, error = %ErrorChain(&error), "a late reply has no answer");
        self.verify_pending_change(&progress).await;
        let state = progress.snapshot();
        if !state.confirmations.is_empty() && state.pending_change.is_none() {
            // What the customer wanted is done, and the confirmation says so.
            let answer = reply_text("", &state.confirmations, &Default::default());
            let messages = text::split_into_messages(&answer);
            let finished = self.finish(&attempt, &progress, messages, true).await;
            return finished
                .map(|_| ())
                .map_err(|error| LateTurnError::NoAnswer(error.to_string()));
        }
        if earlier_attempts + 1 >= LATE_ATTEMPTS {
            let reason = if state.pending_change.is_some() {
                CallbackReason::NoAnswerDuringChange(error.to_string())
            } else if error.is_of_a_crowd(&state) {
                CallbackReason::Crowded
            } else {
                CallbackReason::NoAnswer(error.to_string())
            };
            return Ok(self.give_up(&attempt, &progress, &reason).await?);
        }
        // The next attempt need not wait for the claim to end.
        self.ports.store.renew_turn(key, &attempt.holder, self.unix_ms() - 1).await?;
        Err(LateTurnError::NoAnswer(error.to_string()))
    }

    /// The turn's place in the queue, or a new one if it has none.
    async fn place_of(&self, text: &InboundText) -> Result<QueueEntry, StoreError> {
        let queue = self.ports.store.queue(&text.phone).await?;
        let renewed = match queue.into_iter().find(|entry| entry.sid == text.sid) {
            // What is left of it may be that of the webhook's attempt.
            Some(entry) => self.renew_place(&text.phone, &entry).await?,
            None => None,
        };
        Ok(renewed.unwrap_or_else(|| QueueEntry {
            sid: text.sid.clone(),
            until_ms: self.unix_ms_in(LATE_ENTRY),
        }))
    }

    /// Ends the turn with a callback.
    async fn give_up(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
        reason: &CallbackReason,
    ) -> Result<(), StoreError> {
        let (text, state) = (attempt.text, progress.snapshot());
        // An alarm counts these lines.
        tracing::error!(sid = text.sid, "the turn failed, falling back");
        let mut callback = self.callback(text, reason, self.owner_is_reachable().await);
        let answer = if callback.notification.is_empty() {
            state.without_promise()
        } else {
            reply_text(FALLBACK_REPLY, &state.confirmations, &Default::default())
        };
        let messages = text::split_into_messages(&answer);
        let late_answer = late_texts(text, &messages, false);
        let mut texts = callback.notification.clone();
        if *reason == CallbackReason::Crowded {
            callback.notification.clear();
            if !self.ports.store.enqueue_once(&texts).await? {
                texts.clear();
            }
        }
        texts.extend(late_answer.iter().cloned());
        let memory = match &state.memory {
            // Only the attempt at the head of the queue may change it.
            None => None,
            Some(_) => self.counted_memory(text, state.cost(&messages)).await,
        };
        let end = TurnEnd {
            key: attempt.key.clone(),
            holder: attempt.holder.clone(),
            now: text.now,
            messages: Vec::new(),
            memory,
            dequeue: Some(attempt.queue_entry.clone()),
            callback: Some(callback),
            late_answer: Some(late_answer),
        };
        if self.ports.store.finish_turn(&end).await? {
            self.send_texts(&texts, &state, text.now).await;
        }
        Ok(())
    }

    /// The memory as it is now, with a turn that is given up counted: it has cost as much as others.
    async fn counted_memory(
        &self,
        text: &InboundText,
        cost: TurnCost,
    ) -> Option<ConversationMemory> {
        match self.ports.store.memory(&text.phone).await {
            Ok(mut memory) => {
                let (pace, attention) = memory.pace.next(self.settings.turn_limits, text.now);
                // Nobody was told that there are no more answers.
                if attention == Attention::Answer {
                    memory.pace = pace;
                }
                Some(memory.with_cost(cost))
            }
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "a turn that is given up is not counted");
                None
            }
        }
    }
}

/// Whether the round's calls change a booking and their outcome is not stored.
fn is_changing_a_booking(round: &StoredRound) -> bool {
    let changes = |item: &ConversationItem| match item {
        ConversationItem::Call { name, .. } => tools::changes_a_booking(name),
        _ => false,
    };
    round.results.is_empty() && round.items.iter().any(changes)
}

/// The answer of a turn that was handed over, for the outbox. Its id is the turn's, so that there
/// is one answer at most.
pub(super) fn late_texts(
    text: &InboundText,
    messages: &[String],
    despite_opt_out: bool,
) -> Vec<OutboxText> {
    messages
        .iter()
        .enumerate()
        .map(|(part, body)| OutboxText {
            id: format!("late#{}#{part}", text.sid),
            to: text.phone.clone(),
            body: body.clone(),
            created: text.now,
            despite_opt_out,
        })
        .collect()
}
