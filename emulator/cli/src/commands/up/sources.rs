//! Which files are sources: what changed, and whether a build made it.

mod excluded;

use std::{
    collections::{HashMap, HashSet, hash_map},
    path::{Path, PathBuf},
    time::SystemTime,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{CreateKind, ModifyKind},
};
use tokio::{sync::mpsc, time::Duration};

use self::excluded::ExcludedPaths;

/// Changes count as complete after this pause: editors and version control write many files at once.
const QUIET: Duration = Duration::from_millis(100);

/// Changes of the files below a folder.
pub(crate) struct Sources {
    root: PathBuf,
    excluded: ExcludedPaths,
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    outputs: BuildOutputs,
    /// When the last build ended, by [`file_time`].
    build_ended: Option<SystemTime>,
}

impl Sources {
    /// Watches from now on; `data` is where a world keeps its rows.
    pub(crate) fn watch(root: &Path, data: Option<&Path>) -> notify::Result<Self> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let root = root.canonicalize().map_err(notify::Error::io)?;
        let (sender, changes) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event| {
            // Nobody hears it once `up` ends.
            let _ = sender.send(event);
        })?;
        let excluded = ExcludedPaths::new(&root, data);
        let mut sources = Self {
            root,
            excluded,
            watcher,
            changes,
            outputs: BuildOutputs::default(),
            build_ended: None,
        };
        // Not the whole root at once: `target` alone has thousands of folders.
        sources.watcher.watch(&sources.root, RecursiveMode::NonRecursive)?;
        for entry in std::fs::read_dir(&sources.root).map_err(notify::Error::io)?.flatten() {
            sources.add(&entry.path());
        }
        Ok(sources)
    }

    /// Waits until sources have changed and come to rest.
    pub(crate) async fn changed(&mut self) -> Vec<PathBuf> {
        loop {
            let Some(event) = self.changes.recv().await else {
                return std::future::pending().await;
            };
            let paths = self.rest(Some(event)).await;
            let (by_hand, by_build) = self.by_origin(paths);
            self.outputs.by_hand(&by_hand);
            let mut changed: Vec<PathBuf> = by_hand.into_iter().collect();
            // Events may be late.
            if !by_build.is_empty() {
                changed.extend(self.outputs.after_build(by_build));
            }
            if !changed.is_empty() {
                return changed;
            }
        }
    }

    /// After a build that ended then, by [`file_time`]: the sources that changed since it began,
    /// without what it wrote itself.
    pub(crate) async fn changed_meanwhile(&mut self, ended: SystemTime) -> Vec<PathBuf> {
        self.build_ended = Some(ended);
        let paths = self.rest(None).await;
        let (by_hand, meanwhile) = self.by_origin(paths);
        self.outputs.by_hand(&by_hand);
        let mut changed = self.outputs.after_build(meanwhile);
        changed.extend(by_hand);
        changed
    }

    /// Splits paths into those that were written after the last build, so by a person, and those
    /// that a build may have written.
    fn by_origin(&self, paths: HashSet<PathBuf>) -> (HashSet<PathBuf>, HashSet<PathBuf>) {
        let by_hand = |path: &PathBuf| self.build_ended.is_none_or(|ended| is_later(path, ended));
        paths.into_iter().partition(by_hand)
    }

    /// Whether a file of the project, as the settings name it, is this one that changed.
    pub(crate) fn is(&self, name: &Path, path: &Path) -> bool {
        self.root.join(name) == path
    }

    /// A path as people read it.
    pub(crate) fn shown<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// What has changed until nothing more does, from this on.
    async fn rest(&mut self, first: Option<notify::Result<notify::Event>>) -> HashSet<PathBuf> {
        let mut changes = Changes::default();
        if let Some(event) = first {
            self.note(event, &mut changes);
        }
        while let Ok(Some(event)) = tokio::time::timeout(QUIET, self.changes.recv()).await {
            self.note(event, &mut changes);
        }
        self.excluded.not_ignored(changes.that_stay()).await
    }

    fn note(&mut self, event: notify::Result<notify::Event>, changes: &mut Changes) {
        let Ok(event) = event else { return };
        let content = match event.kind {
            EventKind::Create(_) | EventKind::Remove(_) => true,
            EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
            _ => false,
        };
        if event.kind == EventKind::Create(CreateKind::Folder) {
            let root = self.root.clone();
            event.paths.iter().filter(|p| p.parent() == Some(&root)).for_each(|p| self.add(p));
            // Files came into it before anybody watched; the folder itself is no source.
            let files: Vec<PathBuf> =
                event.paths.iter().flat_map(|path| self.below(path)).collect();
            return files.into_iter().for_each(|path| changes.note(path, true));
        }
        let made = matches!(event.kind, EventKind::Create(_));
        for path in event.paths {
            if content && self.excluded.may_be_source(&path) {
                changes.note(path, made);
            }
        }
    }

    /// The files below a folder that may be sources.
    fn below(&self, folder: &Path) -> Vec<PathBuf> {
        if !self.excluded.may_be_source(folder) {
            return Vec::new();
        }
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = entries.flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => self.below(&entry.path()),
            _ => vec![entry.path()],
        });
        files.filter(|path| self.excluded.may_be_source(path)).collect()
    }

    /// Watches a folder of the root. One that cannot be watched is as one without changes.
    fn add(&mut self, path: &Path) {
        if path.is_dir() && self.excluded.may_be_source(path) {
            let _ = self.watcher.watch(path, RecursiveMode::Recursive);
        }
    }
}

/// The time now by the clock of the file system, for comparing with times of files: the process's
/// own clock may be finer, and that of another machine when files are on a network.
pub(crate) fn file_time() -> SystemTime {
    let file = tempfile::tempfile().and_then(|file| file.metadata()?.modified());
    file.unwrap_or_else(|_| SystemTime::now())
}

/// Whether a file was written after a moment. After the end of a build it was not written by the build.
fn is_later(path: &Path, moment: SystemTime) -> bool {
    let written = std::fs::metadata(path).and_then(|found| found.modified());
    written.is_ok_and(|written| written > moment)
}

/// Paths that changed, and whether each was made first of all.
#[derive(Debug, Default)]
struct Changes(HashMap<PathBuf, bool>);

impl Changes {
    fn note(&mut self, path: PathBuf, made: bool) {
        if let hash_map::Entry::Vacant(new) = self.0.entry(path) {
            new.insert(made);
        }
    }

    /// Without those that came and went, such as what an editor writes before it renames it.
    fn that_stay(self) -> HashSet<PathBuf> {
        let stays = |(path, made): &(PathBuf, bool)| !made || path.exists();
        self.0.into_iter().filter(stays).map(|(path, _)| path).collect()
    }
}

/// Files that a build writes among the sources: they change with each build, and must not start the
/// next one.
#[derive(Debug, Default)]
struct BuildOutputs {
    outputs: HashSet<PathBuf>,
    /// Changed while the last build ran: sources that were edited meanwhile, or outputs.
    doubtful: HashSet<PathBuf>,
}

impl BuildOutputs {
    /// Notes files that changed while no build ran, so a person changed them.
    fn by_hand(&mut self, paths: &HashSet<PathBuf>) {
        self.doubtful.retain(|path| !paths.contains(path));
        self.outputs.retain(|path| !paths.contains(path));
    }

    /// What changed while a build ran and needs another one. A path that changes in two builds one
    /// after the other is an output.
    fn after_build(&mut self, changed: HashSet<PathBuf>) -> Vec<PathBuf> {
        let new: HashSet<PathBuf> = changed.difference(&self.outputs).cloned().collect();
        let (outputs, edited) = new.into_iter().partition(|path| self.doubtful.contains(path));
        let outputs: HashSet<PathBuf> = outputs;
        self.outputs.extend(outputs);
        self.doubtful = edited;
        self.doubtful.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> HashSet<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_build_that_writes_among_the_sources_does_not_run_for_ever() {
        let mut made = BuildOutputs::default();
        made.by_hand(&paths(&["a.c"]));
        assert_eq!(made.after_build(paths(&["a.o"])), [PathBuf::from("a.o")], "it may be a source");
        assert!(made.after_build(paths(&["a.o"])).is_empty(), "two builds made it");
        made.by_hand(&paths(&["a.c"]));
        assert!(made.after_build(paths(&["a.o"])).is_empty());
        assert_eq!(made.after_build(paths(&["a.o", "a.c"])), [PathBuf::from("a.c")]);
        made.by_hand(&paths(&["a.o"]));
        assert_eq!(made.after_build(paths(&["a.o"])).len(), 1, "it was changed by hand");
    }

    #[test]
    fn what_came_and_went_is_no_change_and_what_was_removed_is_one() {
        let mut changes = Changes::default();
        changes.note("/nowhere/sedUf7bKv".into(), true);
        changes.note("/nowhere/sedUf7bKv".into(), false);
        changes.note("/nowhere/removed.py".into(), false);
        assert_eq!(changes.that_stay(), paths(&["/nowhere/removed.py"]));
    }
}
