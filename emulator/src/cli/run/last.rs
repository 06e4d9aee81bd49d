//! What failed in the last run, for `--last-failed`.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::report::{Run, Status, write_atomically};

/// The file that remembers it, below the project's folder.
const FILE: &str = ".rehearse/last-run.json";

/// The memory of one project.
#[derive(Debug)]
pub(super) struct LastRun {
    path: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    /// Full names of scenarios that failed and have not passed since.
    failed: BTreeSet<String>,
}

impl LastRun {
    /// The memory of the project in this folder.
    pub(super) fn at(root: &Path) -> Self {
        Self { path: root.join(FILE) }
    }

    /// Names of what failed; `None` when no run is remembered.
    pub(super) fn failed(&self) -> Option<BTreeSet<String>> {
        // A file of another version, or half of one, remembers nothing.
        let text = std::fs::read_to_string(&self.path).ok()?;
        let state: State = serde_json::from_str(&text).ok()?;
        (state.version == 1).then_some(state.failed)
    }

    /// Remembers a run. What it did not run to the end keeps its old state.
    pub(super) fn update(&self, run: &Run) -> io::Result<()> {
        let mut failed = self.failed().unwrap_or_default();
        for ran in run.scenarios.iter().filter(|ran| ran.status == Status::Passed) {
            failed.remove(&ran.full_name);
        }
        for ran in &run.scenarios {
            if matches!(ran.status, Status::Failed | Status::Broken | Status::Error) {
                failed.insert(ran.full_name.clone());
            }
        }
        let text = serde_json::to_string_pretty(&State { version: 1, failed })?;
        write_atomically(&self.path, &(text + "\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn remembers_failures_until_they_pass() {
        let root = std::env::temp_dir().join(format!("rehearse-last-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let last = LastRun::at(&root);
        assert_eq!(last.failed(), None);
        let mut run = samples::run();
        last.update(&run).unwrap();
        let slot = BTreeSet::from(["Two customers, one slot".to_owned()]);
        assert_eq!(last.failed(), Some(slot.clone()));

        // Another scenario alone, and one that was interrupted, change nothing.
        let other = Run { scenarios: vec![run.scenarios[0].clone()], ..run.clone() };
        last.update(&other).unwrap();
        run.scenarios[1].status = Status::Interrupted;
        last.update(&run).unwrap();
        assert_eq!(last.failed(), Some(slot));

        run.scenarios[1].status = Status::Passed;
        last.update(&run).unwrap();
        assert_eq!(last.failed(), Some(BTreeSet::new()));
        std::fs::remove_dir_all(&root).unwrap();
    }
}
