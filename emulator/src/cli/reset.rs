//! `rehearse reset`

use super::{
    app::App,
    args::Control,
    problem::{Exit, Problem},
};
use crate::control::Client;

/// Put a running world back to its start
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    control: Control,
}

pub(super) fn reset(args: Args, app: &App) -> Result<Exit, Problem> {
    let client = Client::new(&args.control.control)?;
    app.block_on(async { client.reset().await })??;
    app.ui.line("reset: tables, texts and journal are as at the start")?;
    Ok(Exit::Passed)
}
