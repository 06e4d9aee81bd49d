//! Commands that start a program so that it ends with the emulator.

use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::function::Executable;

/// How programs are started.
///
/// Linux can kill a child when its parent dies, even by `kill -9`. Only the child itself can ask for
/// that, between fork and exec, where this crate runs no code because that is `unsafe`. So the
/// emulator starts itself as `rehearse __child PARENT PROGRAM ...`, which asks for it and becomes the
/// program. macOS has no such signal: there a function ends when it next asks for an event and the
/// Runtime API is gone.
#[derive(Debug, Clone, Default)]
pub struct Launcher(Option<PathBuf>);

impl Launcher {
    /// Starts programs through `program`, which must be `rehearse`.
    pub fn through(program: impl Into<PathBuf>) -> Self {
        Self(Some(program.into()))
    }

    /// Starts programs directly. They go on when this process is killed.
    pub fn direct() -> Self {
        Self(None)
    }

    /// A command that starts a program with exactly these variables, and the pipe with its output.
    /// The program has a process group of its own, so that Ctrl-C in a terminal reaches the emulator
    /// alone and the children of a function can be killed with it.
    pub(super) fn command(
        &self,
        executable: &Executable,
        variables: &BTreeMap<String, String>,
    ) -> io::Result<(Command, OwnedFd)> {
        let mut command = match &self.0 {
            Some(rehearse) => {
                let mut command = Command::new(rehearse);
                command.arg("__child").arg(std::process::id().to_string()).arg(&executable.program);
                command
            }
            None => Command::new(&executable.program),
        };
        // One pipe for both streams keeps the order of the lines.
        let (reader, writer) = io::pipe()?;
        command
            .args(&executable.arguments)
            .current_dir(&executable.folder)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok((command, reader.into()))
    }
}
