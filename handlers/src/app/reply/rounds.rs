//! Rounds with the model: stores its output, runs its calls, stores their results.

use std::collections::BTreeSet;

use super::{
    ReplyService, TurnError,
    alerts::CallbackReason,
    limits::MAX_ROUNDS,
    progress::Progress,
    tool_outcome::own_lead_ids,
    tool_runner::ToolRunner,
    turn::Attempt,
    turn_facts::{TurnFacts, confirmed_lead_ids},
};
use crate::{
    app::error_chain::ErrorChain,
    domain::{
        calendar::Calendar,
        owner::OwnerState,
        prompt,
        text::OPT_OUT_REPLY,
        turn::{ConversationItem, ConversationMemory, StoredRound, TurnFence, TurnRecord},
    },
    ports::{ModelError, ModelRequest},
};

/// What the rounds led to.
pub(super) struct ConversationResult {
    /// The model's final text.
    pub(super) text: String,
    /// Confirmations of what was booked, cancelled or moved.
    pub(super) confirmations: Vec<String>,
    /// References that belong to this customer.
    pub(super) own_lead_ids: BTreeSet<String>,
    /// What the model's text is checked against.
    pub(super) known: TurnFacts,
    /// The customer asked for no more texts, and this is the last one.
    pub(super) ends_conversation: bool,
}

/// The rounds of a turn.
pub(super) struct Conversation<'a> {
    reply: &'a ReplyService,
    attempt: &'a Attempt<'a>,
    progress: &'a Progress,
    tools: ToolRunner<'a>,
    instructions: String,
    safety_identifier: String,
    /// Rounds that an earlier attempt stored and this one has not replayed yet.
    stored: std::vec::IntoIter<StoredRound>,
    memory: &'a ConversationMemory,
    input: Vec<ConversationItem>,
    confirmations: Vec<String>,
    own_lead_ids: BTreeSet<String>,
    /// Number of calls so far. The ids of what a call writes derive from its ordinal in the turn.
    calls: usize,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        reply: &'a ReplyService,
        attempt: &'a Attempt<'a>,
        (owner, calendar): (&'a OwnerState, &'a Calendar),
        memory: &'a ConversationMemory,
        record: TurnRecord,
        progress: &'a Progress,
        safety_identifier: String,
    ) -> Self {
        let mut input = Vec::with_capacity(memory.turns.len() * 2 + 1);
        for turn in &memory.turns {
            input.push(ConversationItem::User(turn.user.clone()));
            input.push(ConversationItem::Assistant(turn.assistant.clone()));
        }
        input.push(ConversationItem::User(attempt.text.content()));
        Self {
            reply,
            attempt,
            progress,
            instructions: prompt::instructions(owner, calendar, record.now),
            tools: ToolRunner {
                reply,
                text: attempt.text,
                owner,
                calendar,
                now: record.now,
                progress,
                fence: TurnFence { key: attempt.key.clone(), holder: attempt.holder.clone() },
            },
            safety_identifier,
            stored: record.rounds.into_iter(),
            memory,
            input,
            confirmations: Vec::new(),
            own_lead_ids: memory
                .turns
                .iter()
                .flat_map(|turn| confirmed_lead_ids(&turn.assistant))
                .collect(),
            calls: 0,
        }
    }

    /// Runs rounds until the model answers without calling a tool.
    ///
    /// # Errors
    /// When the database or the model fails, another attempt takes the turn over or the model calls
    /// tools in every round.
    pub(super) async fn run(mut self) -> Result<ConversationResult, TurnError> {
        for ordinal in 0..MAX_ROUNDS {
            let mut round = match self.stored.next() {
                Some(round) => round,
                None => self.request_round(ordinal).await?,
            };
            if !round.items.iter().any(is_call) {
                let text = assistant_text(&round.items).ok_or(ModelError::Empty)?;
                return Ok(self.into_result(text, false));
            }
            let ends_conversation = if round.results.is_empty() {
                self.run_calls(ordinal, &mut round).await?
            } else {
                false
            };
            self.append_round(round);
            if ends_conversation {
                return Ok(self.into_result(OPT_OUT_REPLY.to_owned(), true));
            }
        }
        Err(TurnError::RoundsExhausted)
    }

    /// Requests the model's output. Output with calls is stored before any of them runs; output
    /// without is stored as the turn's answer.
    async fn request_round(&self, ordinal: usize) -> Result<StoredRound, TurnError> {
        let request = ModelRequest {
            instructions: &self.instructions,
            input: &self.input,
            tools: &self.reply.tools,
            safety_identifier: &self.safety_identifier,
        };
        // Before the request: one that fails has been made all the same.
        self.progress.update(|state| state.model_calls = ordinal + 1);
        let items = self.reply.ports.model.respond(request).await?;
        let round = StoredRound { items, ..StoredRound::default() };
        if round.items.iter().any(is_call) && !self.save(ordinal, &round).await? {
            return Err(TurnError::ClaimLost);
        }
        Ok(round)
    }

    /// Runs a round's calls in order, then stores their results. Returns true when one of them ends
    /// the conversation.
    async fn run_calls(&self, ordinal: usize, round: &mut StoredRound) -> Result<bool, TurnError> {
        let (mut ends_conversation, mut must_be_stored) = (false, false);
        let calls = round.items.iter().filter_map(|item| match item {
            ConversationItem::Call { call_id, name, arguments, .. } => {
                Some((call_id, name, arguments))
            }
            _ => None,
        });
        for (position, (call_id, name, arguments)) in calls.enumerate() {
            let outcome = self.tools.run(self.calls + position, name, arguments).await;
            ends_conversation |= outcome.ends_conversation;
            if outcome.claim_is_lost {
                return Err(TurnError::ClaimLost);
            }
            must_be_stored |= outcome.was_there_before;
            if let Some(confirmation) = outcome.confirmation {
                if !outcome.was_there_before {
                    self.progress.update(|state| state.confirmations.push(confirmation.clone()));
                }
                round.confirmations.push(confirmation);
            }
            let output = outcome.output.to_string();
            round.results.push(ConversationItem::Result { call_id: call_id.clone(), output });
        }
        match self.save(ordinal, round).await {
            Ok(true) => Ok(ends_conversation),
            Ok(false) => Err(TurnError::ClaimLost),
            // Another attempt may find it changed, and write. What else was done is confirmed.
            Err(error) if must_be_stored => {
                self.progress.update(|state| {
                    state.callback.get_or_insert(CallbackReason::CalendarFailed);
                });
                Err(error)
            }
            // The calls have written what they write, and what they wrote a repeat finds.
            Err(error) => {
                let sid = &self.attempt.key.sid;
                tracing::error!(sid, error = %ErrorChain(&error), "failed to store tool results");
                Ok(ends_conversation)
            }
        }
    }

    async fn save(&self, ordinal: usize, round: &StoredRound) -> Result<bool, TurnError> {
        let Attempt { key, holder, .. } = self.attempt;
        Ok(self.reply.ports.store.save_round(key, holder, ordinal, round).await?)
    }

    /// Appends a round and its results to the conversation.
    fn append_round(&mut self, mut round: StoredRound) {
        self.calls += round.items.iter().filter(|item| is_call(item)).count();
        for result in &round.results {
            if let ConversationItem::Result { output, .. } = result {
                self.own_lead_ids.extend(own_lead_ids(output));
            }
        }
        self.confirmations.append(&mut round.confirmations);
        self.progress.update(|state| state.confirmations.clone_from(&self.confirmations));
        self.input.append(&mut round.items);
        self.input.append(&mut round.results);
    }

    fn into_result(self, text: String, ends_conversation: bool) -> ConversationResult {
        let ToolRunner { calendar, owner, now, .. } = self.tools;
        let known = TurnFacts::collect(calendar, owner, now, self.memory, &self.input);
        ConversationResult {
            text,
            known,
            confirmations: self.confirmations,
            own_lead_ids: self.own_lead_ids,
            ends_conversation,
        }
    }
}

fn is_call(item: &ConversationItem) -> bool {
    matches!(item, ConversationItem::Call { .. })
}

/// The text of a round; `None` when there is none.
fn assistant_text(items: &[ConversationItem]) -> Option<String> {
    let said: Vec<&str> = items
        .iter()
        .filter_map(|item| match item {
            ConversationItem::Assistant(said) => Some(said.trim()),
            _ => None,
        })
        .filter(|said| !said.is_empty())
        .collect();
    (!said.is_empty()).then(|| said.join("\n"))
}
