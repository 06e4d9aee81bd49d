//! `rehearse check`

mod routes;

use std::path::PathBuf;

use crate::{
    app::App,
    error::{CommandError, Exit},
    lambda,
    project::{self, Project},
};
use rehearse_scenario::{
    Options, Runner,
    report::{
        style::{GOOD, paint},
        text::count,
    },
};

/// Read scenarios, fixtures and template; run nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenario files and folders; those of rehearse.toml when left out.
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
}

pub(crate) fn check(args: Args, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let mut errors = Vec::new();
    let mut collect = |problem: CommandError| errors.extend(problem.errors);

    let backend = project.unlinked_backend().map_err(&mut collect).ok();
    let scenarios = project.scenarios(app, &args.paths).map_err(&mut collect).ok();
    let mut fixtures = 0;
    if let Some(backend) = &backend {
        if let Some(line) = routes::not_emulated(backend.template()) {
            app.ui.remark(line);
        }
        project.remark_unresolved(backend, app);
        lambda::remarks(backend.template()).iter().for_each(|line| app.ui.remark(line));
        for name in backend.fixtures() {
            fixtures += 1;
            if let Err(error) = backend.fixture(name) {
                collect(CommandError::wrong(error));
            }
        }
        if let Some(scenarios) = &scenarios {
            let runner = Runner::new(backend.clone(), Options::default());
            project::fit(&runner, scenarios).map_err(&mut collect).ok();
        }
    }
    project.persona().map_err(&mut collect).ok();
    let (Some(backend), Some(scenarios), true) = (backend, scenarios, errors.is_empty()) else {
        return Err(CommandError { exit: Exit::Wrong, errors, help: None });
    };
    let template = backend.template();
    for line in routes::table(template) {
        app.ui.line(line)?;
    }
    app.ui.line(format_args!(
        "{} {}, {}, {}, {}",
        paint(GOOD, "ok"),
        count(scenarios.len(), "scenario"),
        count(fixtures, "fixture"),
        count(template.functions.len(), "function"),
        count(template.tables.len(), "table"),
    ))?;
    Ok(Exit::Passed)
}
