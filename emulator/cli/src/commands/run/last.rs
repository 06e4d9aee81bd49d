//! Remembers what failed in the last run, for `--last-failed`.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use rehearse_scenario::report::{Run, Status, write_atomically};

/// The file that remembers it, below the project's folder.
const FILE: &str = ".rehearse/last-run.json";

/// Version of the file's format.
const VERSION: u32 = 2;

/// The memory of one project.
#[derive(Debug)]
pub(crate) struct LastRun {
    root: PathBuf,
}

/// Full names of scenarios that failed and have not passed since, and their files.
pub(crate) type Failed = BTreeMap<String, PathBuf>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    /// Files as seen from the project's folder.
    failed: Failed,
}

impl LastRun {
    /// The memory of the project in this folder.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// What failed; `None` when no run is remembered.
    pub(crate) fn failed(&self) -> Option<Failed> {
        // A file of another version, or half of one, remembers nothing.
        let text = std::fs::read_to_string(self.root.join(FILE)).ok()?;
        let mut state: State = serde_json::from_str(&text).ok()?;
        // Nobody can mend a scenario that is gone.
        state.failed.retain(|_, file| self.root.join(file).is_file());
        (state.version == VERSION).then_some(state.failed)
    }

    /// The files of what failed.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            self.failed().into_iter().flatten().map(|(_, file)| self.root.join(file)).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Remembers a run, whose files are seen from `from`. What it did not run to the end
    /// keeps its old state.
    pub(crate) fn update(&self, run: &Run, from: &Path) -> io::Result<()> {
        let mut failed = self.failed().unwrap_or_default();
        for ran in run.scenarios.iter().filter(|ran| ran.status == Status::Passed) {
            failed.remove(&ran.full_name);
        }
        for ran in &run.scenarios {
            if matches!(ran.status, Status::Failed | Status::Broken | Status::Error) {
                failed.insert(ran.full_name.clone(), self.below(&from.join(&ran.file)));
            }
        }
        let text = serde_json::to_string_pretty(&State { version: VERSION, failed })?;
        write_atomically(&self.root.join(FILE), &(text + "\n"))
    }

    /// A file as seen from the project's folder, so that the run may be repeated from any.
    fn below(&self, file: &Path) -> PathBuf {
        let canonical = |path: &Path| {
            let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
            path.canonicalize()
        };
        let (Ok(root), Ok(file)) = (canonical(&self.root), canonical(file)) else {
            return file.into();
        };
        file.strip_prefix(root).map_or(file.clone(), Path::to_path_buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_scenario::report::samples;
    use rehearse_testutils::Folder;

    #[test]
    fn remembers_failures_until_they_pass() {
        let folder = Folder::new();
        let root = folder.path();
        let last = LastRun::at(root);
        assert_eq!(last.failed(), None);
        let mut run = samples::run();
        last.update(&run, root).unwrap();
        let file = PathBuf::from("scenarios/safety/one-slot.yaml");
        assert!(last.files().is_empty(), "the file is gone");
        folder.write("scenarios/safety/one-slot.yaml", "");
        last.update(&run, root).unwrap();
        assert_eq!(last.files(), [root.join(&file)]);
        let slot = BTreeMap::from([("Two customers, one slot".to_owned(), file)]);
        assert_eq!(last.failed(), Some(slot.clone()));

        // Another scenario alone, and one that was interrupted, change nothing.
        let other = Run { scenarios: vec![run.scenarios[0].clone()], ..run.clone() };
        last.update(&other, root).unwrap();
        run.scenarios[1].status = Status::Interrupted;
        last.update(&run, root).unwrap();
        assert_eq!(last.failed(), Some(slot));

        run.scenarios[1].status = Status::Passed;
        last.update(&run, root).unwrap();
        assert_eq!(last.failed(), Some(BTreeMap::new()));
    }
}
