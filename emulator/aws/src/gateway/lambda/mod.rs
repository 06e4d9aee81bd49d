//! Functions as processes, behind an emulated Lambda Runtime API.
//!
//! Any program that asks for its next event over HTTP and posts its result is a function, whatever
//! language it is written in. Each file uses those above it only:
//!
//! - `config` is what a function is and how it is run; `environment` has the variables that it
//!   finds, `launcher` the command that starts it, `output` what it writes;
//! - `runtime_api` is the Runtime API of one process as HTTP;
//! - `process` is one process: its start, the event that it works on, its end;
//! - `pool_state` knows what each process of a function does, and `pool` decides which of them gets
//!   an event, and starts and kills them.

mod config;
mod environment;
mod false_clock;
mod launcher;
mod output;
mod pool;
mod pool_state;
mod process;
mod runtime_api;
#[cfg(test)]
mod tests;

pub(super) use self::pool::ProcessPool;
#[cfg(feature = "testing")]
pub(crate) use self::runtime_api::error_text;
pub use self::{config::LambdaConfig, launcher::Launcher};

use std::time::Duration;

/// Most bytes that Lambda takes as an event, and as the result of a synchronous invocation.
pub(super) const MAX_PAYLOAD_BYTES: usize = 6_291_556;
/// AWS's limit for the time from the start of a process until it asks for its first event.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(10);
