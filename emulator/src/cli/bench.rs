//! `rehearse bench`

use super::{
    app::App,
    problem::{Exit, Problem},
};

/// To come
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn bench(_args: Args, _app: &App) -> Result<Exit, Problem> {
    Err(Problem::environment("to come"))
}
