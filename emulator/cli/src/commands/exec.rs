//! `rehearse exec`

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt as _,
    pin::pin,
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, kill_process};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::{
    app::App,
    backend, child,
    error::{CommandError, Exit},
    exports::{self, CONTROL},
    logs,
    project::{self, Project},
    proxy::WorldProxy,
    running,
    signal::{Received, Signals},
    target::TargetArgs,
};
use rehearse_control as control;
use rehearse_core::clock::Clock;
use rehearse_world::WorldConfig;

/// Run a command in a world of its own, and end with its exit code
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "rehearse exec [OPTIONS] -- COMMAND [ARGS]...",
    after_help = "\
The command's environment is what `rehearse env` prints, and REHEARSE_CONTROL, so that
`rehearse send`, `log` and `reset` talk to this world.

Examples:
  rehearse exec -- pytest
  rehearse exec -- npm test
  rehearse exec --target http://127.0.0.1:3000/sms -- ./start-and-test.sh
  rehearse exec --proxy -- python3 backend.py

Exit code: the command's; 128 and the number of the signal that ended it; 127 when it is not
found, 126 when it cannot be run. Before it starts: 2 and 3 as ever."
)]
pub(crate) struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// Lead the command's calls of api.twilio.com, api.openai.com and AWS to this world, by a proxy that
    /// refuses every other host: for SDKs that cannot be given a URL (docs/proxy.md).
    #[arg(long)]
    proxy: bool,
    /// Show the functions' logs.
    #[arg(long, short)]
    verbose: bool,
    /// A command without `--` before it, to say what is missing.
    #[arg(hide = true)]
    bare: Vec<OsString>,
    /// The command and its arguments.
    #[arg(value_name = "COMMAND", last = true)]
    command: Vec<OsString>,
}

pub(crate) fn exec(args: Args, app: &App) -> Result<Exit, CommandError> {
    let (program, arguments) = args.command()?;
    logs::start(if args.verbose { "info" } else { "error" })?;
    let project = Project::find(app)?;
    let target = args.target.choose(&project, app)?;
    let backend = backend::of(&project, &target, app)?;
    let persona = project.persona()?;
    project.remark_missing(backend.template(), app);
    project.remark_unresolved(&backend, app);
    app.block_on_world(async {
        let mut signals = Signals::listen()?;
        let failed = |e: io::Error| CommandError::environment("failed to start control").because(e);
        let start = async {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
            let config = WorldConfig::new(backend.clone(), Clock::running());
            let world = running::start(config, persona).await.map_err(project::world)?;
            let controlled = running::controlled(&project, &backend, &world);
            let server = control::Server::start(listener, controlled).map_err(failed)?;
            let proxy = if args.proxy { Some(WorldProxy::start(&world).await?) } else { None };
            Ok::<_, CommandError>((world, server, proxy))
        };
        let Some(started) = unless_signalled(signals.next(), Box::pin(start)).await else {
            return Ok(Exit::Interrupted);
        };
        let (world, server, proxy) = started?;
        let mut environment = exports::environment(backend.settings(), world.endpoints());
        environment.insert(CONTROL.into(), server.url().into());
        let mut command = ending_with_us(program);
        command.args(arguments).envs(environment).current_dir(app.folder()).stdin(Stdio::inherit());
        if let Some(proxy) = &proxy {
            proxy.give(&mut command, &target.target, app);
        }
        let child = command.spawn().map_err(|error| child::not_started(program, error))?;
        let status = wait(child, signals).await.map_err(|error| {
            CommandError::environment("failed to wait for the command").because(error)
        })?;
        if let Some(proxy) = &proxy {
            proxy.tell(app);
        }
        Ok(Exit::Command(code(status)))
    })?
}

impl Args {
    /// The program and its arguments.
    fn command(&self) -> Result<(&OsString, &[OsString]), CommandError> {
        let example = |command: &[OsString]| {
            let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
            format!("as in `rehearse exec -- {}`", words.join(" "))
        };
        if !self.bare.is_empty() {
            let command = [self.bare.as_slice(), &self.command].concat();
            return Err(CommandError::wrong("a command stands after `--`").help(example(&command)));
        }
        let pytest = ["pytest".into()];
        self.command.split_first().ok_or_else(|| {
            CommandError::wrong("exec needs a command after `--`").help(example(&pytest))
        })
    }
}

/// What a start comes to, unless a signal comes before its end: there is no command yet that could hear it.
async fn unless_signalled<T>(
    signal: impl Future<Output = Received>,
    start: impl Future<Output = T>,
) -> Option<T> {
    let mut signal = pin!(signal);
    let started = tokio::select! {
        biased;
        _ = &mut signal => return None,
        started = start => started,
    };
    // The start may have kept the thread to its end; what came meanwhile is seen once it lets go of it.
    tokio::select! {
        biased;
        _ = &mut signal => None,
        () = tokio::task::yield_now() => Some(started),
    }
}

/// A program that is killed if this process is killed.
fn ending_with_us(program: &OsString) -> Command {
    let Some(rehearse) = child::own_program() else { return Command::new(program) };
    let mut command = Command::new(rehearse);
    command.arg("__exec").arg(std::process::id().to_string()).arg(program);
    command
}

/// Waits for the end of the command, which hears every signal that comes meanwhile.
async fn wait(mut child: Child, mut signals: Signals) -> io::Result<ExitStatus> {
    let id = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    loop {
        tokio::select! {
            status = child.wait() => return status,
            Received { signal, heard } = signals.next() => {
                // A terminal's Ctrl-C has reached it already, and a second one means another thing.
                if let (Some(id), false) = (id, heard) {
                    // It may have ended just now.
                    let _ = kill_process(id, signal);
                }
            }
        }
    }
}

/// As a shell tells it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use rustix::process::Signal;

    use super::*;

    #[test]
    fn codes_and_signals_are_told_as_a_shell_tells_them() {
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(ExitStatus::from_raw(Signal::TERM.as_raw())), 143);
    }

    #[tokio::test]
    async fn a_signal_before_the_end_of_the_start_is_the_end() {
        let received = || Received { signal: Signal::INT, heard: true };
        assert_eq!(unless_signalled(pending(), ready(1)).await, Some(1));
        assert_eq!(unless_signalled(ready(received()), pending::<u8>()).await, None);
        assert_eq!(unless_signalled(ready(received()), ready(1)).await, None);
        // It came while the start kept the thread.
        let seen_late = async {
            tokio::task::yield_now().await;
            received()
        };
        assert_eq!(unless_signalled(seen_late, ready(1)).await, None);
    }
}
