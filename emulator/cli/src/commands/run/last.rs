//! What is remembered of earlier runs: which scenarios failed, for `--last-failed`, and how long each
//! took, so that the longest start first.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use rehearse_scenario::{
    Status,
    report::{Run, write_atomically},
};

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
    /// How long each scenario took when it last ran to its end, by its full name.
    #[serde(default)]
    durations: BTreeMap<String, Recorded>,
}

/// How long a scenario took.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    /// As seen from the project's folder.
    file: PathBuf,
    took_ms: u64,
}

impl LastRun {
    /// The memory of the project in this folder.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// What failed; `None` when no run is remembered.
    pub(crate) fn failed(&self) -> Option<Failed> {
        Some(self.state()?.failed)
    }

    /// How long scenarios took when they last ran to their end, by their full names.
    pub(crate) fn durations(&self) -> BTreeMap<String, Duration> {
        let recorded = self.state().unwrap_or_default().durations.into_iter();
        recorded.map(|(name, r)| (name, Duration::from_millis(r.took_ms))).collect()
    }

    /// `None` if the file is absent, incomplete or of another version.
    fn state(&self) -> Option<State> {
        let text = std::fs::read_to_string(self.root.join(FILE)).ok()?;
        let mut state: State = serde_json::from_str(&text).ok()?;
        // Nobody can mend a scenario whose file is gone, nor run it.
        state.failed.retain(|_, file| self.root.join(file).is_file());
        state.durations.retain(|_, recorded| self.root.join(&recorded.file).is_file());
        (state.version == VERSION).then_some(state)
    }

    /// The files of what failed.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            self.failed().into_iter().flatten().map(|(_, file)| self.root.join(file)).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Remembers a run, whose files are seen from `from`. A scenario that did not run to its end
    /// keeps what was remembered of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn update(&self, run: &Run, from: &Path) -> io::Result<()> {
        let mut state = State { version: VERSION, ..self.state().unwrap_or_default() };
        for report in &run.scenarios {
            let (name, result) = (&report.full_name, &report.result);
            let file = self.below(&from.join(&report.file));
            if matches!(result.status, Status::Passed | Status::Failed) {
                let took_ms = u64::try_from(result.took.as_millis()).unwrap_or(u64::MAX);
                state.durations.insert(name.clone(), Recorded { file: file.clone(), took_ms });
            }
            if result.status.is_failure() {
                state.failed.insert(name.clone(), file);
            }
        }
        // A scenario that is repeated has failed if one repetition failed.
        let failed: Vec<&String> = run
            .scenarios
            .iter()
            .filter(|report| report.result.status.is_failure())
            .map(|report| &report.full_name)
            .collect();
        for report in run.scenarios.iter().filter(|report| report.result.passed()) {
            if !failed.contains(&&report.full_name) {
                state.failed.remove(&report.full_name);
            }
        }
        let text = serde_json::to_string_pretty(&state)?;
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
        run.scenarios[1].result.status = Status::Interrupted;
        last.update(&run, root).unwrap();
        assert_eq!(last.failed(), Some(slot));

        run.scenarios[1].result.status = Status::Passed;
        last.update(&run, root).unwrap();
        assert_eq!(last.failed(), Some(BTreeMap::new()));
    }

    #[test]
    fn remembers_how_long_scenarios_took_that_ran_to_their_end() {
        let folder = Folder::new();
        let root = folder.path();
        let last = LastRun::at(root);
        let mut run = samples::run();
        for scenario in &run.scenarios {
            folder.write(&scenario.file, "");
        }
        run.scenarios[1].result.status = Status::Interrupted;
        last.update(&run, root).unwrap();
        let name = "A customer books tomorrow".to_owned();
        assert_eq!(last.durations(), BTreeMap::from([(name, Duration::from_millis(12))]));
        std::fs::remove_file(root.join(&run.scenarios[0].file)).unwrap();
        assert_eq!(last.durations(), BTreeMap::new(), "its file is gone");
    }
}
