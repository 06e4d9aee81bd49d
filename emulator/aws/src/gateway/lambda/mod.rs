//! Functions as processes of their own, behind an emulated Lambda Runtime API.
//!
//! It knows nothing of any language: a program that asks for its next event over
//! HTTP and posts its answer is a function. Each process has an endpoint of its
//! own ([`runtime_api`]), so that a call is known to be its own without a word in
//! the protocol for it. A [`pool`] decides which process of a function gets an
//! event, by its [`pool_state`]; a [`process`] is started, watched, and killed; what
//! it writes is [`output`]; what it finds is its [`environment`].

mod environment;
mod launcher;
mod output;
mod pool;
mod pool_state;
mod process;
mod runtime_api;
#[cfg(test)]
mod tests;

pub(super) use self::pool::ProcessPool;
pub use self::{launcher::Launcher, pool::LambdaConfig};

use std::time::Duration;

/// What Lambda takes as an event and as an answer of a synchronous invocation.
pub(super) const MAX_PAYLOAD_BYTES: usize = 6_291_556;
/// AWS's own limit for the time from the start of a process to its first request for an event.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(10);
