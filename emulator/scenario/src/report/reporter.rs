//! Results of the runner as the reports tell them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;

use super::{
    Difference, Failure, ScenarioReport, Status, Step,
    conversation::{Detail, Reader},
};
use crate::{Problem, Scenario, ScenarioResult};

/// Turns results into the view.
#[derive(Debug, Clone, Default)]
pub struct Reporter {
    /// Paths are shown from here.
    pub root: PathBuf,
    /// Folder of all scenarios; those below it are grouped.
    pub scenarios: PathBuf,
    /// How the user starts this program, where it is not `rehearse`.
    pub program: Option<String>,
    /// Logical ids of tables by their names.
    pub tables: BTreeMap<String, String>,
}

impl Reporter {
    /// The folder of a scenario, below the folder of all of them.
    pub fn folder(&self, scenario: &Scenario) -> String {
        let folder = scenario.path().parent().unwrap_or(Path::new(""));
        let below = folder.strip_prefix(&self.scenarios);
        below.unwrap_or_else(|_| self.shown(folder)).display().to_string()
    }

    /// A scenario that was not run.
    pub fn not_run(&self, scenario: &Scenario) -> ScenarioReport {
        let file = self.shown(scenario.path()).display().to_string();
        ScenarioReport {
            name: scenario.full_name(),
            full_name: scenario.full_name(),
            folder: self.folder(scenario),
            line: scenario.line(),
            tags: scenario.tags().to_vec(),
            status: Status::NotRun,
            took: Duration::ZERO,
            failures: Vec::new(),
            conversation: Vec::new(),
            journal: Vec::new(),
            replay: self.command(&format!("rehearse run {file}")),
            zone: TimeZone::UTC,
            file,
        }
    }

    /// A scenario that broke the emulator itself.
    pub fn panicked(&self, scenario: &Scenario, how: &str) -> ScenarioReport {
        let message = format!("the emulator panicked: {how}");
        let failures = vec![Failure { message, ..Failure::default() }];
        ScenarioReport { status: Status::Error, failures, ..self.not_run(scenario) }
    }

    /// A scenario and how it went.
    pub fn finished(&self, scenario: &Scenario, report: ScenarioResult) -> ScenarioReport {
        let (status, failures) = match report.status {
            crate::Status::Passed => (Status::Passed, Vec::new()),
            crate::Status::Failed(failure) => (Status::Failed, self.failures(failure)),
            crate::Status::Broken(failure) => (Status::Broken, self.failures(failure)),
            crate::Status::EnvironmentFailed(message) => {
                (Status::Error, vec![Failure { message, ..Failure::default() }])
            }
            crate::Status::Skipped(skip) => {
                let place = Some(self.place(&skip.place));
                (
                    Status::Skipped,
                    vec![Failure { place, message: skip.reason, ..Failure::default() }],
                )
            }
        };
        let told = !matches!(status, Status::Passed | Status::Skipped);
        let conversation = if !told {
            Vec::new()
        } else {
            let reader = Reader::new(report.people, Detail::Story);
            reader.with_tables(self.tables.clone()).lines(&report.journal)
        };
        ScenarioReport {
            status,
            took: report.took,
            failures,
            conversation,
            journal: report.journal,
            replay: self.command(&report.replay),
            zone: report.zone,
            ..self.not_run(scenario)
        }
    }

    fn failures(&self, failure: crate::Failure) -> Vec<Failure> {
        let step = Step { number: failure.step, title: failure.title };
        failure.problems.into_iter().map(|p| self.failure(&step, p)).collect()
    }

    fn failure(&self, step: &Step, problem: Problem) -> Failure {
        let (expected, actual) = (problem.expected, problem.actual);
        let whole = (expected.is_some() || actual.is_some()).then(|| Difference {
            path: String::new(),
            expected: expected.unwrap_or_else(|| "nothing".into()),
            actual: actual.unwrap_or_else(|| "nothing".into()),
        });
        let parts: Vec<Difference> = problem
            .mismatches
            .into_iter()
            .map(|m| Difference { path: m.path, expected: m.expected, actual: m.actual })
            .collect();
        // Places inside a value say more than the value; without any, the value says all.
        let named = parts.iter().any(|part| !part.path.is_empty());
        let differences = match whole {
            Some(whole) if !named => vec![whole],
            _ => parts,
        };
        let place = problem.place.map(|place| self.place(&place));
        Failure {
            step: Some(step.clone()),
            place,
            message: problem.summary,
            differences,
            nearest: problem.nearest,
            notes: problem.notes,
        }
    }

    fn place(&self, place: &crate::SourceLocation) -> String {
        format!("{}:{}", self.shown(Path::new(&place.file)).display(), place.line)
    }

    fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// A command of `rehearse`, as this user starts it.
    fn command(&self, command: &str) -> String {
        match (&self.program, command.strip_prefix("rehearse ")) {
            (Some(program), Some(arguments)) => format!("{program} {arguments}"),
            _ => command.to_owned(),
        }
    }
}
