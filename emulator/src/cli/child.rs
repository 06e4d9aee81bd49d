//! `rehearse __child PARENT PROGRAM ...`: becomes a program that dies with its parent.
//!
//! It is not for users, so it stands in no help. It runs before the command line
//! is read: each function's cold start has it in it.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// What a shell answers when it finds no program.
const NOT_FOUND: u8 = 127;

/// Does what `__child` asks when this process was started so; `None` otherwise. On success it
/// never returns: the process is another program then.
pub fn child() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "__child" {
        return None;
    }
    let code = match become_program(words) {
        Ok(never) => match never {},
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(NOT_FOUND)
        }
    };
    Some(code)
}

fn become_program(
    mut words: impl Iterator<Item = OsString>,
) -> Result<std::convert::Infallible, String> {
    let parent = words.next().and_then(|word| word.to_str()?.parse::<i32>().ok());
    let (Some(parent), Some(program)) = (parent, words.next()) else {
        return Err("rehearse __child is for rehearse itself".into());
    };
    die_with(parent)?;
    let error = Command::new(&program).args(words).exec();
    Err(format!("failed to start {}: {error}", program.display()))
}

#[cfg(target_os = "linux")]
fn die_with(parent: i32) -> Result<(), String> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};

    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("failed to ask for the parent's death signal: {error}"))?;
    // It may have died before the call, and then no signal comes.
    match getppid() {
        Some(now) if now.as_raw_nonzero().get() == parent => Ok(()),
        _ => Err("the emulator is gone".into()),
    }
}

/// Without such a signal: see [`Launcher`](crate::gateway::Launcher).
#[cfg(not(target_os = "linux"))]
fn die_with(_parent: i32) -> Result<(), String> {
    Ok(())
}
