//! What invokes functions besides an API: schedules, as business time passes their moments, and
//! Lambda's Invoke API.
//!
//! - `timetable` knows the moments at which schedules are due;
//! - `queue` runs asynchronous invocations, repeats those that fail and gives them up;
//! - `caller` knows when an asynchronous invocation begins;
//! - `due` fires what is due, and follows a running clock;
//! - `invoked` is an invocation for which somebody outside waits;
//! - `service` is all of that, and what waits for them: [`Events`];
//! - `signature` verifies Signature Version 4, and `server` is the Invoke API, whose refusals are in
//!   `refusal`.
//!
//! Nothing here moves the clock. Whoever does asks [`Events::next_due`] for the moments in between,
//! moves the clock to each, and has it fired; a running clock is followed by a task.

mod caller;
mod due;
mod invoked;
mod queue;
mod refusal;
mod server;
mod service;
mod signature;
#[cfg(test)]
mod tests;
mod timetable;

pub use self::{
    due::FiringLock,
    invoked::Invoked,
    server::{Options, Server},
    service::{Events, Halted},
    signature::Credentials,
    timetable::MOST_MOMENTS,
};
