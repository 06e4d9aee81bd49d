//! `rehearse schema`

use crate::{
    app::App,
    error::{CommandError, Exit},
    project::Project,
};
use rehearse_scenario::{self as scenario, report};

/// Print the scenario format as JSON Schema, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// With the names of this project: fixtures, tables, people, functions, routes.
    #[arg(long)]
    project: bool,
    /// Print the shape of `run --report json` instead.
    #[arg(long, conflicts_with = "project")]
    report: bool,
}

pub(crate) fn schema(args: Args, app: &App) -> Result<Exit, CommandError> {
    let schema = match (args.report, args.project) {
        (true, _) => report::json_schema(),
        (_, true) => scenario::schema_for(&Project::find(app)?.unlinked_backend()?),
        _ => scenario::schema(),
    };
    app.ui.line(format_args!("{schema:#}"))?;
    Ok(Exit::Passed)
}
