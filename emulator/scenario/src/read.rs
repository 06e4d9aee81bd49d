//! Finding and reading scenario files.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{
    check,
    model::{File, Scenario},
    places::YamlPath,
};
use rehearse_core::yaml::YamlError;

/// Why scenarios could not be read. The message is complete, with a caret where there is a place.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of steps or rows is missing, not YAML, or not of its shape.
    #[error(transparent)]
    File(#[from] YamlError),
    /// A folder without scenarios.
    #[error("{path}: no scenario (*.yaml, *.yml) is in this folder", path = .0.display())]
    EmptyFolder(PathBuf),
    /// A folder that cannot be listed.
    #[error("failed to list {path}", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Reads scenario files, and folders with all that is under them, in the order of their names.
///
/// # Errors
/// All that is wrong: missing and malformed files, empty folders, names that stand twice.
pub fn read(paths: &[PathBuf]) -> Result<Vec<Scenario>, Vec<LoadError>> {
    let mut errors = Vec::new();
    let mut found = Vec::new();
    for path in paths {
        if let Err(error) = collect(path, &mut found) {
            errors.push(error);
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));

    let mut scenarios = Vec::new();
    let mut names: HashMap<String, String> = HashMap::new();
    for path in found {
        let file = match File::read(&path) {
            Ok(file) => file,
            Err(error) => {
                errors.push(error.into());
                continue;
            }
        };
        let wrong = check::file_alone(&file);
        errors.extend(wrong.into_iter().map(LoadError::File));
        let location = file.name_location().to_string();
        if let Some(first) = names.insert(file.document.name.clone(), location) {
            let at = file.tree.locate(&YamlPath::new().to("name"));
            let message = format!("this name is taken by the scenario at {first}");
            errors.push(file.source.error(at, message).into());
        }
        scenarios.extend(Scenario::all(file));
    }
    if errors.is_empty() { Ok(scenarios) } else { Err(errors) }
}

/// Adds a file, or the files under a folder.
fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    if !path.is_dir() {
        found.push(path.into());
        return Ok(());
    }
    let before = found.len();
    walk(path, found)?;
    if found.len() == before { Err(LoadError::EmptyFolder(path.into())) } else { Ok(()) }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Folder { path: folder.into(), source };
    let mut entries = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        // A link to a folder is not followed: it could lead back here.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found)?;
        } else if path.is_file()
            && path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml")
        {
            found.push(path);
        }
    }
    Ok(())
}
