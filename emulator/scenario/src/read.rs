//! Finding and reading scenario files.

use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
};

use super::{
    check,
    model::{File, Scenario},
    places::YamlPath,
};
use rehearse_core::yaml::{Source, YamlError};

/// Everything that is wrong with scenarios; printed one below the other.
#[derive(Debug)]
pub struct LoadErrors(pub Vec<LoadError>);

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join("\n\n"))
    }
}

impl std::error::Error for LoadErrors {}

impl From<YamlError> for LoadErrors {
    fn from(error: YamlError) -> Self {
        Self(vec![error.into()])
    }
}

/// One thing that is wrong with scenarios. The message is complete, with a caret where the error
/// has a position.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of steps or rows is missing, not YAML, or not of its shape.
    #[error(transparent)]
    File(#[from] YamlError),
    /// A default of `rehearse.toml` is wrong.
    #[error("rehearse.toml: [defaults] {0}")]
    Defaults(String),
    /// A file with `each` where one scenario was asked for.
    #[error("{path}: 'each' makes several scenarios of this file", path = .0.display())]
    Each(PathBuf),
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

/// Reads scenario files, and folders with everything below them, in the order of their names.
///
/// # Errors
/// Everything that is wrong: missing and malformed files, scenarios that make no sense, empty and
/// unreadable folders, names that two scenarios have.
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
        errors.extend(check::file_alone(&file).into_iter().map(LoadError::File));
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

impl Scenario {
    /// Reads a file with one scenario.
    ///
    /// # Errors
    /// The file cannot be read, is malformed or makes no sense, or it has `each`, so that it is
    /// several scenarios: see [`Scenario::load_each`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, LoadErrors> {
        Self::only(Self::load_each(path)?)
    }

    /// Reads the scenarios of a file: one for each entry of `each`, or a single one.
    ///
    /// # Errors
    /// The file cannot be read, is malformed or makes no sense.
    pub fn load_each(path: impl AsRef<Path>) -> Result<Vec<Self>, LoadErrors> {
        Self::checked(File::read(path.as_ref()))
    }

    /// Reads a scenario from its text. Errors and reports call its file `scenario`.
    ///
    /// # Errors
    /// The text is malformed or makes no sense, or it has `each`.
    pub fn parse(text: &str) -> Result<Self, LoadErrors> {
        let name = "scenario";
        Self::only(Self::checked(File::parse(Path::new(name), Source::new(name, text)))?)
    }

    fn checked(file: Result<File, YamlError>) -> Result<Vec<Self>, LoadErrors> {
        let file = file.map_err(|error| LoadErrors(vec![error.into()]))?;
        let errors = check::file_alone(&file);
        if errors.is_empty() {
            return Ok(Self::all(file));
        }
        Err(LoadErrors(errors.into_iter().map(LoadError::File).collect()))
    }

    fn only(mut scenarios: Vec<Self>) -> Result<Self, LoadErrors> {
        match scenarios.pop() {
            Some(scenario) if scenario.each().is_none() => Ok(scenario),
            Some(scenario) => Err(LoadErrors(vec![LoadError::Each(scenario.path().into())])),
            None => Err(LoadErrors(Vec::new())),
        }
    }
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
