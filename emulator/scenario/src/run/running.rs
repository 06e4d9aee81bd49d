//! Runs the steps of a scenario in order, until one fails.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use tracing::Instrument;

use super::{People, StepError, faults::ScenarioFault, trial::DeliveredTexts};
use crate::{
    model::Scenario,
    outcome::{Problem, SourceLocation, StepLabel, Verdict},
    places::YamlPath,
    step::Step,
};
use rehearse_core::{
    journal::{Exchange, ExchangeDetail},
    matcher::Vars,
};
use rehearse_world::World;

/// A scenario and its world.
pub(crate) struct Running<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) world: Arc<World>,
    pub(super) web: reqwest::Client,
    pub(super) people: People,
    pub(super) vars: Vars,
    pub(crate) zone: TimeZone,
    /// Rows at the start, of the tables that are compared with it.
    pub(super) at_start: BTreeMap<String, Vec<Value>>,
    pub(super) armed: Vec<ScenarioFault>,
    pub(super) seed: Option<u64>,
    pub(super) texts: DeliveredTexts,
}

impl Running<'_> {
    /// Runs the steps.
    pub(crate) async fn steps(&mut self) -> Verdict {
        let scenario = self.scenario;
        for (index, step) in scenario.steps().iter().enumerate() {
            let label = (index + 1).to_string();
            let path = YamlPath::new().to("steps").to(index);
            let mark = self.world.journal().mark();
            self.note(&label, step);
            // Titles say who texts, so they stay out of logs.
            let span = tracing::info_span!("step", number = label, kind = step.kind());
            let result = Box::pin(step.run(self, &label, &path)).instrument(span).await;
            let result = match (result, scenario.always()) {
                (Ok(()), Some(always)) => {
                    Box::pin(self.expectation(always, &YamlPath::new().to("always"))).await
                }
                (result, _) => result,
            };
            if let Err(error) = result {
                let error = self.with_reasons(error, mark);
                return Verdict::of_step(error, step_label(label, step));
            }
        }
        match self.idle_fault() {
            Some((index, problem)) => {
                let label = (index + 1).to_string();
                let step = step_label(label, &scenario.steps()[index]);
                Verdict::of_step(StepError::Failed(vec![problem]), step)
            }
            None => Verdict::passed(),
        }
    }

    /// Every exchange so far.
    pub(crate) fn journal(&self) -> Vec<Exchange> {
        self.world.journal().since(0)
    }

    /// Every exchange, at the end.
    pub(crate) fn into_journal(self) -> Vec<Exchange> {
        self.world.journal().take()
    }

    /// Business time.
    pub(crate) fn now(&self) -> Timestamp {
        self.world.clock().now()
    }

    /// Moves business time, and waits for what becomes due by it.
    pub(crate) async fn set_time(&self, then: Timestamp) -> Result<(), StepError> {
        // What the schedule finishes may ask the model once more for a text of an earlier step.
        let _recalled = self.world.openai().recall();
        let moved = self.world.set_time(then).await;
        moved.map_err(|error| StepError::Environment(error.to_string()))
    }

    /// Waits until nothing that a step has caused is under way.
    pub(super) async fn settled(&self) -> Result<(), StepError> {
        let settled = self.world.settled().await;
        settled.map_err(|error| StepError::Environment(error.to_string()))
    }

    pub(super) fn note(&self, label: &str, step: &Step) {
        let exchange = ExchangeDetail::Step { step: label.into(), title: step.title() };
        self.world.journal().note("step", exchange);
    }

    pub(crate) fn location(&self, path: &YamlPath) -> SourceLocation {
        self.scenario.file().location(path)
    }

    /// A text with its templates filled in.
    pub(crate) fn text(&self, text: &str, path: &YamlPath) -> Result<String, StepError> {
        self.vars.text(text).map_err(|error| StepError::template(&error, self.location(path)))
    }

    /// The problems of model requests that no script expected.
    pub(super) fn unexpected_requests(&self, path: &YamlPath) -> Vec<Problem> {
        let problems = self.world.openai().take_unexpected_requests();
        problems.into_iter().map(|problem| self.model_problem(problem, path)).collect()
    }
}

fn step_label(number: String, step: &Step) -> StepLabel {
    StepLabel { number, title: step.title() }
}
