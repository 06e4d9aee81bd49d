//! The command line as clap parses it.

use clap::{Parser, Subcommand, builder::styling};

use crate::commands::{
    bench, chat, check, clock, completions, coverage, db, doctor, env, exec, explore, fault, iam,
    init, log, man, ready, record, reset, run, schema, script, send, snapshot, up,
};

const STYLES: styling::Styles = styling::Styles::styled()
    .header(styling::Style::new().bold())
    .usage(styling::Style::new().bold())
    .literal(styling::AnsiColor::Cyan.on_default())
    .placeholder(styling::Style::new().dimmed())
    .error(styling::AnsiColor::Red.on_default().bold())
    .valid(styling::AnsiColor::Green.on_default())
    .invalid(styling::AnsiColor::Yellow.on_default());

const SHORT_VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), " (", env!("REHEARSE_BUILT_FROM"), ")");

const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("REHEARSE_BUILT_FROM"),
    ")\ntarget: ",
    env!("REHEARSE_TARGET"),
    "\ndatabases: embedded, DynamoDB Local in Docker, any DynamoDB at a URL"
);

const EXAMPLES: &str = "\
Examples:
  rehearse run                           every scenario, offline
  rehearse run scenarios/booking         one folder
  rehearse run --tag booking --last-failed
  rehearse up                            keep a world running on ports 4000-4060
  rehearse send \"Do you fix iPhones?\"    text it, in another terminal
  rehearse chat                          text it here
  rehearse exec -- pytest                your own test suite in a world of its own

Exit codes:
  0 passed   1 an expectation failed   2 a scenario or the command line is wrong
  3 the environment failed   130 interrupted   143 ended by SIGTERM, 129 by SIGHUP

Debugging:
  RUST_LOG=rehearse=debug rehearse run PATH    what the emulator logs, in spans of scenario, step,
                                               webhook and exchange, on standard error
  RUST_LOG is a filter by crate and level; REHEARSE_LOG overrides it.
  `rehearse log` and `run --report-journal --report json=FILE` show the exchanges themselves.";

/// Rehearse a whole SMS backend on a laptop: its handlers, DynamoDB, Twilio, OpenAI and API Gateway, offline.
#[derive(Debug, Parser)]
#[command(
    name = "rehearse",
    version = SHORT_VERSION,
    long_version = LONG_VERSION,
    styles = STYLES,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    infer_long_args = false,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// When to use colours; `auto` follows the terminal, NO_COLOR and CLICOLOR.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios
    Run(run::Args),
    /// Read scenarios, fixtures and template; run nothing
    Check(check::Args),
    /// Print the scenario format as JSON Schema, for editors
    Schema(schema::Args),
    Init(init::Args),
    /// Keep the whole world running on fixed ports
    Up(up::Args),
    /// Text the backend in this terminal, in a world of its own
    Chat(chat::Args),
    /// Send a text to a running world and print the replies
    Send(send::Args),
    /// Show the conversation of a running world
    Log(log::Args),
    /// Write what happened in a running world as a scenario
    Record(record::Args),
    /// Move the rows of a running world as JSON
    Db(db::Args),
    /// Show or move the business time of a running world
    Clock(clock::Args),
    /// Let calls in a running world fail, and see how often each failure struck
    Fault(fault::Args),
    /// Script the model of a running world, and see what is unmet
    Script(script::Args),
    /// Remember the rows, the time and the opt-outs of a running world, and go back to them
    Snapshot(snapshot::Args),
    /// Put a running world back to its start
    Reset(reset::Args),
    /// Say whether a world is running
    Ready(ready::Args),
    /// Run a command in a world of its own, such as a test suite
    Exec(exec::Args),
    /// Print what to export for a running world
    Env(env::Args),
    /// Compare the permissions that functions used with those that the template grants
    Iam(iam::Args),
    /// Print what the scenarios have touched of tools, providers, webhooks and tables, and what they have not
    Coverage(coverage::Args),
    /// Play random conversations, and check what always.yaml says
    Explore(explore::Args),
    /// Check a deployed backend from outside, read-only
    Doctor(doctor::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
    /// Measure this machine: scenarios, turns, database, fakes
    Bench(bench::Args),
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// As the terminal and the environment say.
    #[default]
    Auto,
    /// Even in a pipe.
    Always,
    /// Nowhere.
    Never,
}

impl Color {
    /// Applies the choice to the whole process.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::AlwaysAnsi,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
