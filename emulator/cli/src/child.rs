//! Child processes that end when this process ends, even if it is killed.
//!
//! `rehearse __child PARENT PROGRAM ...` becomes a program that dies with its parent, and
//! `rehearse __exec` is the same in the words of `rehearse exec`. `rehearse __group PROGRAM ...`
//! waits for a program, and kills its whole process group when its standard input ends: a shell that
//! is killed would leave its children running.
//!
//! They are internal, so `--help` does not list them. They run before the command line is parsed,
//! because every cold start of a function waits for them.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read as _},
    os::unix::process::{CommandExt, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output, Stdio},
};

use crate::{
    error::{CommandError, Exit},
    ui::Ui,
};

/// Exit code of a shell that does not find a program, and of a guard.
pub(crate) const NOT_FOUND: u8 = 127;

/// Runs the internal subcommand that this process was started for; `None` if it was started for
/// another one. On success the first two never return: the process becomes another program.
pub fn child() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let result = match words.next()?.to_str()? {
        "__child" => become_program(words, |program, error| {
            eprintln!("failed to start {}: {error}", program.display());
            NOT_FOUND
        }),
        "__exec" => become_program(words, |program, error| {
            Ui::of_process().report(&not_started(program, error)).number()
        }),
        "__group" => guard(words),
        _ => return None,
    };
    Some(ExitCode::from(result.unwrap_or_else(|message| {
        eprintln!("{message}");
        NOT_FOUND
    })))
}

/// Path of this program. On Linux it stays valid when the file is replaced.
pub(crate) fn own_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return Some("/proc/self/exe".into());
    }
    std::env::current_exe().ok()
}

/// A program that is killed with its descendants when this process ends, for whatever reason. The
/// caller must take the child's standard input and keep it: when it is closed, the program is killed.
pub(crate) fn guarded(program: impl AsRef<OsStr>) -> io::Result<Command> {
    let mut command = Command::new(own_program().ok_or(io::ErrorKind::NotFound)?);
    command.arg("__group").arg(program).stdin(Stdio::piped()).process_group(0);
    Ok(command)
}

/// Runs a shell command in a folder, guarded, until it ends.
pub(crate) fn shell(words: &str, folder: &Path) -> io::Result<Output> {
    let mut guard = guarded("sh")?
        .args(["-c", words])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // If this process is killed, the system closes it.
    let held = guard.stdin.take();
    let output = guard.wait_with_output();
    drop(held);
    output
}

/// Runs a program in this process's group, and kills the group when the standard input ends.
fn guard(mut words: impl Iterator<Item = OsString>) -> Result<u8, String> {
    let program = words.next().ok_or("rehearse __group is for rehearse itself")?;
    let mut child = Command::new(&program)
        .args(words)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("failed to start {}: {error}", program.display()))?;
    std::thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = rustix::process::kill_process_group(
            rustix::process::getpgrp(),
            rustix::process::Signal::KILL,
        );
    });
    let status = child.wait().map_err(|error| error.to_string())?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
}

/// The error of a command that cannot be started.
pub(crate) fn not_started(program: &OsString, error: io::Error) -> CommandError {
    let program = program.display();
    match error.kind() {
        io::ErrorKind::NotFound => CommandError {
            exit: Exit::Command(127),
            ..CommandError::environment(format!("there is no command '{program}'"))
        }
        .help("it is neither a file nor on the PATH; a shell's own words need `sh -c '...'`"),
        _ => CommandError {
            exit: Exit::Command(126),
            ..CommandError::environment(format!("failed to run '{program}'")).because(error)
        },
    }
}

/// Returns only on failure, with the exit code that `told` makes of the error.
fn become_program(
    mut words: impl Iterator<Item = OsString>,
    told: impl FnOnce(&OsString, io::Error) -> u8,
) -> Result<u8, String> {
    let parent = words.next().and_then(|word| word.to_str()?.parse::<i32>().ok());
    let (Some(parent), Some(program)) = (parent, words.next()) else {
        return Err("rehearse __child is for rehearse itself".into());
    };
    die_with(parent)?;
    let error = Command::new(&program).args(words).exec();
    Ok(told(&program, error))
}

#[cfg(target_os = "linux")]
fn die_with(parent: i32) -> Result<(), String> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("failed to ask for the parent's death signal: {error}"))?;
    // If the parent died before the call, no signal comes.
    match getppid() {
        Some(now) if now.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err("the emulator is gone".into()),
    }
}

/// Other systems have no such signal: see [`Launcher`](rehearse_aws::gateway::Launcher).
#[cfg(not(target_os = "linux"))]
fn die_with(_parent: i32) -> Result<(), String> {
    Ok(())
}
