//! `rehearse reset`

use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
};
use rehearse_control::Client;

/// Empty a running world: tables, texts, journal and scripts
#[derive(Debug, clap::Args)]
#[command(after_help = "\
With `up --data` the rows in the folder go as well; `rehearse db dump` saves them before.")]
pub(crate) struct Args {
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn reset(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    app.block_on(async { client.reset().await })??;
    app.ui.line("reset: tables, texts and journal are empty")?;
    Ok(Exit::Passed)
}
