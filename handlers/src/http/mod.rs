//! HTTP: one router per function, built by a plain function from its use case.
//!
//! The Lambda binaries and the emulator serve the same routers. From the outside in: `layers` adds
//! CORS headers to every response, connects log lines with their request and takes business time
//! from API Gateway; `routing` chooses the handler; a handler reads its body (`body`),
//! authenticates the caller (`signature`, `admin`) and calls a use case. Failures become an
//! `error::ApiError`, whose text tells what the caller can fix and nothing else.

mod admin;
mod background;
mod body;
mod book;
mod calendar;
mod customers;
mod dispatcher;
mod error;
mod layers;
mod owner_page;
mod page;
mod routing;
mod scheduler;
mod signature;
mod state;
mod time_off;
mod twiml;

pub(crate) use self::dispatcher::message_status_url;
pub use self::{
    background::background,
    book::BookPage,
    dispatcher::{WebhookAuthentication, dispatcher},
    layers::{RequestTime, with_deadline},
    scheduler::scheduler,
    state::state,
};
