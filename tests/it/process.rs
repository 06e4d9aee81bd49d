//! Starting the program and other processes, and waiting for them.

use std::{
    path::Path,
    process::{Child, Command},
};

pub use rehearse_testutils::{Finished, PATIENCE, wait_for};

/// Runs the program with these arguments in this folder until it ends, without colours and
/// without a terminal.
pub fn rehearse(folder: &Path, arguments: &[&str]) -> Finished {
    command(folder, arguments).output().unwrap().into()
}

/// The program, ready to be started.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    rehearse_testutils::command(env!("CARGO_BIN_EXE_rehearse-shop"), folder, arguments)
}

/// Sends what Ctrl-C sends.
pub fn interrupt(process: &Child) {
    assert!(send_signal("-INT", &process.id().to_string()));
}

/// Sends a signal; false when there is no such process.
pub fn send_signal(signal: &str, pid: &str) -> bool {
    Command::new("kill").args([signal, pid]).output().unwrap().status.success()
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
