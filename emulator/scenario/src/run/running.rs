//! A scenario under way: its steps in order, until one fails.

use std::{collections::BTreeMap, sync::Arc};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{People, StepError, faults::ArmedFault};
use crate::{
    model::Scenario,
    outcome::{Problem, SourceLocation, StepLabel, Verdict},
    places::YamlPath,
    step::{AtStep, Step, WaitStep},
    time::Moment,
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
    pub(super) zone: TimeZone,
    /// Rows at the start, of the tables that are compared with it.
    pub(super) at_start: BTreeMap<String, Vec<Value>>,
    pub(super) armed: Vec<ArmedFault>,
    pub(super) seed: Option<u64>,
}

impl Running<'_> {
    /// Runs the steps.
    pub(crate) async fn steps(&mut self) -> Verdict {
        let scenario = self.scenario;
        for (index, step) in scenario.steps().iter().enumerate() {
            let label = (index + 1).to_string();
            let path = YamlPath::new().to("steps").to(index);
            self.note(&label, step);
            let result = Box::pin(self.step(step, &label, &path)).await;
            let result = match (result, scenario.always()) {
                (Ok(()), Some(always)) => {
                    Box::pin(self.expectation(always, &YamlPath::new().to("always"))).await
                }
                (result, _) => result,
            };
            if let Err(error) = result {
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

    /// Everything that crossed a boundary so far.
    pub(crate) fn journal(&self) -> Vec<Exchange> {
        self.world.journal().since(0)
    }

    /// The same, at the end.
    pub(crate) fn into_journal(self) -> Vec<Exchange> {
        self.world.journal().take()
    }

    async fn step(&mut self, step: &Step, label: &str, path: &YamlPath) -> Result<(), StepError> {
        match step {
            Step::Customer(step) => self.customer(step, label, path).await,
            Step::Request(step) => self.request(step, path).await,
            Step::Together(step) => self.together(step, label, path).await,
            Step::Expect(step) => self.expectation(&step.expect, &path.to("expect")).await,
            Step::Wait(step) => self.wait(step, path).await,
            Step::At(step) => self.at(step, path).await,
            Step::Faults(step) => self.arm(step, path),
        }
    }

    async fn wait(&self, step: &WaitStep, path: &YamlPath) -> Result<(), StepError> {
        let clock = self.world.clock();
        let now = clock.now().to_zoned(self.zone.clone());
        let then = step.wait.after(&now);
        let then =
            then.map_err(|error| StepError::broken(error.to_string(), self.location(path)))?;
        clock.set(then);
        self.settled().await;
        Ok(())
    }

    async fn at(&self, step: &AtStep, path: &YamlPath) -> Result<(), StepError> {
        let clock = self.world.clock();
        let location = || self.location(&path.to("at"));
        let text = self
            .vars
            .text(step.at.as_str())
            .map_err(|error| StepError::template(&error, location()))?;
        let then =
            Moment::parse(&text).map_err(|message| StepError::broken(message, location()))?;
        let now = clock.now();
        if then.timestamp() < now {
            let now = now.to_zoned(then.time_zone().clone());
            let message = format!(
                "time does not go back: it is {} already",
                now.strftime("%Y-%m-%dT%H:%M:%S%:z")
            );
            return Err(StepError::broken(message, location()));
        }
        clock.set(then.timestamp());
        self.settled().await;
        Ok(())
    }

    /// Waits until nothing that a step has set off is under way.
    pub(super) async fn settled(&self) {
        self.world.twilio().settled().await;
    }

    pub(super) fn note(&self, label: &str, step: &Step) {
        let exchange = ExchangeDetail::Step { step: label.into(), title: step.title() };
        self.world.journal().note("step", exchange);
    }

    pub(super) fn location(&self, path: &YamlPath) -> SourceLocation {
        self.scenario.file().location(path)
    }

    /// A text with its templates filled in.
    pub(super) fn text(&self, text: &str, path: &YamlPath) -> Result<String, StepError> {
        self.vars.text(text).map_err(|error| StepError::template(&error, self.location(path)))
    }

    /// What the emulator has against requests that no script expected.
    pub(super) fn unexpected_requests(&self, path: &YamlPath) -> Vec<Problem> {
        let problems = self.world.openai().take_unexpected_requests();
        problems.into_iter().map(|problem| self.model_problem(problem, path)).collect()
    }
}

fn step_label(number: String, step: &Step) -> StepLabel {
    StepLabel { number, title: step.title() }
}
