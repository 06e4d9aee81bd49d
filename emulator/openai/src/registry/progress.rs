//! A script and its progress: which round responds to a request, and what was never reached.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{
    conversation::Conversation,
    position::{self, RoundPosition},
    render::{ReplyError, render, save},
    reply::Reply,
    script::{CutPoint, Round, RoundFailure, Script, StreamPace, TextMatch},
    unmet::{UnmetExpectation, mismatches},
};

/// A script in the registry with its progress.
#[derive(Debug)]
pub(super) struct ScriptProgress {
    pub id: u64,
    pub script: Arc<Script>,
    /// Whether it is verified with the registry. Otherwise a guard owns it.
    pub mounted: bool,
    /// Whether it answers its own text only, also when its person is known to ask something else; and
    /// of several such scripts of one person for one text, the latest answers.
    pub for_text: bool,
    /// The rounds that responded.
    pub reached: HashSet<RoundPosition>,
    /// The identifier to which this one of several equivalent scripts belongs.
    pub claimed_by: Option<String>,
    /// The error of the last request that the provider's own checks refused.
    pub last_refusal: Option<String>,
    /// How often each round failed.
    failures: HashMap<RoundPosition, u32>,
    unmet: Vec<UnmetExpectation>,
}

/// The response that a script gives.
#[derive(Debug)]
pub(crate) struct ScriptedReply {
    /// The script and round: `step 2, round 1`.
    pub label: String,
    /// The model's reply; `None` when the failure leaves none.
    pub reply: Option<Reply>,
    /// How the request fails, if it does.
    pub fail: Option<RoundFailure>,
    /// How a stream is sent.
    pub pace: StreamPace,
}

/// What a round does with a request.
enum RoundAction {
    /// Nothing: its failures are used up and it has no reply.
    Skip,
    /// It fails.
    Fail(RoundFailure),
    /// It replies.
    Reply,
}

impl ScriptProgress {
    /// The same script after its removal, with nothing left to check.
    pub fn past(&self) -> Self {
        Self {
            id: self.id,
            script: Arc::clone(&self.script),
            mounted: false,
            for_text: self.for_text,
            reached: HashSet::new(),
            claimed_by: self.claimed_by.clone(),
            last_refusal: None,
            failures: self.failures.clone(),
            unmet: Vec::new(),
        }
    }

    /// A script that no request has reached.
    pub fn new(id: u64, script: Script, mounted: bool) -> Self {
        Self {
            id,
            script: Arc::new(script),
            mounted,
            for_text: false,
            reached: HashSet::new(),
            claimed_by: None,
            last_refusal: None,
            failures: HashMap::new(),
            unmet: Vec::new(),
        }
    }

    /// The response of the round that the conversation has come to. When `lenient`, the round responds
    /// although the request does not meet its expectation.
    ///
    /// # Errors
    /// No round is left, the request does not meet the round's expectation, or the round cannot be
    /// rendered.
    pub fn respond(
        &mut self,
        conversation: &Conversation<'_>,
        lenient: bool,
    ) -> Result<ScriptedReply, Box<UnmetExpectation>> {
        let script = Arc::clone(&self.script);
        let candidates = position::candidate_rounds(&script, conversation);
        let results = conversation.results(candidates.results_from);
        let last = candidates.groups.len().saturating_sub(1);
        for (i, group) in candidates.groups.iter().enumerate() {
            let (position, round) =
                match (choose_alternative(&script, group, conversation, &results), group.first()) {
                    (Err(_), Some((position, round))) if lenient => (position, *round),
                    (chosen, _) => chosen?,
                };
            let fail = match self.action(position, round, i == last) {
                RoundAction::Skip => continue,
                RoundAction::Fail(fail) => Some(fail),
                RoundAction::Reply => None,
            };
            self.reached.insert(position.clone());
            if fail.is_some() {
                *self.failures.entry(position.clone()).or_insert(0) += 1;
            }
            let reply = if fail.as_ref().is_some_and(|fail| prevents_reply(fail, round)) {
                None
            } else {
                let fail = fail.as_ref();
                save(&script, round, conversation, &results)
                    .or_else(|error| if lenient { Ok(()) } else { Err(error) })
                    .map_err(|error| {
                        not_renderable(&script, position, round, &error, conversation)
                    })?;
                let reply = render(&script, position, round, fail, conversation, lenient);
                Some(reply.map_err(|error| {
                    not_renderable(&script, position, round, &error, conversation)
                })?)
            };
            return Ok(ScriptedReply {
                label: format!("{}, {position}", script.name),
                reply,
                fail,
                pace: round.stream.unwrap_or_default(),
            });
        }
        Err(Box::new(UnmetExpectation::no_round(&script, conversation)))
    }

    /// Records an unmet expectation; the same one counts once.
    pub fn record(&mut self, unmet: UnmetExpectation) {
        if !self.unmet.contains(&unmet) {
            self.unmet.push(unmet);
        }
    }

    /// What was not met. Rounds that were never reached are left out after a wrong request, because
    /// they only follow from it.
    pub fn unmet(&self) -> Vec<UnmetExpectation> {
        if !self.unmet.is_empty() {
            return self.unmet.clone();
        }
        let refusal = self.last_refusal.as_ref();
        let note = refusal.map(|why| format!("the last request was refused: {why}"));
        let reached = self.rounds_reached();
        (1..=self.script.rounds.len())
            .filter(|round| !reached.contains(round))
            .map(|round| UnmetExpectation::never_reached(&self.script, round, note.clone()))
            .collect()
    }

    /// The rounds that responded, counted from 1.
    pub fn rounds_reached(&self) -> BTreeSet<usize> {
        self.reached.iter().map(RoundPosition::round).collect()
    }

    /// Whether it may answer a text of its person.
    pub fn answers(&self, text: &str) -> bool {
        !self.for_text || self.script.trigger.compare(text) >= TextMatch::AnyText
    }

    /// `last` says whether no other round can respond.
    fn action(&self, position: &RoundPosition, round: &Round, last: bool) -> RoundAction {
        let Some(fail) = &round.fail else { return RoundAction::Reply };
        let changes_reply = !fail.replaces_reply(round.call_count()) && round.has_reply();
        // Without `times`, a failure that something can follow happens once. One that changes the
        // reply, or that nothing follows, happens every time.
        let default = if changes_reply || (last && !round.has_reply()) { None } else { Some(1) };
        let failures = self.failures.get(position).copied().unwrap_or(0);
        match fail.times.or(default) {
            Some(times) if failures >= times && round.has_reply() => RoundAction::Reply,
            Some(times) if failures >= times => RoundAction::Skip,
            _ => RoundAction::Fail(fail.clone()),
        }
    }
}

/// The response of a script's only round, whatever the conversation has come to.
///
/// # Errors
/// The round cannot be rendered, or no model could respond so.
pub(crate) fn answer_alone(
    script: &Script,
    conversation: &Conversation<'_>,
) -> Result<ScriptedReply, ReplyError> {
    let mut reply = ScriptedReply {
        label: "by hand".into(),
        reply: None,
        fail: None,
        pace: StreamPace::default(),
    };
    if let Some((position, round)) = position::all_rounds(script).next() {
        reply.fail.clone_from(&round.fail);
        reply.pace = round.stream.unwrap_or_default();
        if !round.fail.as_ref().is_some_and(|fail| prevents_reply(fail, round)) {
            let fail = round.fail.as_ref();
            reply.reply = Some(render(script, &position, round, fail, conversation, false)?);
        }
    }
    Ok(reply)
}

/// Whether a failure leaves nothing to render. A connection that is cut after the request arrived
/// loses a reply that exists all the same.
fn prevents_reply(fail: &RoundFailure, round: &Round) -> bool {
    match fail.cut {
        // A response that fails has begun.
        None if fail.failed.is_some() => false,
        Some(cut) => cut == CutPoint::Before,
        None => fail.replaces_reply(round.call_count()),
    }
}

/// The first alternative whose expectation the request meets.
fn choose_alternative<'g, 's>(
    script: &Script,
    group: &'g [(RoundPosition, &'s Round)],
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Result<(&'g RoundPosition, &'s Round), Box<UnmetExpectation>> {
    let mut missed = Vec::new();
    for (position, round) in group {
        let found = mismatches(round, script, conversation, results).map_err(|error| {
            not_renderable(script, position, round, &ReplyError::from(error), conversation)
        })?;
        if found.is_empty() {
            return Ok((position, round));
        }
        missed.push((position, *round, found));
    }
    Err(Box::new(UnmetExpectation::no_alternative(script, missed, conversation, results)))
}

fn not_renderable(
    script: &Script,
    position: &RoundPosition,
    round: &Round,
    error: &ReplyError,
    conversation: &Conversation<'_>,
) -> Box<UnmetExpectation> {
    Box::new(UnmetExpectation::not_renderable(script, position, round, error, conversation))
}
