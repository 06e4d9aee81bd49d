//! Starting a program so that it dies with the emulator.

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
/// The kernel can kill a child when its parent dies, even by `kill -9`, but only
/// the child itself can ask for that, between fork and exec, where this crate
/// runs no code of its own (`unsafe`). So the emulator starts itself as
/// `rehearse __child PARENT PROGRAM ...`, which asks, and becomes the program.
/// On macOS the kernel has no such signal: there a function ends when it next
/// asks for an event and nobody answers.
#[derive(Debug, Clone, Default)]
pub struct Launcher(Option<PathBuf>);

impl Launcher {
    /// Starts programs through this one, which must be `rehearse`.
    pub fn through(program: impl Into<PathBuf>) -> Self {
        Self(Some(program.into()))
    }

    /// Starts programs themselves; nothing kills them when this process is killed.
    pub fn direct() -> Self {
        Self(None)
    }

    /// A command that starts a program with exactly these variables, in a process group of its
    /// own: Ctrl-C in a terminal is the emulator's, and children of a function end with it.
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
        // One pipe for both streams keeps the order in which lines were written.
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
