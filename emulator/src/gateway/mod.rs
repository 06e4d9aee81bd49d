//! API Gateway (HTTP API) on the laptop: HTTP in, Lambda events out, and back.
//!
//! A request is read whole and checked against AWS's limits ([`Gateway`]'s
//! server), matched to a route, turned into an event exactly as AWS builds it,
//! handed to a function, and the function's answer is read by AWS's rules. Only
//! the last step knows how a function runs: as a router of this process, or as
//! processes of its own behind the Lambda Runtime API ([`lambda`]).

mod api;
mod event;
mod in_process;
mod invoke;
pub(crate) mod lambda;
mod request;
mod respond;
mod route;
mod running;
mod server;
#[cfg(test)]
mod tests;

pub use self::{
    lambda::{Lambda, Launcher},
    running::End,
    server::{Code, Gateway},
};
