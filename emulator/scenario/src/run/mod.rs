//! Running a scenario: one file per kind of step, one per kind of comparison.

mod assign;
mod attempts;
mod crash;
mod customer;
mod delivery;
mod expect;
mod faults;
mod invoke;
mod late;
mod model;
mod people;
mod placed;
mod reasons;
mod request;
mod rows;
mod running;
mod start;
mod texts;
mod together;
mod trial;

pub(super) use people::People;
pub(crate) use running::Running;
pub(super) use start::names;
pub(crate) use trial::PlayedTrial;

use super::outcome::Problem;
use crate::outcome::SourceLocation;
use rehearse_core::matcher::RenderError;

/// Why a step ended its scenario.
#[derive(Debug)]
pub(crate) enum StepError {
    /// Expectations were not met.
    Failed(Vec<Problem>),
    /// The scenario is wrong.
    Broken(Box<Problem>),
    /// Rehearse itself or the machine failed.
    Environment(String),
}

impl StepError {
    pub(crate) fn broken(message: impl Into<String>, location: SourceLocation) -> Self {
        Self::Broken(Box::new(Problem::new(message).at(location)))
    }

    fn template(error: &RenderError, location: SourceLocation) -> Self {
        Self::broken(error.to_string(), location)
    }

    /// `Ok` if there are no problems.
    fn from_problems(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self::Failed(problems)) }
    }
}
