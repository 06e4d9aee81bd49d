//! `rehearse fault`

use std::fmt::Write as _;

use crate::{
    app::App,
    control::{ControlArgs, OneOrAll, one_or_all, print_json},
    error::{CommandError, Exit},
};
use rehearse_control::{ArmedFault, Client};
use rehearse_scenario::report::style::{DIM, paint};

/// Let calls in a running world fail, and see how often each failure struck
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
Examples:
  rehearse fault                                         what is armed, with counts
  rehearse fault arm openai.responses 503
  rehearse fault arm openai.chat '{ cut: mid-stream }' --times 1
  rehearse fault arm dynamodb.Query stale --table Schedule
  rehearse fault disarm 0
  rehearse fault disarm all"
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
    /// List the armed faults
    List,
    /// Arm a fault, in the words of a scenario's `faults:`
    Arm(ArmArgs),
    /// Disarm one fault, or all
    Disarm {
        /// The id that `rehearse fault` shows, or `all`.
        #[arg(value_name = "ID|all", value_parser = one_or_all)]
        which: OneOrAll,
    },
}

#[derive(Debug, clap::Args)]
struct ArmArgs {
    /// The exchange's name in the journal, such as openai.responses or `dynamodb.*`.
    on: String,
    /// How it fails: a status, a word such as cut-before, or a map of YAML.
    fail: String,
    /// How many calls fail; all from now on when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    times: Option<u32>,
    /// How many calls go through first.
    #[arg(long, value_name = "N")]
    skip: Option<u32>,
    /// Only this one of the calls, counted from 1.
    #[arg(long, value_name = "N", conflicts_with_all = ["times", "skip"], value_parser = clap::value_parser!(u32).range(1..))]
    call: Option<u32>,
    /// The part of the calls that fail, 0.2 for about one in five.
    #[arg(long, value_name = "PART")]
    chance: Option<f64>,
    /// Only calls to the database that touch this table, by its logical id.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
}

pub(crate) fn fault(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let json = args.json;
    app.block_on(async {
        let shown = match args.command.unwrap_or(Command::List) {
            Command::List => {
                let faults = client.faults().await?;
                if json {
                    return print_json(app, &faults);
                }
                if faults.faults.is_empty() {
                    app.ui.note(paint(DIM, "no fault is armed"));
                }
                faults.faults
            }
            Command::Arm(args) => {
                let armed = client.arm_faults(&args.yaml()).await?;
                if json {
                    return print_json(app, &armed);
                }
                armed.faults
            }
            Command::Disarm { which: OneOrAll::One(id) } => {
                let fault = client.disarm_fault(id).await?;
                if json {
                    return print_json(app, &fault);
                }
                vec![fault]
            }
            Command::Disarm { which: OneOrAll::All } => {
                let disarmed = client.disarm_faults().await?;
                if json {
                    return print_json(app, &disarmed);
                }
                app.ui.line("disarmed: no fault is armed")?;
                Vec::new()
            }
        };
        for fault in shown {
            app.ui.line(line(&fault))?;
        }
        Ok::<_, CommandError>(())
    })??;
    Ok(Exit::Passed)
}

impl ArmArgs {
    /// The fault as an entry of a scenario. How it fails is passed on as it is typed, so that the world
    /// reads and judges it.
    fn yaml(&self) -> String {
        // JSON's strings are YAML's.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text = format!("on: {}\nfail: {}\n", quoted(&self.on), self.fail);
        let numbers = [("times", self.times), ("skip", self.skip), ("call", self.call)];
        for (name, number) in numbers {
            if let Some(number) = number {
                let _ = writeln!(text, "{name}: {number}");
            }
        }
        if let Some(chance) = self.chance {
            let _ = writeln!(text, "chance: {chance}");
        }
        if let Some(table) = &self.table {
            let _ = writeln!(text, "table: {}", quoted(table));
        }
        text
    }
}

/// `0  openai.responses  {"status":503}  struck 2 of 3 calls`
fn line(fault: &ArmedFault) -> String {
    let failure = serde_json::to_string(&fault.failure).unwrap_or_default();
    let mut about = format!("struck {} of {} calls", fault.injected, fault.matched);
    if fault.spent {
        about += ", used up";
    }
    format!("{}  {}  {failure}  {}", fault.id, fault.on, paint(DIM, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_scenarios_write_it() {
        let args = ArmArgs {
            on: "dynamodb.Query".into(),
            fail: "{ status: 500 }".into(),
            times: Some(2),
            skip: None,
            call: None,
            chance: Some(0.5),
            table: Some("Leads".into()),
        };
        let expected = "on: \"dynamodb.Query\"\nfail: { status: 500 }\ntimes: 2\nchance: 0.5\ntable: \"Leads\"\n";
        assert_eq!(args.yaml(), expected);
        assert!(one_or_all("one").is_err());
    }
}
