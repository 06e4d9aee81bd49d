//! The result of running one scenario. Reports are made from it.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    model::Scenario,
    report::{Reporter, style::plain, terminal},
    run::StepError,
};
use rehearse_core::{journal::Exchange, matcher::Mismatch};

/// The result of running one scenario.
#[derive(Debug, Clone)]
pub struct ScenarioResult {
    /// The scenario's name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The line of its name, from 1.
    pub line: u64,
    /// Its tags.
    pub tags: Vec<String>,
    /// The entry of `each` that it ran with.
    pub each: Option<String>,
    /// How it ended.
    pub status: Status,
    /// The step that ended it; `None` if it passed or never reached a step.
    pub step: Option<StepLabel>,
    /// What is wrong; empty if it passed or was not run, otherwise at least one.
    pub problems: Vec<Problem>,
    /// Elapsed time on the machine's clock.
    pub took: Duration,
    /// Every exchange of its world; the conversation is part of it.
    pub journal: Vec<Exchange>,
    /// Names of people by phone number.
    pub people: BTreeMap<String, String>,
    /// The time zone of its business times.
    pub zone: TimeZone,
    /// The command that runs this scenario again in the same way.
    pub replay: String,
}

impl ScenarioResult {
    /// The result of a scenario that was not started.
    pub(crate) fn not_run(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name().into(),
            path: scenario.path().into(),
            line: scenario.line(),
            tags: scenario.tags().to_vec(),
            each: scenario.each().map(Into::into),
            status: Status::NotRun,
            step: None,
            problems: Vec::new(),
            took: Duration::ZERO,
            journal: Vec::new(),
            people: BTreeMap::new(),
            zone: TimeZone::UTC,
            replay: String::new(),
        }
    }

    /// The name, and the entry of `each` that it ran with.
    pub fn full_name(&self) -> String {
        match &self.each {
            Some(each) => format!("{} ({each})", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.status == Status::Passed
    }

    /// Panics with the report that `rehearse run` prints, unless it passed.
    ///
    /// # Panics
    /// The scenario did not pass.
    #[track_caller]
    #[expect(clippy::panic, reason = "an assertion for tests")]
    pub fn assert_passed(&self) {
        if !self.passed() {
            panic!("{self}");
        }
    }

    /// The position of the step that ended it: `3`, or `3.1` inside a group.
    pub fn step_number(&self) -> Option<&str> {
        self.step.as_ref().map(|step| step.number.as_str())
    }
}

impl fmt::Display for ScenarioResult {
    /// The report that `rehearse run` prints for a failed scenario, without colours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = Reporter::default().report(self.clone());
        f.write_str(&plain(&terminal::failure(&report, None)))
    }
}

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every expectation was met.
    Passed,
    /// An expectation was not met.
    Failed,
    /// The scenario itself is wrong, which only running it could show.
    Broken,
    /// Rehearse itself or the machine failed, or the backend could not be started.
    EnvironmentFailed,
    /// Ctrl-C ended it.
    Interrupted,
    /// It was not started.
    NotRun,
    /// It was not run, because the target lacks something that it needs; the problem says what.
    Skipped,
}

impl Status {
    /// The word of the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::EnvironmentFailed => "error",
            Self::Interrupted => "interrupted",
            Self::NotRun => "not_run",
            Self::Skipped => "skipped",
        }
    }

    /// Whether something is wrong: it failed, is broken, or its environment failed.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Broken | Self::EnvironmentFailed)
    }
}

/// A step, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepLabel {
    /// Position from 1: `3`, or `3.1` inside a group.
    pub number: String,
    /// The step in short.
    pub title: String,
}

/// How a scenario ended, with what was wrong.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) status: Status,
    pub(crate) step: Option<StepLabel>,
    pub(crate) problems: Vec<Problem>,
}

impl Verdict {
    pub(crate) fn passed() -> Self {
        Self { status: Status::Passed, step: None, problems: Vec::new() }
    }

    pub(crate) fn skipped(problem: Problem) -> Self {
        Self { status: Status::Skipped, step: None, problems: vec![problem] }
    }

    pub(crate) fn environment_failed(message: impl Into<String>) -> Self {
        let problems = vec![Problem::new(message)];
        Self { status: Status::EnvironmentFailed, step: None, problems }
    }

    /// The verdict on a step that ended its scenario.
    pub(crate) fn of_step(error: StepError, step: StepLabel) -> Self {
        let (status, problems) = match error {
            StepError::Failed(problems) => (Status::Failed, problems),
            StepError::Broken(problem) => (Status::Broken, vec![*problem]),
            StepError::Environment(message) => return Self::environment_failed(message),
        };
        Self { status, step: Some(step), problems }
    }
}

/// One thing that is wrong, such as an expectation that was not met.
#[derive(Debug, Clone)]
pub struct Problem {
    /// What is wrong, in one line without a full stop.
    pub summary: String,
    /// What was expected, as text to compare with `actual`.
    pub expected: Option<String>,
    /// What was there.
    pub actual: Option<String>,
    /// Where the expectation is in the file.
    pub location: Option<SourceLocation>,
    /// The places inside a large value that differ.
    pub mismatches: Vec<Mismatch>,
    /// What came nearest to an unexpected request: `step 2, round 1`.
    pub nearest: Option<String>,
    /// What else helps to understand it, a line each.
    pub notes: Vec<String>,
}

impl Problem {
    /// A problem that its summary describes completely.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            expected: None,
            actual: None,
            location: None,
            mismatches: Vec::new(),
            nearest: None,
            notes: Vec::new(),
        }
    }

    /// With what was expected and what was there.
    #[must_use]
    pub fn differs(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }

    /// With the location of the expectation.
    #[must_use]
    pub fn at(mut self, location: SourceLocation) -> Self {
        self.location = Some(location);
        self
    }

    /// The differences that a report shows: the mismatches if one of them is inside the value,
    /// otherwise the whole value.
    pub fn differences(&self) -> Vec<Mismatch> {
        let (expected, actual) = (self.expected.clone(), self.actual.clone());
        rehearse_core::matcher::differences(expected, actual, self.mismatches.clone())
    }
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file, as its path was given.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
