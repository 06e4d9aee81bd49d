//! What several test files need.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rehearse_dynamodb::{EngineChoice, Service, ServiceOptions};

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder whose name ends so, sorted.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A project of its own in a temporary folder: template, settings and fixtures, but no scenarios.
pub fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["template.yaml", "rehearse.toml"] {
        std::fs::copy(root().join(file), folder.path().join(file)).unwrap();
    }
    for file in files(&root().join("fixtures"), "") {
        let to = folder.path().join(file.strip_prefix(root()).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&file, to).unwrap();
    }
    folder
}

/// Writes a file below a folder.
pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// What keeps the tables, as REHEARSE_DYNAMODB says: one service for all tests of this process.
pub fn databases() -> Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let start = || {
        let choice = std::env::var("REHEARSE_DYNAMODB").unwrap_or_else(|_| "embedded".into());
        let choice: EngineChoice = choice.parse().unwrap();
        if choice == EngineChoice::Docker {
            remove_containers_in_the_end();
        }
        Service::start(ServiceOptions { choice, ..ServiceOptions::default() }).unwrap()
    };
    SERVICE.get_or_init(start).clone()
}

/// Nothing of a test process runs at its end, so another one waits for it.
fn remove_containers_in_the_end() {
    let own = format!("label=rehearse.process={}", std::process::id());
    let script = format!("cat >/dev/null; docker ps -aq --filter {own} | xargs -r docker rm -f -v");
    let null = std::process::Stdio::null;
    let waits = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(null())
        .stderr(null())
        .spawn();
    // Its input ends when this process does.
    std::mem::forget(waits.unwrap());
}
