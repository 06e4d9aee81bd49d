//! A conversation that breaks a sentence, without most of what it does not need for that.

use std::sync::Arc;

use serde_json::Value;

use super::{Exploration, Found};
use rehearse_scenario::{
    Runner, Scenario,
    explore::{smaller, text},
    invariants::Invariants,
    sweep::{Trial, TrialEnd},
};

/// Most runs in which a conversation is made shorter.
const SHORTENING_RUNS: usize = 150;

/// A conversation after it was made shorter.
pub(super) struct Shortened {
    pub(super) document: Value,
    pub(super) about: String,
    /// Why it is not as short as it could be.
    pub(super) note: Option<&'static str>,
}

impl Exploration<'_> {
    /// The conversation without most of what the sentence does not need to be broken.
    pub(super) async fn shortened(&self, sentence: &str, found: &Found) -> Shortened {
        let mut best = Shortened {
            document: found.document.clone(),
            about: found.about.clone(),
            note: Some("it held when it was played again, so it is not shortened"),
        };
        let mut runs = 0;
        let mut candidates = vec![found.document.clone()];
        while let Some(about) = self.first_broken(sentence, &mut candidates, &mut runs).await {
            // The first of what is left is the one that was broken.
            let Some(document) = candidates.first().cloned() else { break };
            best = Shortened { document, about, note: None };
            candidates = smaller(&best.document);
        }
        if self.interrupt.has_come() {
            best.note = Some("interrupted, so it is not as short as it could be");
        } else if runs >= SHORTENING_RUNS {
            best.note = Some("it may not be as short as it could be");
        }
        best
    }

    /// Plays candidates until one breaks the sentence, and drops those before it. Returns what the
    /// sentence is about there.
    async fn first_broken(
        &self,
        sentence: &str,
        candidates: &mut Vec<Value>,
        runs: &mut usize,
    ) -> Option<String> {
        while let Some(candidate) = candidates.first() {
            if *runs >= SHORTENING_RUNS {
                return None;
            }
            let played = tokio::select! {
                played = play(&self.runner, &self.invariants, candidate) => played,
                () = self.interrupt.clone().wait() => return None,
            };
            if let Ok(trial) = played {
                *runs += 1;
                if let TrialEnd::Violated(violations) = trial.end
                    && let Some(same) = violations.into_iter().find(|one| one.sentence == sentence)
                {
                    return Some(same.about);
                }
            }
            candidates.remove(0);
        }
        None
    }
}

/// Plays a conversation and judges it.
///
/// # Errors
/// It is no scenario for this backend.
pub(super) async fn play(
    runner: &Runner,
    invariants: &Arc<Invariants>,
    document: &Value,
) -> Result<Trial, String> {
    let scenario = Scenario::parse(&text(document, "")).map_err(|error| error.to_string())?;
    if let Some(error) = runner.check(std::slice::from_ref(&scenario)).first() {
        return Err(error.to_string());
    }
    Ok(runner.trial(&scenario, invariants, None).await)
}
