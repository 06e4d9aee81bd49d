//! API Gateway on the laptop: HTTP in, Lambda events out, and back.
//!
//! A request is read whole and checked against AWS's limits ([`Gateway`]'s
//! server), given to an API by its Host and stage (`stage`), matched to a route,
//! turned into an event exactly as AWS builds it for this kind of API, handed to
//! a function, and the function's answer is read by AWS's rules. What API Gateway
//! answers by itself stands in one table (`refusal`). Only the last step knows
//! how a function runs: as a router of this process, or as processes of its own
//! behind the Lambda Runtime API (`lambda`).

mod api;
mod cors;
mod event;
mod in_process;
mod invoke;
pub(crate) mod lambda;
mod refusal;
mod request;
mod respond;
mod route;
mod running;
mod server;
mod speech;
mod spelling;
mod stage;
#[cfg(test)]
mod tests;
mod throttle;
mod wire;

pub use self::{
    lambda::{INIT_TIMEOUT, Lambda, Launcher},
    running::End,
    server::{Code, Gateway},
};
