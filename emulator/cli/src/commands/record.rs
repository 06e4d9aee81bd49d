//! `rehearse record`

use std::path::PathBuf;

use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
    project::Project,
    recorded,
};
use rehearse_control::Client;
use rehearse_scenario::record::RecordRequest;

/// Write what happened in a running world as a scenario
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The last turn is recorded unless one of --turns, --all, --from and --to says otherwise. The file
goes into the folder `recorded` of the project's scenarios, and passes as it is: read what it
expects, and leave only what matters.

Examples:
  rehearse record \"A customer asks for a price\"
  rehearse record \"A customer books over three texts\" --turns 3
  rehearse record \"All of this morning\" --all --output scenarios/morning.yaml")]
pub(crate) struct Args {
    /// The scenario's name: what it proves.
    name: String,
    /// How many turns, counted from the last one.
    #[arg(long, value_name = "N", conflicts_with_all = ["all", "from", "to"], value_parser = clap::value_parser!(u32).range(1..))]
    turns: Option<u32>,
    /// Everything that the world's journal has.
    #[arg(long, conflicts_with_all = ["from", "to"])]
    all: bool,
    /// From the exchange at this position of the journal on; `rehearse log --json` shows positions.
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Up to the exchange at this position.
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Only texts of this person: a number or a name of rehearse.toml.
    #[arg(long, value_name = "NUMBER|NAME")]
    phone: Option<String>,
    /// Write this file, or `-` for the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn record(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let request = RecordRequest {
        name: args.name,
        turns: args.turns.map(|turns| turns as usize),
        all: args.all,
        from: args.from,
        to: args.to,
        phone: args.phone,
    };
    let recorded = app.block_on(client.record(&request))??;
    if args.output.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        app.ui.line(recorded.yaml.trim_end())?;
        return Ok(Exit::Passed);
    }
    let path = match args.output {
        Some(path) => app.root.join(path),
        None => recorded::place(&Project::find(app)?, &recorded.file),
    };
    let said = recorded::write(&recorded, &path, args.force, app)?;
    app.ui.line(said)?;
    Ok(Exit::Passed)
}
