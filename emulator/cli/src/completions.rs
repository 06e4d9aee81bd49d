//! `rehearse completions SHELL`

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{
    app::App,
    args::Cli,
    problem::{Exit, Problem},
};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse completions bash > ~/.local/share/bash-completion/completions/rehearse
  rehearse completions zsh  > ~/.zfunc/_rehearse
  rehearse completions fish > ~/.config/fish/completions/rehearse.fish")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

pub(super) fn completions(args: Args, app: &App) -> Result<Exit, Problem> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "rehearse", &mut script);
    app.ui.line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Passed)
}
