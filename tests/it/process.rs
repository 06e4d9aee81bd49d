//! Starting the program and other processes, and waiting for them.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// How long anything is waited for: far longer than it takes, so that only a hang fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Exit code and output of a process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Finished {
    /// Asserts the exit code and that all texts are in the output; a panic never is.
    #[track_caller]
    pub fn expect(&self, code: i32, texts: &[&str]) {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for text in texts {
            assert!(all.contains(text), "no '{text}' in:\n{all}");
        }
        assert!(!all.contains("panicked"), "{all}");
    }
}

/// Runs the program with these arguments in this folder until it ends, without colours and
/// without a terminal.
pub fn rehearse(folder: &Path, arguments: &[&str]) -> Finished {
    command(folder, arguments).output().unwrap().into()
}

/// The program, ready to be started.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse-shop"));
    command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("REHEARSE_LOG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

/// Sends what Ctrl-C sends.
pub fn interrupt(process: &Child) {
    assert!(send_signal("-INT", &process.id().to_string()));
}

/// Sends a signal; false when there is no such process.
pub fn send_signal(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).output().unwrap().status.success()
}

/// Asks again and again until there is a result, and fails with `what` when there is none in time.
#[track_caller]
pub fn wait_for<T>(what: &str, mut result: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(result) = result() {
            return result;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a process that was started here has ended, and returns its exit code, `None` when a
/// signal ended it.
#[track_caller]
pub fn wait_for_exit(process: &mut Child) -> Option<i32> {
    wait_for("the process ends", || process.try_wait().unwrap()).code()
}

/// Waits until a process that need not be a child of this one is gone.
#[track_caller]
pub fn wait_until_gone(pid: &str) {
    wait_for(&format!("process {pid} ends"), || (!is_running(pid)).then_some(()));
}

/// A process whose parent is gone may stay as a zombie, which runs no more.
#[cfg(target_os = "linux")]
fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[cfg(not(target_os = "linux"))]
fn is_running(pid: &str) -> bool {
    send_signal("-0", pid)
}

/// Ids of the processes whose parent this is.
#[cfg(target_os = "linux")]
pub fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

#[cfg(target_os = "linux")]
fn parent_of(id: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything; state and parent follow it.
    let (_, behind) = text.rsplit_once(") ")?;
    behind.split(' ').nth(1)?.parse().ok()
}

/// Inodes of the sockets that a process has open.
#[cfg(target_os = "linux")]
pub fn sockets_of(pid: u32) -> Vec<String> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let links = folder.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    links
        .filter_map(|link| {
            let link = link.to_string_lossy().into_owned();
            Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect()
}
