//! `rehearse schema`

use crate::{
    app::App,
    error::{CommandError, Exit},
};
use rehearse_aws::template::Settings;
use rehearse_scenario as scenario;

/// Print the scenario format, or rehearse.toml, as JSON Schema, for editors
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// The schema of rehearse.toml instead.
    #[arg(long)]
    toml: bool,
}

pub(crate) fn schema(args: &Args, app: &App) -> Result<Exit, CommandError> {
    let schema = if args.toml { Settings::schema() } else { scenario::schema() };
    app.ui.line(format_args!("{schema:#}"))?;
    Ok(Exit::Passed)
}
