//! `rehearse completions SHELL`

use clap_complete::Shell;

use crate::{
    app::App,
    error::{CommandError, Exit},
};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse completions bash > ~/.local/share/bash-completion/completions/rehearse
  rehearse completions zsh  > ~/.zfunc/_rehearse
  rehearse completions fish > ~/.config/fish/completions/rehearse.fish")]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script for `command`, the whole command line.
pub(crate) fn completions(
    args: Args,
    command: &mut clap::Command,
    app: &App,
) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "rehearse", &mut script);
    app.ui.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Passed)
}
