//! Files in a project's folder that are not sources: they change without an edit.

use std::{
    collections::HashSet,
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
    process::Stdio,
};

use tokio::{io::AsyncWriteExt as _, process::Command};

/// Folders that hold no sources.
const IGNORED: [&str; 3] = ["target", "node_modules", "__pycache__"];
/// Drafts of editors, what programs say, and databases that run.
const ENDINGS: [&str; 5] = ["~", ".log", "-wal", "-shm", "-journal"];

/// Which files below a folder are left out.
#[derive(Debug)]
pub(crate) struct ExcludedPaths {
    root: PathBuf,
    /// Where a world keeps its rows.
    data: Option<PathBuf>,
}

impl ExcludedPaths {
    /// `root` is a real path; `data` need not be there yet.
    pub(crate) fn new(root: &Path, data: Option<&Path>) -> Self {
        let data = data.and_then(|data| std::path::absolute(data).ok()).map(|data| real(&data));
        // Where it is the project itself, its endings have to do.
        let data = data.filter(|data| !root.starts_with(data));
        Self { root: root.to_path_buf(), data }
    }

    /// Whether that may be a source: neither hidden, nor of a kind that is none, nor in a folder
    /// without sources.
    pub(crate) fn may_be_source(&self, path: &Path) -> bool {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let is_ignored = |part: Component<'_>| {
            let name = part.as_os_str().to_string_lossy();
            name.starts_with('.')
                || IGNORED.contains(&name.as_ref())
                || ENDINGS.iter().any(|ending| name.ends_with(ending))
        };
        !self.data.as_ref().is_some_and(|data| path.starts_with(data))
            && !below.components().any(is_ignored)
    }

    /// Those that Git does not ignore. Git itself is asked, as it alone knows all of its rules;
    /// without it, outside of a repository, or where one ignores the whole project, nothing is.
    pub(crate) async fn not_ignored(&self, mut paths: HashSet<PathBuf>) -> HashSet<PathBuf> {
        if paths.is_empty() {
            return paths;
        }
        let ignored = ignored(&self.root, &paths).await.unwrap_or_default();
        if !ignored.contains(&self.root) {
            paths.retain(|path| !ignored.contains(path));
        }
        paths
    }
}

/// What Git ignores of these paths and the root.
async fn ignored(root: &Path, paths: &HashSet<PathBuf>) -> std::io::Result<HashSet<PathBuf>> {
    let mut git = Command::new("git")
        .args(["check-ignore", "--stdin", "-z"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = git.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
    let paths = paths.iter().map(PathBuf::as_path).chain([root]);
    let lines = paths.flat_map(|path| [path.as_os_str().as_bytes(), b"\0"]);
    let lines: Vec<u8> = lines.flatten().copied().collect();
    // It answers while it reads: both pipes are served at once.
    let write = async move {
        let _ = stdin.write_all(&lines).await;
    };
    let ((), said) = tokio::join!(write, git.wait_with_output());
    let said = said?.stdout;
    let names = said.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect())
}

/// A path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => path.to_path_buf(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_hidden_files_drafts_logs_and_data_are_no_sources() {
        let root = Path::new("/.home/p");
        let excluded = ExcludedPaths::new(root, None);
        let is = |path: &str| excluded.may_be_source(&root.join(path));
        assert!(is("src/main.rs") && is("Cargo.toml") && is("target.rs") && is("log/a.py"));
        for other in [
            "target/debug/a",
            "a/target/x",
            ".git/index",
            "src/.#main.rs",
            "src/a~",
            "up.log",
            "a/b.sqlite-wal",
        ] {
            assert!(!is(other), "{other}");
        }
        // The folder need not be there yet.
        let excluded = ExcludedPaths::new(root, Some(Path::new("/.home/p/rows")));
        let is = |path: &str| excluded.may_be_source(&root.join(path));
        assert!(!is("rows") && !is("rows/dynamodb.sqlite") && is("rows.py"));
        // The project itself is never left out.
        assert!(ExcludedPaths::new(root, Some(root)).may_be_source(&root.join("a.py")));
    }

    #[tokio::test]
    async fn what_git_ignores_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let excluded = ExcludedPaths::new(&root, None);
        let both: HashSet<_> = ["app.py", "written.json"].map(|name| root.join(name)).into();
        std::fs::write(root.join(".gitignore"), "*.json\n").unwrap();
        let alone = excluded.not_ignored(both.clone()).await;
        assert_eq!(alone, both, "there is no repository");
        let init = Command::new("git").args(["init", "-q"]).current_dir(&root).status().await;
        if init.is_ok_and(|status| status.success()) {
            let left = excluded.not_ignored(both).await;
            assert_eq!(left, [root.join("app.py")].into());
            // A project in a folder that its repository does not want is a project still.
            std::fs::write(root.join(".gitignore"), "tmp\n").unwrap();
            let inner = root.join("tmp");
            std::fs::create_dir(&inner).unwrap();
            let source: HashSet<_> = [inner.join("app.py")].into();
            let left = ExcludedPaths::new(&inner, None).not_ignored(source.clone()).await;
            assert_eq!(left, source);
        }
    }
}
