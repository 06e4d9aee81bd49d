//! The journals of scenarios, of a run that is made now or of the report of one, for what is said of all
//! of them together.

use std::path::{Path, PathBuf};

use crate::{
    app::App,
    backend,
    error::{CommandError, Exit},
    execute::{Limits, default_jobs, execute, passed, result, whole},
    project::Project,
    target::{ChosenTarget, TargetArgs},
};
use rehearse_core::journal::Exchange;
use rehearse_scenario::{
    Options,
    report::{self, text::count},
};

/// Whose journals are read.
#[derive(Debug, clap::Args)]
pub(crate) struct JournalArgs {
    /// Scenario files and folders; those of rehearse.toml when left out.
    #[arg(value_name = "PATHS", conflicts_with = "report")]
    paths: Vec<PathBuf>,
    /// Read this JSON report, made with --report-journal, in place of running.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
}

impl JournalArgs {
    /// Gives `add` each journal: of the report, or of scenarios that are run now, quietly. A backend at a
    /// URL is not run here; `external` says why, to whoever names it.
    ///
    /// # Errors
    /// When the report cannot be read or has no journals, the backend is one at a URL, or a scenario does
    /// not pass: what it did not get to is not in its journal.
    pub(crate) fn read(
        &self,
        project: &Project,
        app: &App,
        external: impl FnOnce(String) -> CommandError,
        add: impl FnMut(&[Exchange]),
    ) -> Result<(), CommandError> {
        if let Some(file) = &self.report {
            return of_report(&app.root.join(file), add);
        }
        let target = self.target.choose(project, app)?;
        match target.external() {
            Some(backend) => Err(external(backend.to_string())),
            None => of_run(project, &target, &self.paths, app, add),
        }
    }
}

fn of_report(file: &Path, add: impl FnMut(&[Exchange])) -> Result<(), CommandError> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| CommandError::wrong(format!("failed to read {name}")).because(error))?;
    let journals = report::journals(&text).map_err(|error| {
        CommandError::wrong(format!("{name} is not a JSON report")).because(error)
    })?;
    if journals.is_empty() {
        return Err(CommandError::wrong(format!("{name} has no journals"))
            .help("make it with `rehearse run --report json=FILE --report-journal`"));
    }
    journals.iter().map(Vec::as_slice).for_each(add);
    Ok(())
}

fn of_run(
    project: &Project,
    target: &ChosenTarget,
    paths: &[PathBuf],
    app: &App,
    mut add: impl FnMut(&[Exchange]),
) -> Result<(), CommandError> {
    let scenarios = project.scenarios(app, paths)?;
    let backend = backend::of(project, target, app)?;
    let runner = project.runner(backend, Options::default(), &scenarios)?;
    let mut failed = Vec::new();
    let start = |i: usize| {
        let (runner, scenario) = (runner.clone(), scenarios[i].clone());
        async move { runner.run(&scenario).await }
    };
    let done = |i: usize, ended| {
        if !passed(&ended) {
            failed.push(scenarios[i].full_name());
        }
        if let Some(report) = result(&ended) {
            add(&report.journal);
        }
        false
    };
    let limits = Limits { at_once: default_jobs().get(), fail_fast: false };
    app.block_on(execute(whole(0..scenarios.len()), limits, start, std::future::pending(), done))?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(CommandError {
            exit: Exit::Failed,
            ..CommandError::wrong(format!(
                "{} did not pass, so what they use is not known; the first is \"{first}\"",
                count(failed.len(), "scenario")
            ))
            .help("see why with `rehearse run`")
        }),
    }
}
