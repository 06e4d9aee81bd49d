//! Turns results of the runner into reports.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    ScenarioReport,
    conversation::{Detail, Reader},
};
use crate::{Problem, Scenario, ScenarioResult, Status};

/// Turns results into reports, with paths as the user would type them.
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
    /// The folder of a scenario's file, below the folder of all of them.
    pub fn folder(&self, file: &Path) -> String {
        let folder = file.parent().unwrap_or(Path::new(""));
        let below = folder.strip_prefix(&self.scenarios);
        below.unwrap_or_else(|_| self.shown(folder)).display().to_string()
    }

    /// The report of a scenario that was not started.
    pub fn not_run(&self, scenario: &Scenario) -> ScenarioReport {
        let mut result = ScenarioResult::not_run(scenario);
        result.replay = format!("rehearse run {}", self.shown(scenario.path()).display());
        self.report(result)
    }

    /// The report of a scenario during which the emulator panicked with this message.
    pub fn panicked(&self, scenario: &Scenario, message: &str) -> ScenarioReport {
        let mut report = self.not_run(scenario);
        report.result.status = Status::EnvironmentFailed;
        report.result.problems = vec![Problem::new(format!("the emulator panicked: {message}"))];
        report
    }

    /// The report of a result.
    pub fn report(&self, mut result: ScenarioResult) -> ScenarioReport {
        for location in result.problems.iter_mut().filter_map(|problem| problem.location.as_mut()) {
            location.file = self.shown(Path::new(&location.file)).display().to_string();
        }
        result.replay = self.command(&result.replay);
        let conversation = if result.status.is_failure() {
            let reader = Reader::new(result.people.clone(), Detail::Story);
            reader.with_tables(self.tables.clone()).lines(&result.journal)
        } else {
            Vec::new()
        };
        let full_name = result.full_name();
        ScenarioReport {
            name: full_name.clone(),
            full_name,
            file: self.shown(&result.path).display().to_string(),
            folder: self.folder(&result.path),
            conversation,
            result,
        }
    }

    fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// A command of `rehearse`, as this user starts it.
    pub fn command(&self, command: &str) -> String {
        match (&self.program, command.strip_prefix("rehearse ")) {
            (Some(program), Some(arguments)) => format!("{program} {arguments}"),
            _ => command.to_owned(),
        }
    }
}
