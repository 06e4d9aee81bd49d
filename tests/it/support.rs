//! What several test files need.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rehearse_dynamodb::{Choice, Service, ServiceOptions};

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

/// What a run of the program printed and returned.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `rehearse` with these words in this folder, without colours and without a terminal.
pub fn rehearse(folder: &Path, words: &[&str]) -> Ran {
    let output = command(folder, words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The program, ready to be spawned.
pub fn command(folder: &Path, words: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rehearse-shop"));
    command
        .current_dir(folder)
        .args(words)
        .env("NO_COLOR", "1")
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(std::process::Stdio::null());
    command
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
        let choice: Choice = choice.parse().unwrap();
        if choice == Choice::Docker {
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

/// Waits until a process has ended: one whose parent is gone may be nobody's to bury.
pub fn ended(pid: &str) {
    let stat = format!("/proc/{pid}/stat");
    for _ in 0..3_000 {
        let alive = match std::fs::read_to_string(&stat) {
            Ok(stat) => !stat.contains(") Z "),
            Err(_) if Path::new("/proc/self").exists() => false,
            Err(_) => send_signal("-0", pid),
        };
        if !alive {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("process {pid} lives on");
}

/// Sends a signal; false when there is no such process.
pub fn send_signal(signal: &str, pid: &str) -> bool {
    let kill = std::process::Command::new("kill").args([signal, pid]).output();
    kill.unwrap().status.success()
}
