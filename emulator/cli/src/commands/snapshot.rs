//! `rehearse snapshot`

use crate::{
    app::App,
    control::{ControlArgs, print_json},
    error::{CommandError, Exit},
};
use rehearse_control::{Client, SnapshotInfo, SnapshotRequest};
use rehearse_scenario::report::{
    style::{DIM, paint},
    text::count,
};

/// Remember the rows, the time and the opt-outs of a running world, and go back to them
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Snapshots are kept in the world's memory, at most 20, until it ends. Texts, journal, scripts and
faults are not part of one.

Examples:
  rehearse snapshot take before-the-visit
  rehearse snapshot restore before-the-visit
  rehearse snapshot                              what is remembered"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    control: ControlArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the snapshots
    List,
    /// Take a snapshot
    Take {
        /// Its name; a number when left out. An earlier one of this name is replaced.
        name: Option<String>,
    },
    /// Go back to a snapshot
    Restore {
        /// Its name.
        name: String,
    },
    /// Forget a snapshot
    Remove {
        /// Its name.
        name: String,
    },
}

pub(crate) fn snapshot(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    app.block_on(async {
        let (done, info) = match args.command.unwrap_or(Command::List) {
            Command::List => {
                let all = client.snapshots().await?;
                if args.json {
                    return print_json(app, &all);
                }
                if all.snapshots.is_empty() {
                    app.ui.note(paint(DIM, "there is no snapshot"));
                }
                for info in &all.snapshots {
                    app.ui.line(line("", info))?;
                }
                return Ok(());
            }
            Command::Take { name } => {
                ("taken: ", client.take_snapshot(&SnapshotRequest { name }).await?)
            }
            Command::Restore { name } => ("restored: ", client.restore_snapshot(&name).await?),
            Command::Remove { name } => ("removed: ", client.remove_snapshot(&name).await?),
        };
        if args.json {
            return print_json(app, &info);
        }
        app.ui.line(line(done, &info))?;
        Ok::<_, CommandError>(())
    })??;
    Ok(Exit::Passed)
}

fn line(done: &str, info: &SnapshotInfo) -> String {
    let rows = count(info.rows.values().sum(), "row");
    format!("{done}{}  {}", info.name, paint(DIM, format!("{rows}, {}", info.now)))
}
