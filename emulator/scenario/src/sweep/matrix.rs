//! What a sweep found: exchange by failure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Injection, InjectionKind, LeftOut, Listing, Trial, TrialEnd};
use crate::invariants::Violation;

/// The trials of a sweep, counted by exchange and failure.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    cells: BTreeMap<(String, InjectionKind), Cell>,
    /// Scenarios that were swept.
    pub scenarios: usize,
    /// How many trials there are to make.
    pub planned: usize,
    /// Injections that are not tried.
    pub left_out: LeftOut,
    /// For how many things each sentence was judged, over all trials.
    things: Vec<usize>,
}

/// The trials of one exchange with one failure.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// How many came to their call.
    pub trials: usize,
    /// How many did not come to their call.
    pub not_reached: usize,
    /// Those in which a sentence did not hold, or that could not be judged.
    pub red: Vec<RedTrial>,
}

/// A trial in which a sentence did not hold, or that could not be judged.
#[derive(Debug, Clone, Serialize)]
pub struct RedTrial {
    /// The scenario's full name.
    pub scenario: String,
    /// What failed.
    pub injection: String,
    /// The sentences that did not hold, and for what.
    pub violations: Vec<Violation>,
    /// Why it could not be judged.
    pub not_judged: Option<String>,
    /// The command that makes this trial again.
    pub replay: String,
}

impl Matrix {
    /// Counts a scenario and what was left out of it.
    pub fn add_scenario(&mut self, listing: &Listing) {
        self.scenarios += 1;
        self.planned += listing.injections.len();
        let LeftOut { same_as_before, alike, unknown_caller } = listing.left_out;
        self.left_out.same_as_before += same_as_before;
        self.left_out.alike += alike;
        self.left_out.unknown_caller += unknown_caller;
    }

    /// Counts a trial. `replay` is the command that makes it again, as the user types it.
    pub fn add(&mut self, injection: &Injection, trial: &Trial, replay: String) {
        self.things.resize(self.things.len().max(trial.things.len()), 0);
        self.things.iter_mut().zip(&trial.things).for_each(|(sum, things)| *sum += things);
        let cell = self.cells.entry((injection.on.clone(), injection.kind)).or_default();
        let (violations, not_judged) = match &trial.end {
            TrialEnd::NotReached => {
                cell.not_reached += 1;
                return;
            }
            TrialEnd::Held => (Vec::new(), None),
            TrialEnd::Violated(violations) => (violations.clone(), None),
            TrialEnd::NotJudged(why) => (Vec::new(), Some(why.clone())),
        };
        cell.trials += 1;
        if trial.end != TrialEnd::Held {
            cell.red.push(RedTrial {
                scenario: trial.result.full_name(),
                injection: injection.to_string(),
                violations,
                not_judged,
                replay,
            });
        }
    }

    /// The cells by exchange and failure.
    pub fn cells(&self) -> impl Iterator<Item = (&str, InjectionKind, &Cell)> {
        self.cells.iter().map(|((on, kind), cell)| (on.as_str(), *kind, cell))
    }

    /// Every trial that is red, by exchange and failure.
    pub fn red(&self) -> impl Iterator<Item = &RedTrial> {
        self.cells.values().flat_map(|cell| &cell.red)
    }

    /// The sentences that were never about anything, of all in their order: that they held proves nothing.
    pub fn never_judged<'s>(&self, sentences: &[&'s str]) -> Vec<&'s str> {
        let judged = |at: usize| self.things.get(at).is_some_and(|things| *things > 0);
        let all = sentences.iter().enumerate();
        all.filter(|(at, _)| !judged(*at)).map(|(_, sentence)| *sentence).collect()
    }

    /// How many trials were planned and not made: the sweep was stopped.
    pub fn not_made(&self) -> usize {
        self.planned.saturating_sub(self.trials() + self.not_reached())
    }

    /// Whether trials were made, all of them, and every sentence held in each.
    pub fn is_green(&self) -> bool {
        self.trials() > 0 && self.not_made() == 0 && self.red().next().is_none()
    }

    /// How many trials came to their call.
    pub fn trials(&self) -> usize {
        self.cells.values().map(|cell| cell.trials).sum()
    }

    /// How many trials did not come to their call.
    pub fn not_reached(&self) -> usize {
        self.cells.values().map(|cell| cell.not_reached).sum()
    }

    /// The failures that were tried, in their order.
    pub(super) fn kinds(&self) -> Vec<InjectionKind> {
        let tried = |kind: &InjectionKind| self.cells.keys().any(|(_, tried)| tried == kind);
        InjectionKind::ALL.into_iter().map(|(_, kind)| kind).filter(tried).collect()
    }

    /// The exchanges that were made to fail, by name.
    pub(super) fn exchanges(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.cells.keys().map(|(on, _)| on.as_str()).collect();
        all.dedup();
        all
    }

    pub(super) fn cell(&self, on: &str, kind: InjectionKind) -> Option<&Cell> {
        self.cells.get(&(on.to_owned(), kind))
    }
}
