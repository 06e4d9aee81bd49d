//! Where scenarios go that were recorded.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use crate::{app::App, error::CommandError, project::Project};
use rehearse_scenario::{
    record::RecordedScenario,
    report::{
        style::{DIM, paint},
        text::count,
    },
};

/// The file of a recorded scenario that goes where the project's scenarios are.
pub(crate) fn place(project: &Project, file: &str) -> PathBuf {
    project.root.join(&project.settings.paths.scenarios).join("recorded").join(file)
}

/// Writes a recorded scenario. Returns what to tell of it: the file, and how many turns it has.
///
/// # Errors
/// The file is there already and must not be replaced, or it cannot be written.
pub(crate) fn write(
    recorded: &RecordedScenario,
    path: &Path,
    replace: bool,
    app: &App,
) -> Result<String, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::environment(format!("failed to write {}", path.display())).because(error)
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    // Nobody can put a file there between a look and the writing.
    let options =
        if replace { options.create(true).truncate(true) } else { options.create_new(true) };
    let file = options.open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            CommandError::wrong(format!("{} is there already", path.display()))
                .help("--force replaces it; another name or --output goes beside it")
        }
        _ => failed(error),
    })?;
    file.write_all(recorded.yaml.as_bytes()).map_err(failed)?;
    let shown = path.strip_prefix(app.folder()).unwrap_or(path);
    for note in &recorded.notes {
        app.ui.remark(format_args!("not in the file: {note}"));
    }
    Ok(format!("{}  {}", shown.display(), paint(DIM, count(recorded.turns, "turn"))))
}
