//! The error for a port that is in use: which part needs it, which process has it, how to move it.

use std::{io, time::Duration};

use crate::{app::App, error::CommandError};
use rehearse_aws::template::Ports;
use rehearse_control::Client;

/// How long a world may take to respond. Another server may accept the call and never respond.
const PATIENCE: Duration = Duration::from_millis(300);

/// The error of a part that cannot listen on its port.
pub(crate) async fn error(
    part: &str,
    port: u16,
    source: io::Error,
    ports: &Ports,
    app: &App,
) -> CommandError {
    if source.kind() != io::ErrorKind::AddrInUse {
        return CommandError::environment(format!("failed to listen on port {port} for {part}"))
            .because(source)
            .help(format!("--{part}-port N moves it"));
    }
    let control = format!("http://127.0.0.1:{}", ports.control);
    if is_world(&control).await {
        return CommandError::environment(format!("a world is running already, at {control}")).help(format!(
            "`{}` uses it; Ctrl-C in its terminal ends it; --port-base N starts another beside it",
            app.command("send"),
        ));
    }
    let who = holder(port).map(|who| format!(" by {who}")).unwrap_or_default();
    CommandError::environment(format!("port {port}, for {part}, is taken{who}")).help(format!(
        "end that program, or move the part with --{part}-port N, all with --port-base N"
    ))
}

/// Whether a world responds at this URL within [`PATIENCE`].
async fn is_world(control: &str) -> bool {
    let Ok(client) = Client::new(control) else { return false };
    matches!(tokio::time::timeout(PATIENCE, client.ready()).await, Ok(Ok(_)))
}

/// The process that listens on a port of this machine, as `python3 (process 1234)`.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<String> {
    let socket = format!("socket:[{}]", inode(port)?);
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(id) = name.to_str().filter(|id| id.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        // The descriptors of another user's process cannot be read.
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let has = |file: std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == socket.as_str())
        };
        if files.flatten().any(has) {
            let command = std::fs::read_to_string(process.path().join("comm")).ok()?;
            return Some(format!("{} (process {id})", command.trim_end()));
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn holder(_port: u16) -> Option<String> {
    None
}

/// The inode of the socket that listens on a port.
#[cfg(target_os = "linux")]
fn inode(port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let listens = columns.get(1)?.ends_with(&wanted) && *columns.get(3)? == LISTEN;
            listens.then(|| columns.get(9).map(|inode| (*inode).to_owned())).flatten()
        })
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn finds_the_process_that_has_a_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let who = holder(port).unwrap();
        assert!(who.contains(&format!("(process {})", std::process::id())), "{who}");
    }
}
