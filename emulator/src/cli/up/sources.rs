//! Which files are sources: what changed, and whether a build made it.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
    time::SystemTime,
};

use notify::{
    EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{CreateKind, ModifyKind},
};
use tokio::{sync::mpsc, time::Duration};

/// So long nothing more must change: editors and version control write many files at once.
const QUIET: Duration = Duration::from_millis(100);
/// Folders that hold no sources.
const IGNORED: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// Changes of the files below a folder.
pub(super) struct Sources {
    root: PathBuf,
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<notify::Result<notify::Event>>,
    made: Made,
}

impl Sources {
    /// Watches from now on.
    pub(super) fn watch(root: &Path) -> notify::Result<Self> {
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let root = root.canonicalize().map_err(notify::Error::io)?;
        let (sender, changes) = mpsc::unbounded_channel();
        let watcher = notify::recommended_watcher(move |event| {
            // Nobody hears it once `up` ends.
            let _ = sender.send(event);
        })?;
        let mut sources = Self { root, watcher, changes, made: Made::default() };
        // Not the whole root at once: `target` alone has thousands of folders.
        sources.watcher.watch(&sources.root, RecursiveMode::NonRecursive)?;
        for entry in std::fs::read_dir(&sources.root).map_err(notify::Error::io)?.flatten() {
            sources.add(&entry.path());
        }
        Ok(sources)
    }

    /// Waits until sources have changed and come to rest.
    pub(super) async fn changed(&mut self) -> Vec<PathBuf> {
        loop {
            let Some(event) = self.changes.recv().await else {
                return std::future::pending().await;
            };
            let mut paths = self.of(event);
            paths.extend(self.rest().await);
            self.made.by_hand(&paths);
            if !paths.is_empty() {
                return paths.into_iter().collect();
            }
        }
    }

    /// After a build that ended then: the sources that changed since it began, without what it
    /// made itself.
    pub(super) async fn changed_meanwhile(&mut self, ended: SystemTime) -> Vec<PathBuf> {
        let (by_hand, meanwhile): (HashSet<_>, HashSet<_>) =
            self.rest().await.into_iter().partition(|path| is_later(path, ended));
        self.made.by_hand(&by_hand);
        let mut changed = self.made.after_build(meanwhile);
        changed.extend(by_hand);
        changed
    }

    /// A path as people read it.
    pub(super) fn shown<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }

    /// What has changed until nothing more does.
    async fn rest(&mut self) -> HashSet<PathBuf> {
        let mut paths = HashSet::new();
        while let Ok(Some(event)) = tokio::time::timeout(QUIET, self.changes.recv()).await {
            paths.extend(self.of(event));
        }
        paths
    }

    fn of(&mut self, event: notify::Result<notify::Event>) -> HashSet<PathBuf> {
        let Ok(event) = event else { return HashSet::new() };
        let content = match event.kind {
            EventKind::Create(_) | EventKind::Remove(_) => true,
            EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
            _ => false,
        };
        if event.kind == EventKind::Create(CreateKind::Folder) {
            let root = self.root.clone();
            event.paths.iter().filter(|p| p.parent() == Some(&root)).for_each(|p| self.add(p));
        }
        let paths = event.paths.into_iter().filter(|path| content && is_source(&self.root, path));
        paths.collect()
    }

    /// Watches a folder of the root. One that cannot be watched is as one without changes.
    fn add(&mut self, path: &Path) {
        if path.is_dir() && is_source(&self.root, path) {
            let _ = self.watcher.watch(path, RecursiveMode::Recursive);
        }
    }
}

/// Whether a file was written after a moment: by somebody, when that is the end of a build.
fn is_later(path: &Path, moment: SystemTime) -> bool {
    let written = std::fs::metadata(path).and_then(|found| found.modified());
    written.is_ok_and(|written| written > moment)
}

/// Neither hidden, nor a draft of an editor, nor in a folder without sources.
fn is_source(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let is_ignored = |part: Component<'_>| {
        let name = part.as_os_str().to_string_lossy();
        name.starts_with('.') || name.ends_with('~') || IGNORED.contains(&name.as_ref())
    };
    !below.components().any(is_ignored)
}

/// What builds make among the sources: it changes whenever one runs, and must not start the next.
#[derive(Debug, Default)]
struct Made {
    outputs: HashSet<PathBuf>,
    /// Changed while the last build ran: sources that were edited meanwhile, or outputs.
    doubtful: HashSet<PathBuf>,
}

impl Made {
    /// Somebody changed these while no build ran.
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
        let mut made = Made::default();
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
    fn outputs_hidden_files_and_drafts_are_no_sources() {
        let is = |path: &str| is_source(Path::new("/.home/p"), &Path::new("/.home/p").join(path));
        assert!(is("src/main.rs") && is("Cargo.toml") && is("target.rs"));
        for other in ["target/debug/a", "a/target/x", ".git/index", "src/.#main.rs", "src/a~"] {
            assert!(!is(other), "{other}");
        }
    }
}
