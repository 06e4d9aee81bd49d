//! `rehearse man`

use std::{fs, path::PathBuf};

use crate::{
    app::App,
    error::{CommandError, Exit},
};

/// Write the manual pages: one for the program and one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse man                                  print the page of the program
  rehearse man | man -l -                       read it
  rehearse man --out ~/.local/share/man/man1    install all pages; then `man rehearse-run`")]
pub(crate) struct Args {
    /// Write all pages into this folder, which is made if it is not there.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Renders the pages of `command`, the whole command line.
pub(crate) fn man(args: &Args, command: clap::Command, app: &App) -> Result<Exit, CommandError> {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(CommandError::environment)?;
        app.ui.line(String::from_utf8_lossy(&page).trim_end())?;
        return Ok(Exit::Passed);
    };
    fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)).map_err(
        |error| {
            let folder = folder.display();
            CommandError::environment(format!("failed to write manual pages into {folder}"))
                .because(error)
        },
    )?;
    Ok(Exit::Passed)
}
