//! Claims a text, runs its conversation and stores the answer.

use std::time::Duration;

use super::{
    InboundText, ReplyService, TurnError,
    alerts::CallbackReason,
    late::late_texts,
    limits::{POLLS_PER_CLAIM, PollDelays, QUEUE_ENTRY_MARGIN, READ_TIMEOUT, RENEWALS_PER_LEASE},
    progress::{ClaimedTurn, Progress},
    reply_text::{checked_text, reply_text},
    rounds::{Conversation, ConversationResult},
    safety_identifier::safety_identifier,
};
use crate::{
    app::{current_calendar::current_calendar, error_chain::ErrorChain},
    domain::{
        calendar::Calendar,
        digest::sha256_hex,
        outbox::OutboxText,
        owner::OwnerState,
        pace::{Attention, loop_since},
        text::{self, ASSISTANT_OFF_REPLY, TOO_MANY_TEXTS_REPLY},
        turn::{ConversationMemory, NewClaim, QueueEntry, TurnEnd, TurnKey, TurnRecord, TurnText},
    },
    ports::{StoreError, TurnClaim},
};

/// Most characters of a customer's text that the owner is told when they get no more answers.
const MAX_QUOTED_CHARS: usize = 200;

impl InboundText {
    /// The text as the model and the memory get it: the customer's words and a note about pictures.
    pub(super) fn content(&self) -> String {
        let pictures = match self.media {
            0 => String::new(),
            1 => "1 picture".to_owned(),
            n => format!("{n} pictures"),
        };
        match (self.body.trim().is_empty(), self.media) {
            (true, 0) => "[no text]".to_owned(),
            (true, _) => format!("[{pictures}, no text]"),
            (false, 0) => self.body.clone(),
            (false, _) => format!("{}\n[{pictures}]", self.body),
        }
    }
}

/// One attempt at a turn.
pub(super) struct Attempt<'a> {
    pub(super) text: &'a InboundText,
    pub(super) key: TurnKey,
    pub(super) holder: String,
    /// This attempt's entry in the conversation's queue.
    pub(super) queue_entry: QueueEntry,
    /// The turn was handed over, and its webhook has been answered.
    late: bool,
}

impl<'a> Attempt<'a> {
    /// An attempt to finish a turn that was handed over.
    pub(super) fn late(
        text: &'a InboundText,
        key: TurnKey,
        holder: String,
        queue_entry: QueueEntry,
    ) -> Self {
        Self { text, key, holder, queue_entry, late: true }
    }
}

impl ReplyService {
    /// Runs the turn. The future may be dropped at any await.
    pub(super) async fn run_turn(
        &self,
        text: &InboundText,
        progress: &Progress,
    ) -> Result<Vec<String>, TurnError> {
        let attempt = self.attempt(text);
        if self.handle_keyword(&attempt, progress).await? {
            return Ok(Vec::new());
        }
        let store = &self.ports.store;
        let (opted_out, claimed, owner) = futures::join!(
            store.opted_out(&text.phone),
            self.claim(&attempt, progress),
            current_calendar(store.as_ref(), &self.calendar)
        );
        progress.update(|state| state.opted_in = matches!(opted_out, Ok(false)));
        if let Ok(true) = opted_out {
            tracing::info!(customer = text.phone.masked(), "opted out, not answering");
            if let Ok(TurnClaim::Acquired(_)) = claimed {
                // Nothing is sent, whether this is stored or not.
                let _ = self.finish(&attempt, progress, Vec::new(), false).await;
            }
            return Ok(Vec::new());
        }
        let mut claimed = claimed?;
        if let TurnClaim::Answered(messages) = claimed {
            tracing::info!(sid = text.sid, "answered before, repeating the answer");
            return Ok(messages);
        }
        opted_out?;
        let (owner, calendar) = owner?;
        loop {
            claimed = match claimed {
                TurnClaim::Answered(messages) => {
                    let silent = store.opted_out(&text.phone).await?;
                    return Ok(if silent { Vec::new() } else { messages });
                }
                TurnClaim::Busy => self.wait_for_other_attempt(&attempt, progress).await?,
                TurnClaim::Acquired(record) => {
                    match self.converse(&attempt, record, (&owner, &calendar), progress).await {
                        Err(TurnError::ClaimLost) => TurnClaim::Busy,
                        other => return other,
                    }
                }
            };
        }
    }

    pub(super) fn attempt<'a>(&self, text: &'a InboundText) -> Attempt<'a> {
        let until_ms = self.unix_ms_in(self.settings.deadline + QUEUE_ENTRY_MARGIN);
        Attempt {
            text,
            key: TurnKey { phone: text.phone.clone(), sid: text.sid.clone() },
            holder: self.ports.ids.generate(),
            queue_entry: QueueEntry { sid: text.sid.clone(), until_ms },
            late: false,
        }
    }

    pub(super) async fn claim(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
    ) -> Result<TurnClaim, StoreError> {
        let Attempt { text, key, holder, .. } = attempt;
        let (unix_ms, until_ms) =
            (self.ports.timer.unix_ms(), self.unix_ms_in(self.settings.lease));
        let text_stored = TurnText {
            body: text.body.clone(),
            media: text.media,
            media_urls: text.media_urls.clone(),
        };
        let claim = NewClaim { key, holder, text: &text_stored, now: text.now, unix_ms, until_ms };
        let claimed = self.ports.store.claim_turn(&claim).await?;
        progress.update(|state| {
            state.claimed = match &claimed {
                TurnClaim::Acquired(record) => {
                    Some(ClaimedTurn { key: key.clone(), holder: holder.clone(), now: record.now })
                }
                TurnClaim::Answered(_) | TurnClaim::Busy => None,
            };
        });
        Ok(claimed)
    }

    /// Renews the claim for as long as it is polled; never resolves. An attempt that lost its claim
    /// notices at its next write.
    pub(super) async fn keep_renewing_claim(&self, progress: &Progress) {
        loop {
            self.ports.timer.sleep(self.settings.lease / RENEWALS_PER_LEASE).await;
            let Some(ClaimedTurn { key, holder, .. }) = progress.snapshot().claimed else {
                continue;
            };
            let until_ms = self.unix_ms_in(self.settings.lease);
            if let Err(error) = self.ports.store.renew_turn(&key, &holder, until_ms).await {
                tracing::warn!(sid = key.sid, error = %ErrorChain(&error), "failed to renew the claim");
            }
        }
    }

    pub(super) fn unix_ms_in(&self, time: Duration) -> i64 {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.ports.timer.unix_ms().saturating_add(time)
    }

    /// Waits for the answer of the attempt that holds the turn, and takes the turn over when its
    /// claim has ended.
    pub(super) async fn wait_for_other_attempt(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
    ) -> Result<TurnClaim, TurnError> {
        progress.update(|state| state.claimed = None);
        tracing::info!(
            sid = attempt.key.sid,
            "another attempt has this text, waiting for its answer"
        );
        let mut delays = PollDelays::new();
        loop {
            for _ in 0..POLLS_PER_CLAIM {
                self.ports.timer.sleep(delays.next()).await;
                if let Some(messages) = self.ports.store.turn_answer(&attempt.key).await? {
                    return Ok(TurnClaim::Answered(messages));
                }
            }
            let claimed = self.claim(attempt, progress).await?;
            if claimed != TurnClaim::Busy {
                return Ok(claimed);
            }
        }
    }

    /// Runs the conversation from its queue to the stored answer.
    pub(super) async fn converse(
        &self,
        attempt: &Attempt<'_>,
        record: TurnRecord,
        (owner, calendar): (&OwnerState, &Calendar),
        progress: &Progress,
    ) -> Result<Vec<String>, TurnError> {
        let text = attempt.text;
        self.acquire_conversation(&text.phone, &attempt.queue_entry, progress).await?;
        let mut memory = self.ports.store.memory(&text.phone).await?;
        let has_begun = !record.rounds.is_empty();
        // Pictures in a row are no loop, whatever is written beside them.
        if !has_begun
            && text.media == 0
            && let Some(since_ms) = loop_since(&memory, &text.content(), record.now)
        {
            tracing::warn!(customer = text.phone.masked(), "a loop of texts, not answering");
            progress.update(|state| state.memory = Some(memory));
            let id = sha256_hex(&["loop", text.phone.as_str(), &since_ms.to_string()]);
            self.tell_of_silence(text, &id).await;
            return self.finish(attempt, progress, Vec::new(), false).await;
        }
        let attention = self.attention(&mut memory, &record);
        progress.update(|state| {
            state.memory = Some(memory.clone());
            state.model_calls = record.rounds.len();
        });
        match attention {
            Attention::Answer => {}
            Attention::LastAnswer => {
                tracing::warn!(customer = text.phone.masked(), "too many texts, saying so");
                self.tell_of_silence(text, &text.sid).await;
                return self.finish_unless_opted_out(attempt, progress, TOO_MANY_TEXTS_REPLY).await;
            }
            Attention::Silence => {
                tracing::warn!(customer = text.phone.masked(), "too many texts, not answering");
                return self.finish(attempt, progress, Vec::new(), false).await;
            }
        }
        if !owner.ai_answers_sms {
            progress.update(|state| state.callback = Some(CallbackReason::AssistantOff));
            return self.finish_unless_opted_out(attempt, progress, ASSISTANT_OFF_REPLY).await;
        }
        let key = self.ports.safety_key.current().await?;
        let customer = safety_identifier(key.expose().as_bytes(), &text.phone);
        let conversation = Conversation::new(
            self,
            attempt,
            (owner, calendar),
            &memory,
            record,
            progress,
            customer,
        );
        let ConversationResult {
            text: model_text,
            confirmations,
            own_lead_ids,
            known,
            ends_conversation,
        } = conversation.run().await?;
        let model_text = if ends_conversation {
            // Written by code.
            model_text
        } else {
            let facts = known.facts.with_owner_reachable(self.settings.owner_phone.is_some());
            let confirmed = !confirmations.is_empty();
            let checked =
                checked_text(&model_text, confirmed, &own_lead_ids, &known.typed_lead_ids, &facts);
            if !checked.mismatches.is_empty() {
                tracing::warn!(sid = text.sid, mismatches = ?checked.mismatches, "the model's text does not fit the facts");
            }
            // A stored result may say so too, of an attempt whose failure this one did not see.
            let reason = match (known.owner_is_told, checked.promises_callback) {
                (true, _) => Some(CallbackReason::CalendarFailed),
                (false, true) => Some(CallbackReason::Promised),
                (false, false) => None,
            };
            progress.update(|state| state.callback = state.callback.take().or(reason));
            checked.text
        };
        let answer = reply_text(&model_text, &confirmations, &own_lead_ids);
        if answer.is_empty() {
            return Err(TurnError::NothingToSay);
        }
        if ends_conversation {
            // A customer who opted out in this very text gets one last message.
            progress.update(|state| state.ends_conversation = true);
            return self.finish(attempt, progress, text::split_into_messages(&answer), true).await;
        }
        self.finish_unless_opted_out(attempt, progress, &answer).await
    }

    /// What the text gets, and counts it in the memory. The write that ends the turn stores the
    /// count, so an attempt that takes the turn over counts it no second time.
    fn attention(&self, memory: &mut ConversationMemory, record: &TurnRecord) -> Attention {
        let (pace, attention) = memory.pace.next(self.settings.turn_limits, record.now);
        // What an earlier attempt began is finished: it may have booked something.
        if !record.rounds.is_empty() && attention != Attention::Answer {
            return Attention::Answer;
        }
        memory.pace = pace;
        attention
    }

    /// Tells the owner, once per `id`, that a customer gets no more answers for a while.
    async fn tell_of_silence(&self, text: &InboundText, id: &str) {
        let words: String = text.content().chars().take(MAX_QUOTED_CHARS).collect();
        let body = format!(
            "{} sends too many texts and hears nothing for a while. The last one: \"{words}\" Please \
             text or call them if it matters.",
            text.phone.as_str()
        );
        self.alert(&format!("silenced#{id}"), &body, text.now).await;
    }

    /// Finishes the turn with this text, or with silence if the customer opted out meanwhile.
    async fn finish_unless_opted_out(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
        answer: &str,
    ) -> Result<Vec<String>, TurnError> {
        let customer = &attempt.text.phone;
        if self.ports.store.opted_out(customer).await? {
            tracing::info!(customer = customer.masked(), "opted out meanwhile, not answering");
            return self.finish(attempt, progress, Vec::new(), false).await;
        }
        self.finish(attempt, progress, text::split_into_messages(answer), true).await
    }

    /// Stores the answer with what it promises, adds it to the memory if it is to be remembered, and
    /// leaves the queue. An answer whose promise can be neither stored nor texted is replaced by one
    /// that promises nothing.
    pub(super) async fn finish(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
        messages: Vec<String>,
        remember: bool,
    ) -> Result<Vec<String>, TurnError> {
        let state = progress.snapshot();
        let callback = match &state.callback {
            None => None,
            Some(reason) => {
                Some(self.callback(attempt.text, reason, self.owner_is_reachable().await))
            }
        };
        let kept = callback.as_ref().is_none_or(|callback| !callback.notification.is_empty());
        let without_promise = text::split_into_messages(&state.without_promise());
        let messages = if kept { messages } else { without_promise.clone() };
        let now = state.claimed.as_ref().map_or(attempt.text.now, |claimed| claimed.now);
        let memory = state.memory.clone().filter(|_| remember).map(|memory| {
            let memory = memory.with_cost(state.cost(&messages));
            memory.with(attempt.text.content(), messages.join("\n"), now)
        });
        let late_answer =
            attempt.late.then(|| late_texts(attempt.text, &messages, state.ends_conversation));
        let end = TurnEnd {
            key: attempt.key.clone(),
            holder: attempt.holder.clone(),
            now,
            messages,
            memory,
            dequeue: state.queue_entry.clone(),
            callback,
            late_answer,
        };
        match self.ports.store.finish_turn(&end).await {
            Ok(true) => {
                progress.update(|state| state.stored_answer = Some(end.messages.clone()));
                let notification = end.callback.iter().flat_map(|callback| &callback.notification);
                let late = end.late_answer.iter().flatten();
                let texts: Vec<OutboxText> = notification.chain(late).cloned().collect();
                self.send_texts(&texts, &state, attempt.text.now).await;
            }
            Ok(false) => return Err(TurnError::ClaimLost),
            // It would have gone out by what was stored; the next attempt stores it.
            Err(error) if attempt.late => return Err(error.into()),
            // The answer is sent although it is not stored: what it says is done, and a repeat
            // would find it done. Unless there is one already, of another attempt or this one's.
            Err(error) => {
                tracing::error!(sid = end.key.sid, error = %ErrorChain(&error), "failed to store the answer");
                let left = self.leave_queue_after_failure(&end.key.phone, end.dequeue.as_ref());
                let stored = self.ports.store.turn_answer(&end.key);
                let ((), stored) = futures::join!(left, self.with_timeout(READ_TIMEOUT, stored));
                if let Some(Ok(Some(messages))) = stored {
                    return Ok(messages);
                }
                if let Some(callback) = &end.callback
                    && !self.send_to_owner(&callback.notification).await
                {
                    return Ok(without_promise);
                }
            }
        }
        tracing::info!(sid = end.key.sid, messages = end.messages.len(), "answered");
        Ok(end.messages)
    }
}
