//! One run of a scenario in which one call fails.

use crate::{
    invariants::Violation,
    outcome::{Problem, ScenarioResult, Status},
};

/// A trial and how it ended.
#[derive(Debug, Clone)]
pub struct Trial {
    /// How it ended.
    pub end: TrialEnd,
    /// The same as the result of a run: passed when every sentence held, failed when one did not, broken
    /// when the call was not made or a sentence cannot be judged.
    pub result: ScenarioResult,
    /// How many exchanges there were after the last step. The others came while business time went on.
    pub of_steps: usize,
    /// For how many things each sentence was judged; empty when none was.
    pub things: Vec<usize>,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialEnd {
    /// Every sentence held.
    Held,
    /// Some sentence did not.
    Violated(Vec<Violation>),
    /// The call was not made, so nothing failed.
    NotReached,
    /// Rehearse itself or the machine failed, or a sentence cannot be judged.
    NotJudged(String),
}

impl TrialEnd {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Held => Status::Passed,
            Self::Violated(_) => Status::Failed,
            Self::NotReached => Status::Broken,
            Self::NotJudged(_) => Status::EnvironmentFailed,
        }
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Held => Vec::new(),
            Self::Violated(violations) => violations
                .iter()
                .map(|violation| Problem {
                    notes: vec![violation.about.clone()],
                    ..Problem::new(format!("it must always hold: {}", violation.sentence))
                })
                .collect(),
            Self::NotReached => {
                vec![Problem::new("the call that should fail was not made, so nothing was tried")]
            }
            Self::NotJudged(why) => vec![Problem::new(why.clone())],
        }
    }
}
