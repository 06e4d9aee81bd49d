//! `rehearse db`: the rows of a running world, out and in.

mod batches;
mod dump;
mod load;

use crate::{
    app::App,
    error::{CommandError, Exit},
};

/// Move the rows of a running world as JSON
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the rows, as `aws dynamodb batch-write-item` reads them
    Dump(dump::Args),
    /// Write rows that were dumped; others stay as they are
    Load(load::Args),
}

pub(crate) fn db(args: Args, app: &App) -> Result<Exit, CommandError> {
    match args.command {
        Command::Dump(args) => dump::dump(args, app),
        Command::Load(args) => load::load(args, app),
    }
}
