//! How a scenario went: what the reports are made of.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use serde::Serialize;

use rehearse_core::{journal::Exchange, matcher::Mismatch};

/// How a scenario went.
#[derive(Debug, Clone)]
pub struct ScenarioResult {
    /// The scenario's name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Its tags.
    pub tags: Vec<String>,
    /// The entry of `each` that it ran with.
    pub each: Option<String>,
    /// How it ended.
    pub status: Status,
    /// Real time that it took.
    pub took: Duration,
    /// Everything that crossed a boundary; the conversation is in it.
    pub journal: Vec<Exchange>,
    /// Names of people by number.
    pub people: BTreeMap<String, String>,
    /// Where the scenario's times are.
    pub zone: TimeZone,
    /// The command that runs just this again.
    pub replay: String,
}

impl ScenarioResult {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        matches!(self.status, Status::Passed)
    }
}

/// How a scenario ended.
#[derive(Debug, Clone)]
pub enum Status {
    /// Every expectation was met.
    Passed,
    /// An expectation was not met.
    Failed(Failure),
    /// The scenario itself is wrong, as only running it could tell.
    Broken(Failure),
    /// The world around the backend failed, or the backend could not be started.
    EnvironmentFailed(String),
    /// It was not run: the target cannot give what it needs.
    Skipped(Skip),
}

/// Why a scenario was not run.
#[derive(Debug, Clone)]
pub struct Skip {
    /// What it says that cannot be given.
    pub place: SourceLocation,
    /// Why not, in one line.
    pub reason: String,
}

/// What went wrong in a step.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// Position of the step, from 1: `3`, or `3.1` inside a group.
    pub step: String,
    /// The step in short.
    pub title: String,
    /// Everything that is wrong, at least one.
    pub problems: Vec<Problem>,
}

/// One expectation that was not met.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// What is wrong, in one line.
    pub summary: String,
    /// What should have been, as text to compare with `actual`.
    pub expected: Option<String>,
    /// What was.
    pub actual: Option<String>,
    /// Where the expectation stands.
    pub place: Option<SourceLocation>,
    /// Single differences, when the values are large.
    #[serde(serialize_with = "as_texts")]
    pub mismatches: Vec<Mismatch>,
    /// The thing that came nearest to what was asked for, such as a model round.
    pub nearest: Option<String>,
    /// What else helps to understand it, a line each.
    pub notes: Vec<String>,
}

impl Problem {
    /// A problem that its summary says in full.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            expected: None,
            actual: None,
            place: None,
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

    /// With the expectation's place.
    #[must_use]
    pub fn at(mut self, place: SourceLocation) -> Self {
        self.place = Some(place);
        self
    }
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceLocation {
    /// The file, as it was given.
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

fn as_texts<S: serde::Serializer>(list: &[Mismatch], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(ToString::to_string))
}
