//! The position in a script, computed from a conversation: which rounds may respond next.

use std::fmt;

use super::{
    conversation::Conversation,
    ids::Ids,
    script::{Round, Script},
};

/// The position of a round in its script: its index, then the index of the alternative, if any.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RoundPosition(Vec<usize>);

impl RoundPosition {
    /// The round's number, from 1.
    pub fn round(&self) -> usize {
        self.0.first().map_or(0, |at| at + 1)
    }

    /// The ids of the response that this round gives.
    pub fn ids(&self, script: &Script) -> Ids {
        let position = self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let text = script.trigger.text();
        Ids::of(&[script.name.as_bytes(), text.as_bytes(), position.as_bytes()])
    }

    fn alternative(&self, at: usize) -> Self {
        Self(self.0.iter().copied().chain([at]).collect())
    }
}

impl fmt::Display for RoundPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "round {}", self.round())?;
        for alternative in self.0.iter().skip(1) {
            write!(f, ", alternative {}", alternative + 1)?;
        }
        Ok(())
    }
}

/// The rounds that may respond to a request.
#[derive(Debug)]
pub(super) struct CandidateRounds<'s> {
    /// In order. Each group is a round's alternatives, or the round alone.
    pub groups: Vec<Vec<(RoundPosition, &'s Round)>>,
    /// Index of the first tool result that belongs to the round before.
    pub results_from: usize,
}

/// The rounds that may respond, judged by what happened since the user's last text.
pub(super) fn candidate_rounds<'s>(
    script: &'s Script,
    conversation: &Conversation<'_>,
) -> CandidateRounds<'s> {
    let position = conversation.position();
    let (mut passed, mut results_from) = (0, 0);
    let mut assistant_messages = conversation.assistant_messages;
    let mut groups = Vec::new();
    for (i, round) in script.rounds.iter().enumerate() {
        let group = alternatives(RoundPosition(vec![i]), round);
        if let Some(calls) = completed_calls(script, &group, conversation, passed, position) {
            results_from = passed;
            passed += calls;
            continue;
        }
        if passed != position {
            continue;
        }
        let calls = group.iter().any(|(_, r)| r.call_count() > 0);
        let only_text = group.iter().all(|(_, r)| r.say.is_some() && r.call_count() == 0);
        if only_text && assistant_messages > 0 {
            // Its text is already in the conversation.
            assistant_messages -= 1;
            continue;
        }
        groups.push(group);
        if calls {
            // The rounds after it wait for the results of these calls.
            break;
        }
    }
    CandidateRounds { groups, results_from }
}

/// All rounds of a script, each alternative on its own.
pub(super) fn all_rounds(script: &Script) -> impl Iterator<Item = (RoundPosition, &Round)> {
    let rounds = script.rounds.iter().enumerate();
    rounds.flat_map(|(i, round)| alternatives(RoundPosition(vec![i]), round))
}

/// A round's alternatives; the round itself when it has none.
fn alternatives(position: RoundPosition, round: &Round) -> Vec<(RoundPosition, &Round)> {
    if round.either.is_empty() {
        return vec![(position, round)];
    }
    let either = round.either.iter().enumerate();
    either.flat_map(|(i, round)| alternatives(position.alternative(i), round)).collect()
}

/// How many calls a group made whose results are in the conversation; `None` when the group has
/// not been reached or waits for results.
fn completed_calls(
    script: &Script,
    group: &[(RoundPosition, &Round)],
    conversation: &Conversation<'_>,
    passed: usize,
    position: usize,
) -> Option<usize> {
    let fits = |round: &Round| round.call_count() > 0 && passed + round.call_count() <= position;
    let possible = || group.iter().filter(|(_, round)| fits(round));
    let history = || conversation.calls.iter().filter(|c| c.result.is_some()).skip(passed);
    // The ids of the calls tell which alternative it was. For a backend that makes its own ids,
    // the names of the tools decide.
    let by_id = possible().find(|(position, _)| {
        history().next().is_some_and(|call| position.ids(script).is_call(0, call.id))
    });
    let by_name = || {
        possible().find(|(_, round)| {
            let names = round.call.iter().map(|c| &c.name);
            let names = names.chain(round.raw_call.iter().map(|c| &c.name));
            names.zip(history()).all(|(name, call)| name == call.name)
        })
    };
    by_id.or_else(by_name).or_else(|| possible().next()).map(|(_, round)| round.call_count())
}
