//! `rehearse schema`

use crate::{
    app::App,
    error::{CommandError, Exit},
    project::Project,
};
use rehearse_aws::template::Settings;
use rehearse_scenario::{self as scenario, report};

/// Print the scenario format as JSON Schema, for editors
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// With the names of this project: fixtures, tables, people, functions, routes.
    #[arg(long)]
    project: bool,
    /// Print the shape of `run --report json` instead.
    #[arg(long, conflicts_with_all = ["project", "toml"])]
    report: bool,
    /// Print the shape of rehearse.toml instead.
    #[arg(long, conflicts_with = "project")]
    toml: bool,
}

pub(crate) fn schema(args: &Args, app: &App) -> Result<Exit, CommandError> {
    let schema = if args.report {
        report::json_schema()
    } else if args.toml {
        Settings::schema()
    } else if args.project {
        scenario::schema_for(&Project::find(app)?.unlinked_backend()?)
    } else {
        scenario::schema()
    };
    app.ui.line(format_args!("{schema:#}"))?;
    Ok(Exit::Passed)
}
