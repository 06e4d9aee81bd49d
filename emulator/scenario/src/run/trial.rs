//! A run of a scenario in which one call fails, and which invariants judge.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use super::{Running, StepError};
use crate::{
    invariants::{History, Invariants},
    outcome::{Problem, Verdict},
    places::YamlPath,
    sweep::{Injection, InjectionKind, TrialEnd},
};
use rehearse_core::{
    faults::FaultHandle,
    journal::{Exchange, ExchangeDetail},
};

/// Rows by the logical ids of their tables.
pub(crate) type RowsByTable = BTreeMap<String, Vec<Value>>;

/// Counts the texts that are delivered, and says which one Twilio delivers twice.
#[derive(Debug, Default)]
pub(super) struct DeliveredTexts {
    count: AtomicU32,
    /// Its number, from 1; 0 is none.
    twice: AtomicU32,
    /// MessageSids of those that Twilio did not send: their signature is missing or wrong.
    forged: Mutex<HashSet<String>>,
}

impl DeliveredTexts {
    fn deliver_twice(&self, number: u32) {
        self.twice.store(number, Ordering::Relaxed);
    }

    fn delivered(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Notes that a text is one that nobody sent by Twilio.
    pub(super) fn note_forged(&self, sid: String) {
        self.forged.lock().unwrap_or_else(PoisonError::into_inner).insert(sid);
    }

    /// What happened without them: no customer wrote them.
    fn without_forged(&self, mut exchanges: Vec<Exchange>) -> Vec<Exchange> {
        let forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.retain(|exchange| match &exchange.detail {
            ExchangeDetail::SmsReceived { sid, .. } => !forged.contains(sid),
            _ => true,
        });
        exchanges
    }

    /// Counts a text; returns whether it is delivered twice.
    pub(super) fn next_is_twice(&self) -> bool {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.twice.load(Ordering::Relaxed) == number
    }
}

/// What a trial makes fail.
pub(crate) struct ArmedInjection {
    injection: Injection,
    fault: Option<FaultHandle>,
}

/// What came of a trial in its world.
pub(crate) struct PlayedTrial {
    pub(crate) end: TrialEnd,
    /// How many exchanges there were after the last step.
    pub(crate) of_steps: usize,
    /// For how many things each sentence was judged; none when the call was not made.
    pub(crate) things: Vec<usize>,
}

impl PlayedTrial {
    /// A trial that something else ended.
    pub(crate) fn ended_by(verdict: &Verdict) -> Self {
        let why = verdict.problems.first().map_or_else(String::new, |p| p.summary.clone());
        Self { end: TrialEnd::NotJudged(why), of_steps: 0, things: Vec::new() }
    }
}

impl Running<'_> {
    /// Makes a call fail in the steps to come.
    pub(crate) fn inject(&self, injection: &Injection, slow: Duration) -> ArmedInjection {
        let fault = injection.fault(slow).map(|fault| self.world.faults().arm(fault));
        if injection.kind == InjectionKind::Duplicate {
            self.texts.deliver_twice(injection.call);
        }
        ArmedInjection { injection: injection.clone(), fault }
    }

    /// Runs every step without judging it, then lets what is retried come, and judges the end.
    ///
    /// # Errors
    /// Rehearse itself or the machine failed, or a sentence cannot be judged.
    pub(crate) async fn trial(
        &mut self,
        invariants: &Invariants,
        armed: Option<ArmedInjection>,
        start: RowsByTable,
    ) -> Result<PlayedTrial, StepError> {
        self.steps_unjudged().await?;
        let of_steps = self.journal().len();
        if armed.as_ref().is_some_and(|armed| !self.was_reached(armed)) {
            let end = TrialEnd::NotReached;
            return Ok(PlayedTrial { end, of_steps, things: Vec::new() });
        }
        // The world is whole again, as it will be one day.
        self.world.faults().clear();
        // The time of a backend that somebody else started is the machine's.
        if !self.world.clock().is_running() {
            let now = self.now().to_zoned(self.zone.clone());
            let later = invariants.settle().after(&now);
            let later = later.map_err(|error| StepError::Environment(error.to_string()))?;
            self.set_time(later).await?;
        }
        self.settled().await?;
        let end = self.rows_of(invariants).await?;
        let exchanges = self.texts.without_forged(self.journal());
        let history = History::new(exchanges, self.world.database().tables(), start, end);
        let judgement = invariants
            .judge(&history, &self.vars)
            .map_err(|error| StepError::Broken(Box::new(Problem::new(error.to_string()))))?;
        let end = match judgement.violations.is_empty() {
            true => TrialEnd::Held,
            false => TrialEnd::Violated(judgement.violations),
        };
        Ok(PlayedTrial { end, of_steps, things: judgement.things })
    }

    fn was_reached(&self, armed: &ArmedInjection) -> bool {
        match armed.fault {
            Some(fault) => self.world.faults().is_spent(fault),
            None => self.texts.delivered() >= armed.injection.call,
        }
    }

    /// Runs every step. What does not come as it is expected ends nothing: after a failure, something else
    /// may be right, and a step that needs what did not come is left out.
    async fn steps_unjudged(&mut self) -> Result<(), StepError> {
        self.world.openai().respond_regardless();
        let scenario = self.scenario;
        for (index, step) in scenario.steps().iter().enumerate() {
            let label = (index + 1).to_string();
            let path = YamlPath::new().to("steps").to(index);
            self.note(&label, step);
            match Box::pin(step.run(self, &label, &path)).await {
                Err(StepError::Environment(message)) => {
                    return Err(StepError::Environment(message));
                }
                Ok(()) | Err(StepError::Failed(_) | StepError::Broken(_)) => {}
            }
        }
        self.settled().await
    }

    /// The rows of the tables that sentences look at.
    ///
    /// # Errors
    /// A table does not exist, or the database failed.
    pub(crate) async fn rows_of(&self, invariants: &Invariants) -> Result<RowsByTable, StepError> {
        let mut rows = RowsByTable::new();
        for table in invariants.tables() {
            let found = self.world.database().snapshot(table).await;
            let found = found.map_err(|error| StepError::Environment(error.to_string()))?;
            rows.insert(table.to_owned(), found);
        }
        Ok(rows)
    }
}
