//! HTTP: one router per function, each built by a plain function that takes its ports.
//!
//! The Lambda binary and the emulator serve the same routers. From the outside in:
//! `cors` puts its headers on every response and answers preflights, `trace`
//! ties log lines to the request, `now` turns API Gateway's clock into a value,
//! and a handler reads its body (`body`), checks who is calling (`signature`,
//! `admin`) and calls a use case. What can go wrong is an `error::ApiError`,
//! whose text says what the caller can fix and nothing else.

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
