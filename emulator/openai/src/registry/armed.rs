//! The guard of an armed script.

use std::sync::Arc;

use super::{ScriptState, unexpected::describe};
use crate::{position, server::ServerState, unmet::UnmetExpectation};

/// A script on stage; dropping it disarms it.
#[must_use = "dropping it disarms the script"]
#[derive(Debug)]
pub struct ArmedScript {
    server: Arc<ServerState>,
    id: u64,
}

impl ArmedScript {
    pub(crate) fn new(server: Arc<ServerState>, id: u64) -> Self {
        Self { server, id }
    }

    /// Disarms the script and tells what went wrong with it: requests that did
    /// not match, calls that the model could not make, rounds never reached.
    pub fn finish(self) -> Vec<UnmetExpectation> {
        self.take().map(ScriptState::verdict).unwrap_or_default()
    }

    fn take(&self) -> Option<ScriptState> {
        let mut stage = self.server.registry();
        let at = stage.slots.iter().position(|s| s.id == self.id)?;
        Some(stage.slots.remove(at))
    }
}

impl Drop for ArmedScript {
    fn drop(&mut self) {
        self.take();
    }
}

impl ScriptState {
    /// Rounds that were not reached only follow from a wrong request: where
    /// there is one, they are not told as well.
    fn verdict(self) -> Vec<UnmetExpectation> {
        if !self.problems.is_empty() {
            return self.problems;
        }
        let note = self.refused.map(|why| format!("the last request was refused: {why}"));
        let unreached = (1..=self.script.rounds.len())
            .filter(|round| !self.reached.iter().any(|place| place.round() == *round));
        unreached
            .map(|number| {
                let mut written = position::all(&self.script).filter(|(p, _)| p.round() == number);
                UnmetExpectation {
                    script: Some(self.script.name.clone()),
                    round: Some(number),
                    title: "never reached".into(),
                    expected: written.next().map(|(_, round)| describe(round)),
                    notes: note.clone().into_iter().collect(),
                    ..UnmetExpectation::default()
                }
            })
            .collect()
    }
}
