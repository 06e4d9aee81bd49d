//! The guard of an armed script.

use std::sync::Arc;

use super::{Slot, unexpected::describe};
use crate::{place, problem::Problem, server::Server};

/// A script on stage; dropping it disarms it.
#[must_use = "dropping it disarms the script"]
#[derive(Debug)]
pub struct Armed {
    server: Arc<Server>,
    id: u64,
}

impl Armed {
    pub(crate) fn new(server: Arc<Server>, id: u64) -> Self {
        Self { server, id }
    }

    /// Disarms the script and tells what went wrong with it: requests that did
    /// not match, calls that the model could not make, rounds never reached.
    pub fn finish(self) -> Vec<Problem> {
        self.take().map(Slot::verdict).unwrap_or_default()
    }

    fn take(&self) -> Option<Slot> {
        let mut stage = self.server.stage();
        let at = stage.slots.iter().position(|s| s.id == self.id)?;
        Some(stage.slots.remove(at))
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.take();
    }
}

impl Slot {
    /// Rounds that were not reached only follow from a wrong request: where
    /// there is one, they are not told as well.
    fn verdict(self) -> Vec<Problem> {
        if !self.problems.is_empty() {
            return self.problems;
        }
        let note = self.refused.map(|why| format!("the last request was refused: {why}"));
        let unreached = (1..=self.script.rounds.len())
            .filter(|round| !self.reached.iter().any(|place| place.round() == *round));
        unreached
            .map(|number| {
                let mut written = place::all(&self.script).filter(|(p, _)| p.round() == number);
                Problem {
                    script: Some(self.script.name.clone()),
                    round: Some(number),
                    title: "never reached".into(),
                    expected: written.next().map(|(_, round)| describe(round)),
                    notes: note.clone().into_iter().collect(),
                    ..Problem::default()
                }
            })
            .collect()
    }
}
