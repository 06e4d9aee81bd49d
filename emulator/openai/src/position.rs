//! Which rounds of a script a conversation has come to.

use std::fmt;

use super::{
    conversation::Conversation,
    ids::Ids,
    script::{Round, Script},
};

/// Where a round stands in its script; further numbers are alternatives.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RoundPosition(Vec<usize>);

impl RoundPosition {
    /// The round's number, from 1.
    pub fn round(&self) -> usize {
        self.0.first().map_or(0, |at| at + 1)
    }

    /// The ids of the answer that is given here.
    pub fn ids(&self, script: &Script) -> Ids {
        let place = self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        Ids::of(&[script.name.as_bytes(), script.text.as_bytes(), place.as_bytes()])
    }

    fn inner(&self, at: usize) -> Self {
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

/// Rounds that may answer now.
#[derive(Debug)]
pub(super) struct CandidateRounds<'s> {
    /// In order; each is a round with its alternatives, or itself alone.
    pub groups: Vec<Vec<(RoundPosition, &'s Round)>>,
    /// The first result that answers the round before.
    pub results_from: usize,
}

/// The rounds that are due after what happened since the user's text.
pub(super) fn due<'s>(script: &'s Script, conversation: &Conversation<'_>) -> CandidateRounds<'s> {
    let position = conversation.position();
    let (mut passed, mut results_from, mut spoken) = (0, 0, conversation.spoken);
    let mut groups = Vec::new();
    for (i, round) in script.rounds.iter().enumerate() {
        let group = alternatives(RoundPosition(vec![i]), round);
        if let Some(calls) = taken(script, &group, conversation, passed, position) {
            results_from = passed;
            passed += calls;
            continue;
        }
        if passed != position {
            continue;
        }
        let calls = group.iter().any(|(_, r)| r.calls() > 0);
        let says = group.iter().all(|(_, r)| r.say.is_some() && r.calls() == 0);
        if says && spoken > 0 {
            // What it says stands in the conversation already.
            spoken -= 1;
            continue;
        }
        groups.push(group);
        if calls {
            // What comes after waits for the results of these calls.
            break;
        }
    }
    CandidateRounds { groups, results_from }
}

/// A round's alternatives, itself when it has none.
pub(super) fn alternatives(place: RoundPosition, round: &Round) -> Vec<(RoundPosition, &Round)> {
    if round.either.is_empty() {
        return vec![(place, round)];
    }
    let inner = round.either.iter().enumerate();
    inner.flat_map(|(i, round)| alternatives(place.inner(i), round)).collect()
}

/// All rounds of a script, alternatives each on their own.
pub(super) fn all(script: &Script) -> impl Iterator<Item = (RoundPosition, &Round)> {
    let rounds = script.rounds.iter().enumerate();
    rounds.flat_map(|(i, round)| alternatives(RoundPosition(vec![i]), round))
}

/// How many calls a group made that are answered already; `None` when it is still to come.
fn taken(
    script: &Script,
    group: &[(RoundPosition, &Round)],
    conversation: &Conversation<'_>,
    passed: usize,
    position: usize,
) -> Option<usize> {
    let fits = |round: &Round| round.calls() > 0 && passed + round.calls() <= position;
    let possible = || group.iter().filter(|(_, round)| fits(round));
    let history = || conversation.calls.iter().filter(|c| c.result.is_some()).skip(passed);
    // The ids of the calls tell which alternative it was; a backend that makes
    // its own ids is judged by the tools' names.
    let by_id = possible().find(|(place, _)| {
        history().next().is_some_and(|call| call.id == place.ids(script).call(0))
    });
    let by_name = || {
        possible().find(|(_, round)| {
            let names = round.call.iter().map(|c| &c.name);
            let names = names.chain(round.raw_call.iter().map(|c| &c.name));
            names.zip(history()).all(|(name, call)| name == call.name)
        })
    };
    by_id.or_else(by_name).or_else(|| possible().next()).map(|(_, round)| round.calls())
}
