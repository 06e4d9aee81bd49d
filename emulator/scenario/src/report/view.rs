//! What every report tells.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::conversation::ConversationLine;
use rehearse_core::journal::Exchange;

/// A whole run, scenarios in the order of their files.
#[derive(Debug, Clone)]
pub struct Run {
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The seed that was asked for.
    pub seed: Option<u64>,
    /// Whether Ctrl-C ended it.
    pub interrupted: bool,
    /// Every selected scenario, also those that did not run.
    pub scenarios: Vec<ScenarioReport>,
}

/// One scenario of a run.
#[derive(Debug, Clone)]
pub struct ScenarioReport {
    /// Its name; unique in a run, also when scenarios are repeated.
    pub name: String,
    /// Its name in its file: the same in every repetition.
    pub full_name: String,
    /// Its file as the user would type it.
    pub file: String,
    /// Folder of the file below the scenarios' root: `booking`.
    pub folder: String,
    /// Line where it begins.
    pub line: u64,
    /// Its tags.
    pub tags: Vec<String>,
    /// How it ended.
    pub status: Status,
    /// How long it took.
    pub took: Duration,
    /// What failed; empty unless it failed.
    pub failures: Vec<Failure>,
    /// The conversation as far as it came.
    pub conversation: Vec<ConversationLine>,
    /// Every exchange, where it was kept.
    pub journal: Vec<Exchange>,
    /// The command that runs just this again.
    pub replay: String,
    /// Where the shop is, for times of the conversation.
    pub zone: TimeZone,
}

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything was as expected.
    Passed,
    /// An expectation failed.
    Failed,
    /// The scenario itself is wrong, as only running it could tell.
    Broken,
    /// It could not be run: the environment's fault.
    Error,
    /// Ctrl-C came while it ran.
    Interrupted,
    /// It was not begun.
    NotRun,
    /// It was not run, since the target cannot give what it needs; the failure says what.
    Skipped,
}

impl Status {
    /// The word of the machine-readable reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Broken => "broken",
            Self::Error => "error",
            Self::Interrupted => "interrupted",
            Self::NotRun => "not_run",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// The step to blame, where there is one.
    pub step: Option<Step>,
    /// `scenarios/a.yaml:17`.
    pub place: Option<String>,
    /// What went wrong, in a sentence without a full stop.
    pub message: String,
    /// Where expectation and result differ.
    pub differences: Vec<Difference>,
    /// What came nearest to an unexpected request: `step 2, round 1`.
    pub nearest: Option<String>,
    /// What else helps, a line each.
    pub notes: Vec<String>,
}

/// A step of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Position from 1: `2`, or `2.1` inside a group.
    pub number: String,
    /// The step in short.
    pub title: String,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `results[0].available_slots`; empty for the value itself.
    pub path: String,
    /// What must be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after Status")]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub broken: usize,
    pub errors: usize,
    pub interrupted: usize,
    pub not_run: usize,
    pub skipped: usize,
}

impl Counts {
    /// All that were begun.
    pub fn run(&self) -> usize {
        self.passed + self.failed + self.broken + self.errors + self.interrupted
    }
}

impl Run {
    /// How many scenarios ended how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for ran in &self.scenarios {
            *match ran.status {
                Status::Passed => &mut counts.passed,
                Status::Failed => &mut counts.failed,
                Status::Broken => &mut counts.broken,
                Status::Error => &mut counts.errors,
                Status::Interrupted => &mut counts.interrupted,
                Status::NotRun => &mut counts.not_run,
                Status::Skipped => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    /// The process exit code: the gravest of interruption,
    /// environment, wrong scenario and failed expectation.
    pub fn exit_code(&self) -> u8 {
        let counts = self.counts();
        match () {
            () if self.interrupted => 130,
            () if counts.errors > 0 => 3,
            () if counts.broken > 0 => 2,
            () if counts.failed > 0 => 1,
            // Nothing was proved: that must not look like a success.
            () if counts.skipped > 0 && counts.passed == 0 => 2,
            () => 0,
        }
    }
}
