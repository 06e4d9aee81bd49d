//! Which round of a script answers a request.

use super::{Decision, ScriptRegistry, ScriptState, ScriptedReply, unexpected};
use crate::{
    conversation::Conversation,
    expectation,
    position::{self, RoundPosition},
    render::{self, ReplyError},
    script::{CutPoint, Round, RoundFailure, Script},
    unmet::{NearestRound, UnmetExpectation},
};
use rehearse_core::matcher::Mismatch;

/// What is to be done with a round.
enum RoundAction {
    /// Its failure has struck often enough and it says nothing itself.
    Skip,
    /// It fails like this.
    Inject(RoundFailure),
    /// It answers.
    Reply,
}

impl ScriptRegistry {
    pub(super) fn play(&mut self, at: usize, conversation: &Conversation<'_>) -> Decision {
        let script = std::sync::Arc::clone(&self.slots[at].script);
        let result = self.slots[at].answer(&script, conversation);
        let problem = match result {
            Ok(play) => {
                self.share(at);
                return Decision::Scripted(play);
            }
            Err(problem) => *problem,
        };
        let label = match problem.round {
            Some(round) => format!("{}, round {round}", script.name),
            None => script.name.clone(),
        };
        let message = problem.to_string();
        let problems = &mut self.slots[at].problems;
        if !problems.contains(&problem) {
            problems.push(problem);
        }
        Decision::Unexpected { label: Some(label), message }
    }

    /// Without identifiers, equal scripts cannot be told apart: what one reaches, all reach.
    fn share(&mut self, at: usize) {
        if self.slots.len() < 2 || self.slots[at].claimed.is_some() {
            return;
        }
        let (script, reached) = (self.slots[at].script.clone(), self.slots[at].reached.clone());
        for slot in &mut self.slots {
            if slot.script.same(&script) && slot.claimed.is_none() {
                slot.reached.extend(reached.iter().cloned());
            }
        }
    }
}

impl ScriptState {
    fn answer(
        &mut self,
        script: &Script,
        conversation: &Conversation<'_>,
    ) -> Result<ScriptedReply, Box<UnmetExpectation>> {
        let due = position::due(script, conversation);
        let results = conversation.results(due.results_from);
        let last = due.groups.len().saturating_sub(1);
        for (i, group) in due.groups.iter().enumerate() {
            let (place, round) = self.choose(script, group, conversation, &results)?;
            let action = self.action(place, round, i == last);
            if matches!(action, RoundAction::Skip) {
                continue;
            }
            self.reached.insert(place.clone());
            let wrong = |why| Box::new(unrenderable(script, place, round, why, conversation));
            let fail = match action {
                RoundAction::Inject(fail) => {
                    *self.struck.entry(place.clone()).or_insert(0) += 1;
                    Some(fail)
                }
                _ => None,
            };
            // A request that is cut after it arrived was answered all the same.
            let lost = fail.as_ref().is_some_and(|f| f.is_hard(round) && f.cut.is_none());
            let reply = if lost || fail.as_ref().is_some_and(|f| f.cut == Some(CutPoint::Before)) {
                None
            } else {
                Some(
                    render::reply(script, place, round, fail.as_ref(), conversation, &results)
                        .map_err(wrong)?,
                )
            };
            return Ok(ScriptedReply { label: format!("{}, {place}", script.name), reply, fail });
        }
        Err(Box::new(unexpected::no_round(script, conversation)))
    }

    /// The alternative whose expectations the request meets.
    fn choose<'g, 's>(
        &self,
        script: &Script,
        group: &'g [(RoundPosition, &'s Round)],
        conversation: &Conversation<'_>,
        results: &[serde_json::Value],
    ) -> Result<(&'g RoundPosition, &'s Round), Box<UnmetExpectation>> {
        let mut misses: Vec<(&RoundPosition, &Round, Vec<Mismatch>)> = Vec::new();
        for (place, round) in group {
            let found = match expectation::mismatches(round, conversation, results, &script.vars) {
                Ok(found) => found,
                Err(error) => {
                    let why = ReplyError::from(error);
                    return Err(Box::new(unrenderable(script, place, round, why, conversation)));
                }
            };
            if found.is_empty() {
                return Ok((place, round));
            }
            misses.push((place, round, found));
        }
        Err(Box::new(unmatched(script, misses, conversation, results)))
    }

    fn action(&self, place: &RoundPosition, round: &Round, last: bool) -> RoundAction {
        let Some(fail) = &round.fail else { return RoundAction::Reply };
        let hard = fail.is_hard(round);
        let shapes = !hard && round.answers();
        // Left out: a failure that something can follow strikes once; one that
        // belongs to the answer, or that nothing follows, does so every time.
        let default = if shapes || (last && !round.answers()) { None } else { Some(1) };
        let struck = self.struck.get(place).copied().unwrap_or(0);
        match fail.times.or(default) {
            Some(times) if struck >= times && round.answers() => RoundAction::Reply,
            Some(times) if struck >= times => RoundAction::Skip,
            _ => RoundAction::Inject(fail.clone()),
        }
    }
}

/// The request meets no alternative.
fn unmatched(
    script: &Script,
    mut misses: Vec<(&RoundPosition, &Round, Vec<Mismatch>)>,
    conversation: &Conversation<'_>,
    results: &[serde_json::Value],
) -> UnmetExpectation {
    misses.sort_by_key(|(_, _, found)| found.len());
    let several = misses.len() > 1;
    let mut misses = misses.into_iter();
    let Some((place, round, mismatches)) = misses.next() else {
        return UnmetExpectation::default();
    };
    let what = if several {
        "none of its alternatives expected this request"
    } else {
        "the request is not what it expected"
    };
    let nearest = unexpected::nearest_in(script, conversation, results)
        .filter(|near| near.round != place.round() && near.mismatches.len() < mismatches.len());
    UnmetExpectation {
        script: Some(script.name.clone()),
        round: Some(place.round()),
        title: what.into(),
        expected: Some(unexpected::describe(round)),
        mismatches,
        nearest: nearest.or_else(|| {
            misses.next().map(|(place, round, mismatches)| NearestRound {
                script: script.name.clone(),
                round: place.round(),
                text: unexpected::describe(round),
                mismatches,
            })
        }),
        asked: Some(unexpected::asked(conversation)),
        notes: Vec::new(),
    }
}

fn unrenderable(
    script: &Script,
    place: &RoundPosition,
    round: &Round,
    why: ReplyError,
    conversation: &Conversation<'_>,
) -> UnmetExpectation {
    let (title, notes) = match why {
        ReplyError::Template(why) | ReplyError::Save(why) => (why, Vec::new()),
        ReplyError::Impossible(why, details) => (why, details),
    };
    UnmetExpectation {
        script: Some(script.name.clone()),
        round: Some(place.round()),
        title,
        expected: Some(unexpected::describe(round)),
        asked: Some(unexpected::asked(conversation)),
        notes,
        ..UnmetExpectation::default()
    }
}
