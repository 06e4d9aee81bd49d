//! From the command line to scenarios and worlds.

use std::path::PathBuf;

use super::{
    app::App,
    problem::{Problem, chain},
};
use crate::scenario::{self, Runner, Scenario};

/// The scenarios under these paths, with all that is wrong told at once.
pub(super) fn scenarios(app: &App, paths: &[PathBuf]) -> Result<Vec<Scenario>, Problem> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| app.path(path)).collect();
    scenario::read(&paths)
        .map_err(|errors| Problem::all_wrong(errors.iter().map(|error| chain(error))))
}

/// What runs them.
pub(super) fn runner(_app: &App) -> Result<Runner, Problem> {
    Err(Problem::environment("to come"))
}
