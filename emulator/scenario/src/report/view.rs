//! What every report is made of.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::conversation::ConversationLine;
use crate::{ScenarioResult, Status};

/// A whole run, scenarios in the order of their files.
#[derive(Debug, Clone)]
pub struct Run {
    /// When it began.
    pub started: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// The seed that was asked for.
    pub seed: Option<u64>,
    /// The exit code of what ended it early: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
    pub interrupted: Option<u8>,
    /// Every selected scenario, also those that did not run.
    pub scenarios: Vec<ScenarioReport>,
    /// Why nothing was run, if files are wrong or the world cannot be started.
    pub not_started: Option<NotStarted>,
}

/// Why a run was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotStarted {
    /// The exit code: 2 when a file or the command line is wrong, 3 when the environment failed.
    pub exit_code: u8,
    /// What is wrong, a text each, with file and line where it has one.
    pub errors: Vec<String>,
}

/// One scenario of a run: its result, and what only reports need.
#[derive(Debug, Clone)]
pub struct ScenarioReport {
    /// Its name; unique in a run, also when scenarios are repeated.
    pub name: String,
    /// Its name in its file: the same in every repetition.
    pub full_name: String,
    /// Its file as the user would type it.
    pub file: String,
    /// Folder of the file below the root of all scenarios: `booking`.
    pub folder: String,
    /// The conversation until it ended; empty unless it failed.
    pub conversation: Vec<ConversationLine>,
    /// Its result; locations are paths as the user would type them.
    pub result: ScenarioResult,
}

/// How many scenarios ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
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
        for scenario in &self.scenarios {
            *match scenario.result.status {
                Status::Passed => &mut counts.passed,
                Status::Failed => &mut counts.failed,
                Status::Broken => &mut counts.broken,
                Status::EnvironmentFailed => &mut counts.errors,
                Status::Interrupted => &mut counts.interrupted,
                Status::NotRun => &mut counts.not_run,
                Status::Skipped => &mut counts.skipped,
            } += 1;
        }
        counts
    }

    /// What kept the run from being started; nothing when it was started.
    pub fn load_errors(&self) -> &[String] {
        self.not_started.as_ref().map_or(&[], |not_started| &not_started.errors)
    }

    /// The process exit code: the gravest of interruption,
    /// environment, wrong scenario and failed expectation.
    pub fn exit_code(&self) -> u8 {
        let counts = self.counts();
        if let Some(code) = self.interrupted {
            return code;
        }
        match () {
            () if self.not_started.is_some() => {
                self.not_started.as_ref().map_or(3, |not_started| not_started.exit_code)
            }
            () if counts.errors > 0 => 3,
            () if counts.broken > 0 => 2,
            () if counts.failed > 0 => 1,
            // Nothing was proved: that must not look like a success.
            () if counts.skipped > 0 && counts.passed == 0 => 2,
            () => 0,
        }
    }
}
