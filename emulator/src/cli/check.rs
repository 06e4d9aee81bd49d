//! `rehearse check`

use std::path::PathBuf;

use super::{
    app::App,
    problem::{Exit, Problem, chain},
    world,
};
use crate::report::{
    style::{GOOD, paint},
    text::count,
};

/// Read scenarios, fixtures and template; run nothing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files and folders.
    #[arg(default_value = "scenarios", value_name = "PATHS")]
    paths: Vec<PathBuf>,
}

pub(super) fn check(args: Args, app: &App) -> Result<Exit, Problem> {
    let scenarios = world::scenarios(app, &args.paths)?;
    let runner = world::runner(app)?;
    let errors = runner.check(&scenarios);
    if !errors.is_empty() {
        return Err(Problem::all_wrong(errors.iter().map(|error| chain(error))));
    }
    app.ui.line(format_args!("{} {}", paint(GOOD, "ok"), count(scenarios.len(), "scenario")))?;
    Ok(Exit::Passed)
}
