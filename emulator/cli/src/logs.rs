//! Logs of the functions and of the emulator itself, on the error stream.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

/// Shows events from this level on; REHEARSE_LOG overrules it.
///
/// The embedded database warns of every 4xx, and a failed condition is not worth
/// a line in anyone's log. What crosses is in the journal.
pub(crate) fn start(level: &str) {
    let filter = EnvFilter::try_from_env("REHEARSE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},dynoxide=off")));
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .finish();
    // A second start in one process (tests) keeps the first.
    let _ = ::tracing::subscriber::set_global_default(subscriber);
}
