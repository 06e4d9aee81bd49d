//! Results of the runner as the reports tell them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::{super::app::App, Job, execute::Ended};
use crate::{
    report::{
        Difference, Failure, Ran, Status, Step,
        conversation::{Detail, Reader},
    },
    scenario::{self, Problem, Report, Scenario},
};

/// Turns results into the view.
pub(super) struct Viewer {
    root: PathBuf,
    program: &'static str,
}

impl Viewer {
    /// Shows paths from the root, and commands as the user starts them.
    pub(super) fn new(app: &App) -> Self {
        Self { root: app.root.clone(), program: app.program }
    }

    /// The folder of a scenario, below the folder of all of them.
    pub(super) fn folder(&self, job: &Job) -> String {
        let path = self.shown(job.scenario.path());
        let folder = path.parent().unwrap_or(Path::new(""));
        folder.strip_prefix("scenarios").unwrap_or(folder).display().to_string()
    }

    /// A job and how it ended.
    pub(super) fn ran(&self, job: &Job, ended: Ended) -> Ran {
        let scenario = &job.scenario;
        let full_name = scenario.full_name();
        let name = match job.iteration {
            Some(i) => format!("{full_name} #{i}"),
            None => full_name.clone(),
        };
        let base = Ran {
            name,
            full_name,
            file: self.shown(scenario.path()).display().to_string(),
            folder: self.folder(job),
            line: scenario.line(),
            tags: scenario.tags().to_vec(),
            status: Status::NotRun,
            took: Duration::ZERO,
            failures: Vec::new(),
            conversation: Vec::new(),
            journal: Vec::new(),
            replay: self.replay(scenario, job.seed),
            zone: TimeZone::UTC,
        };
        match ended {
            Ended::NotBegun => base,
            Ended::Panicked(text) => Ran {
                status: Status::Error,
                failures: vec![Failure {
                    message: format!("the emulator panicked: {text}"),
                    ..Failure::default()
                }],
                ..base
            },
            Ended::Ran(report) => self.reported(base, *report),
        }
    }

    fn reported(&self, base: Ran, report: Report) -> Ran {
        let reader = Reader::new(report.people, Detail::Story);
        let (status, failures) = match report.status {
            scenario::Status::Passed => (Status::Passed, Vec::new()),
            scenario::Status::Failed(failure) => (Status::Failed, self.failures(failure)),
            scenario::Status::Broken(failure) => (Status::Broken, self.failures(failure)),
            scenario::Status::EnvironmentFailed(message) => {
                (Status::Error, vec![Failure { message, ..Failure::default() }])
            }
        };
        let told = status != Status::Passed;
        let conversation = if told { reader.lines(&report.journal) } else { Vec::new() };
        let replay = match report.replay.strip_prefix("rehearse ") {
            Some(arguments) => format!("{} {arguments}", self.program),
            None => base.replay,
        };
        Ran {
            status,
            took: report.took,
            failures,
            conversation,
            journal: report.journal,
            zone: report.zone,
            replay,
            ..base
        }
    }

    fn failures(&self, failure: scenario::Failure) -> Vec<Failure> {
        let step = Step { number: failure.step, title: failure.title };
        failure.problems.into_iter().map(|p| self.failure(&step, p)).collect()
    }

    fn failure(&self, step: &Step, problem: Problem) -> Failure {
        let whole = match (problem.expected, problem.actual) {
            (None, None) => None,
            (expected, actual) => Some(Difference {
                path: String::new(),
                expected: expected.unwrap_or_else(|| "nothing".into()),
                actual: actual.unwrap_or_else(|| "nothing".into()),
            }),
        };
        let parts = problem.mismatches.into_iter().map(|m| Difference {
            path: m.path,
            expected: m.expected,
            actual: m.actual,
        });
        let place = problem.place.map(|place| {
            format!("{}:{}", self.shown(Path::new(&place.file)).display(), place.line)
        });
        Failure {
            step: Some(step.clone()),
            place,
            message: problem.summary,
            differences: whole.into_iter().chain(parts).collect(),
            nearest: problem.nearest,
        }
    }

    fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// The command that runs just this, for results that the runner did not make.
    fn replay(&self, scenario: &Scenario, seed: Option<u64>) -> String {
        let path = self.shown(scenario.path()).display().to_string();
        let seed = seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
        format!("{} run {path}{seed}", self.program)
    }
}
