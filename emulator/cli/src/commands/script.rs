//! `rehearse script`

use std::{io::Read as _, path::PathBuf};

use crate::{
    app::App,
    control::{ControlArgs, OneOrAll, one_or_all, print_json},
    error::{CommandError, Exit},
};
use rehearse_control::{Client, ScriptReport, Scripts};
use rehearse_scenario::report::style::{ACTUAL, DIM, GOOD, paint};

/// Script the model of a running world, and see what is unmet
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "\
A script has the text that it answers and the rounds of a scenario's `model:`, in YAML or JSON:

  text: Book me for tomorrow at 2pm
  model:
    - call: { book_slot: { date: \"{{ day(1) }}\", time: \"2:00 PM\" } }
    - sees: { results: [{ success: true }] }
      say: You're all set.

Examples:
  rehearse script arm book.yaml
  rehearse script                  what is unmet; exit code 1 if anything is
  rehearse script remove all       the same, and the scripts are gone

Exit code: 1 when something is unmet, except after `arm`."
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
    /// List the scripts, and tell what is unmet
    List,
    /// Arm a script
    Arm {
        /// The file; `-` is the standard input.
        file: PathBuf,
    },
    /// Remove one script or all, and tell what is unmet
    Remove {
        /// The id that `rehearse script` shows, or `all`.
        #[arg(value_name = "ID|all", value_parser = one_or_all)]
        which: OneOrAll,
    },
}

pub(crate) fn script(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let text = match &args.command {
        Some(Command::Arm { file }) => Some(text(file, app)?),
        _ => None,
    };
    app.block_on(async {
        let all = match args.command.unwrap_or(Command::List) {
            Command::List => client.scripts().await?,
            Command::Remove { which: OneOrAll::All } => client.remove_scripts().await?,
            Command::Remove { which: OneOrAll::One(id) } => {
                let script = client.remove_script(id).await?;
                if args.json {
                    print_json(app, &script)?;
                } else {
                    show(app, &script)?;
                }
                return Ok(if script.met { Exit::Passed } else { Exit::Failed });
            }
            Command::Arm { .. } => {
                let script = client.arm_script(text.as_deref().unwrap_or_default()).await?;
                if args.json {
                    print_json(app, &script)?;
                } else {
                    let about = script.text.as_deref().unwrap_or("any text");
                    let about = paint(DIM, format!("for {about}"));
                    app.ui.line(format_args!("armed: {}  {about}", script.name))?;
                }
                return Ok(Exit::Passed);
            }
        };
        if args.json {
            print_json(app, &all)?;
        } else {
            show_all(app, &all)?;
        }
        Ok(if all.met { Exit::Passed } else { Exit::Failed })
    })?
}

fn text(file: &std::path::Path, app: &App) -> Result<String, CommandError> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        let read = app.ui.input().read_to_string(&mut text);
        read.map_err(|e| CommandError::wrong("failed to read the input").because(e))?;
        return Ok(text);
    }
    let path = app.root.join(file);
    std::fs::read_to_string(&path)
        .map_err(|e| CommandError::wrong(format!("failed to read {}", path.display())).because(e))
}

fn show_all(app: &App, all: &Scripts) -> Result<(), CommandError> {
    if all.scripts.is_empty() && all.met {
        app.ui.note(paint(DIM, "no script is armed"));
    }
    for script in &all.scripts {
        show(app, script)?;
    }
    if !all.unexpected.is_empty() {
        app.ui.line(paint(ACTUAL, "requests that no script is for"))?;
        for line in all.unexpected.iter().flat_map(|unmet| unmet.report.lines()) {
            app.ui.line(format_args!("  {line}"))?;
        }
    }
    Ok(())
}

fn show(app: &App, script: &ScriptReport) -> Result<(), CommandError> {
    match &script.report {
        Some(report) => app.ui.line(report)?,
        None => {
            let about = script.text.as_deref().unwrap_or("any text");
            let about = paint(DIM, format!("text: {about}"));
            app.ui.line(format_args!("{}, {about}  {}", script.name, paint(GOOD, "met")))?;
        }
    }
    Ok(())
}
