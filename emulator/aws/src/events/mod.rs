//! What invokes functions besides an API: schedules, as business time passes their moments, and
//! Lambda's Invoke API.
//!
//! - `timetable` knows the moments at which schedules are due;
//! - `queue` runs asynchronous invocations, repeats those that fail and gives them up;
//! - `caller` knows when an asynchronous invocation begins;
//! - `service` is both, and what waits for them: [`Events`];
//! - `signature` verifies Signature Version 4, and `server` is the Invoke API, whose refusals are in
//!   `refusal`.
//!
//! Nothing here moves the clock. Whoever does asks [`Events::next_due`] for the moments in between,
//! moves the clock to each, and has it fired; a running clock is followed by a task.

mod caller;
mod queue;
mod refusal;
mod server;
mod service;
mod signature;
#[cfg(test)]
mod tests;
mod timetable;

pub use self::{
    server::{Options, Server},
    service::Events,
    signature::Credentials,
    timetable::MOST_MOMENTS,
};
