//! The database service of this workspace's tests.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use std::sync::OnceLock;

use crate::{EngineChoice, Service, ServiceOptions};

/// The database service that `REHEARSE_DYNAMODB` names (`embedded`, `docker` or a URL; default
/// `embedded`), shared by all tests of this process.
///
/// # Panics
/// When the variable has another value or the service does not start.
pub fn service() -> Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let start = || {
        let choice = std::env::var("REHEARSE_DYNAMODB").unwrap_or_else(|_| "embedded".into());
        let choice: EngineChoice = choice.parse().unwrap();
        if choice == EngineChoice::Docker {
            remove_containers_at_exit();
        }
        Service::start(ServiceOptions { choice, ..ServiceOptions::default() }).unwrap()
    };
    SERVICE.get_or_init(start).clone()
}

/// A test process runs nothing at its end, so another process waits for it and removes its
/// containers.
fn remove_containers_at_exit() {
    let own = format!("label=rehearse.process={}", std::process::id());
    let script = format!("cat >/dev/null; docker ps -aq --filter {own} | xargs -r docker rm -f -v");
    let null = std::process::Stdio::null;
    let waiting = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(null())
        .stderr(null())
        .spawn();
    // Its input ends when this process ends.
    std::mem::forget(waiting.unwrap());
}
