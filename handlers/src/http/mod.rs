//! HTTP: one router per function, built by a plain function from its use case.
//!
//! The Lambda binaries and the emulator serve the same routers. From the outside in: `cors` adds
//! its headers to every response and answers preflight requests, `trace` connects log lines with
//! their request, `request_time` takes business time from API Gateway, and a handler reads its body
//! (`body`), authenticates the caller (`signature`, `admin`) and calls a use case. Failures become
//! an `error::ApiError`, whose text tells what the caller can fix and nothing else.

mod admin;
mod body;
mod cors;
mod dispatcher;
mod error;
mod request_time;
mod routing;
mod scheduler;
mod signature;
mod state;
mod trace;
mod twiml;

pub use self::{
    dispatcher::{WebhookAuthentication, dispatcher},
    request_time::RequestTime,
    scheduler::scheduler,
    state::state,
};
