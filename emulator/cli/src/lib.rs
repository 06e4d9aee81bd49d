//! The command line of rehearse, for a program of your own that has a backend's functions linked in.
//!
//! The binary `rehearse` of this crate runs functions as programs, or a backend at a URL. Linked into one
//! program with it, they run in its process (`--target in-process`), which needs no build step and is
//! what a debugger follows:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use axum::{Router, routing::post};
//! use rehearse_cli::Function;
//!
//! fn main() -> ExitCode {
//!     // The name is what users type; `Dispatcher` is the function's logical id in template.yaml.
//!     rehearse_cli::main("my-shop", || {
//!         Ok(vec![Function::new("Dispatcher", |environment| {
//!             let greeting = environment.get("GREETING").ok_or("no GREETING")?.clone();
//!             let sms = || async move {
//!                 let twiml = format!("<Response><Message>{greeting}</Message></Response>");
//!                 ([("content-type", "text/xml")], twiml)
//!             };
//!             Ok(Router::new().route("/sms", post(sms)))
//!         })])
//!     })
//! }
//! ```
//!
//! `cargo run -- run` then runs the scenarios of the project in the current folder or above it.
//!
//! The exit code is an interface: 0 passed, 1 an expectation failed, 2 the
//! scenario or the command line is wrong, 3 the environment failed, 130 interrupted, 143 ended by SIGTERM.

mod always;
mod app;
mod args;
mod backend;
mod busy;
mod child;
mod commands;
mod control;
mod duration;
mod dynamodb;
mod error;
mod execute;
mod exports;
mod external;
mod journals;
mod lambda;
mod logs;
mod ports;
mod project;
mod proxy;
mod recorded;
mod running;
mod signal;
mod target;
mod twilio;
mod ui;
mod usage;

use std::process::ExitCode;

use clap::CommandFactory as _;

use self::{
    app::App,
    args::{Cli, Command},
    commands::{
        bench, chat, check, clock, completions, coverage, db, doctor, env, exec, explore, fault,
        iam, init, log, man, ready, record, reset, run, schema, script, send, snapshot, up,
    },
    error::{CommandError, Exit},
    ui::Ui,
};
pub use rehearse_aws::{Function, function::BuildError};

/// Runs the command line of this process and returns its exit code.
///
/// `name` is what users type to start the program; messages that offer commands to copy use it.
/// `functions` makes the functions that run inside this process under `--target in-process`.
/// It is called once, and not at all in the helper processes that this program starts of itself.
/// Without functions, scenarios run programs (`--target lambda`) or a backend at a URL.
///
/// # Errors
/// An error of `functions` is printed with its causes; the exit code is 3 then.
pub fn main(
    name: &'static str,
    functions: impl FnOnce() -> Result<Vec<Function>, BuildError>,
) -> ExitCode {
    if let Some(code) = child::child() {
        return code;
    }
    let cli = match usage::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let printed = error.print();
            if let Err(lost) = printed
                && !error.use_stderr()
                && lost.kind() != std::io::ErrorKind::BrokenPipe
            {
                return Ui::of_process().report(&lost.into()).code();
            }
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    cli.color.write_global();
    let ui = Ui::of_process();
    let functions = match functions() {
        Ok(functions) => functions,
        Err(error) => {
            return ui.report(&CommandError::environment(error)).code();
        }
    };
    let app = App::new(name, functions, ui);
    let code = signal::exit(finish(dispatch(cli, &app), &app)).code();
    lambda::clean_up();
    code
}

/// Runs a command line in a given place; the process's own is [`main`].
#[cfg(test)]
fn run_with<I, T>(arguments: I, app: &App) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<std::ffi::OsString> + Clone,
{
    match usage::parse(arguments) {
        Ok(cli) => finish(dispatch(cli, app), app),
        Err(error) => {
            app.ui.note(error.render().ansi());
            if error.use_stderr() { Exit::Wrong } else { Exit::Passed }
        }
    }
}

/// Tells what went wrong, with commands as this user would type them.
fn finish(result: Result<Exit, CommandError>, app: &App) -> Exit {
    let lost = |exit| match app.ui.lost() {
        // Whoever reads the output would take a part for the whole.
        Some(why) if exit != Exit::Interrupted => {
            Err(CommandError::environment("failed to write the output").because(why))
        }
        _ => Ok(exit),
    };
    result.and_then(lost).unwrap_or_else(|mut problem| {
        let own = format!("`{} ", app.program);
        problem.help = problem.help.map(|help| help.replace("`rehearse ", &own));
        app.ui.report(&problem)
    })
}

fn dispatch(cli: Cli, app: &App) -> Result<Exit, CommandError> {
    match cli.command {
        Command::Run(args) => run::run(args, app),
        Command::Check(args) => check::check(args, app),
        Command::Init(args) => init::init(&args, app),
        Command::Schema(args) => schema::schema(&args, app),
        Command::Up(args) => up::up(args, app),
        Command::Chat(args) => chat::chat(args, app),
        Command::Send(args) => send::send(args, app),
        Command::Log(args) => log::log(args, app),
        Command::Record(args) => record::record(args, app),
        Command::Db(args) => db::db(args, app),
        Command::Clock(args) => clock::clock(args, app),
        Command::Fault(args) => fault::fault(args, app),
        Command::Script(args) => script::script(args, app),
        Command::Snapshot(args) => snapshot::snapshot(args, app),
        Command::Reset(args) => reset::reset(args, app),
        Command::Ready(args) => ready::ready(args, app),
        Command::Env(args) => env::env(args, app),
        Command::Iam(args) => iam::iam(args, app),
        Command::Coverage(args) => coverage::coverage(args, app),
        Command::Explore(args) => explore::explore(args, app),
        Command::Doctor(args) => doctor::doctor(args, app),
        Command::Exec(args) => exec::exec(args, app),
        Command::Completions(args) => completions::completions(args, &mut Cli::command(), app),
        Command::Man(args) => man::man(&args, Cli::command(), app),
        Command::Bench(args) => bench::bench(args, app),
    }
}

#[cfg(test)]
mod tests;
