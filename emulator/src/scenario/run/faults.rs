//! `faults:`

use super::{Running, Stop};
use crate::{
    faults::Fault,
    scenario::{
        outcome::{Place, Problem},
        places::Trail,
        step::FaultsStep,
    },
};

/// A fault that a scenario armed.
pub(super) struct Armed {
    on: String,
    skip: u64,
    /// Crossings of that name before it was armed.
    before: u64,
    place: Place,
    /// Index of the step.
    step: usize,
}

/// Not a crossing: it strikes a text on its way to a person.
const DELIVERY: &str = "twilio.delivery";

impl Running<'_> {
    pub(super) fn arm(&mut self, step: &FaultsStep, path: &Trail) -> Result<(), Stop> {
        let index = path.step();
        for (at, fault) in step.faults.iter().enumerate() {
            self.world.faults().arm(Fault {
                on: fault.on.clone(),
                failure: fault.fail.0.clone(),
                skip: fault.skip,
                times: fault.times,
            });
            self.armed.push(Armed {
                on: fault.on.clone(),
                skip: fault.skip.into(),
                before: self.crossings(&fault.on),
                place: self.place(&path.to("faults").to(at)),
                step: index.unwrap_or(0),
            });
        }
        Ok(())
    }

    /// A fault that struck nothing: the scenario does not prove what it says.
    pub(super) fn idle_fault(&self) -> Option<(usize, Problem)> {
        let idle = |armed: &&Armed| {
            armed.on != DELIVERY && self.crossings(&armed.on) <= armed.before + armed.skip
        };
        self.armed.iter().find(idle).map(|armed| {
            let summary = format!("the fault on {} never struck", armed.on);
            let calls = self.crossings(&armed.on) - armed.before;
            let problem = Problem::new(summary).differs(
                format!("more than {} such calls after this step", armed.skip),
                format!("{calls}"),
            );
            (armed.step, problem.at(armed.place.clone()))
        })
    }

    /// How many crossings of a name there were.
    pub(super) fn crossings(&self, name: &str) -> u64 {
        self.world.journal().count(name)
    }
}
