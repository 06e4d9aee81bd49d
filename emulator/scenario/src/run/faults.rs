//! `faults:`

use serde_json::{Map, Value};

use super::{Running, StepError};
use crate::{
    outcome::{Problem, SourceLocation},
    places::YamlPath,
    step::FaultsStep,
};
use rehearse_core::faults::{Fault, FaultHandle, FaultTarget};

/// A fault that a scenario armed.
pub(super) struct ScenarioFault {
    on: String,
    skip: u64,
    handle: FaultHandle,
    location: SourceLocation,
    /// Index of the step.
    step: usize,
}

impl Running<'_> {
    pub(crate) fn arm(&mut self, step: &FaultsStep, path: &YamlPath) -> Result<(), StepError> {
        let index = path.first_index();
        for (at, fault) in step.faults.iter().enumerate() {
            let path = path.to("faults").to(at);
            let (skip, times) = fault.window();
            let handle = self.world.faults().arm(Fault {
                on: fault.on.clone(),
                failure: fault.fail.0.clone(),
                target: self.fault_target(&fault.table, &fault.key, &path)?,
                skip,
                times,
                chance: fault.chance.map(|chance| chance.0),
            });
            self.armed.push(ScenarioFault {
                on: fault.on.clone(),
                skip: skip.into(),
                handle,
                location: self.location(&path),
                step: index.unwrap_or(0),
            });
        }
        Ok(())
    }

    /// A table and a key with its templates filled in.
    pub(super) fn fault_target(
        &self,
        table: &Option<String>,
        key: &Map<String, Value>,
        path: &YamlPath,
    ) -> Result<FaultTarget, StepError> {
        let rendered = self.vars.render(&Value::Object(key.clone()));
        match rendered.map_err(|e| StepError::template(&e, self.location(&path.to("key"))))? {
            Value::Object(key) => Ok(FaultTarget { table: table.clone(), key }),
            _ => Ok(FaultTarget { table: table.clone(), key: Map::new() }),
        }
    }

    /// The first fault that was never injected, so that the scenario does not prove what it claims.
    pub(super) fn idle_fault(&self) -> Option<(usize, Problem)> {
        let matched = |armed: &ScenarioFault| self.world.faults().matched(armed.handle);
        self.armed.iter().find(|armed| matched(armed) <= armed.skip).map(|armed| {
            let summary = format!("the fault on {} was never injected", armed.on);
            let problem = Problem::new(summary).differs(
                format!("more than {} such calls after this step", armed.skip),
                format!("{}", matched(armed)),
            );
            (armed.step, problem.at(armed.location.clone()))
        })
    }
}
