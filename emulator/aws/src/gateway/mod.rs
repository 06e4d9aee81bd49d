//! API Gateway on the laptop: HTTP in, Lambda events out, and back.
//!
//! A request is read whole and checked against AWS's limits ([`Gateway`]'s
//! server), given to an API by its Host and stage (`stage`), matched to a route,
//! turned into an event exactly as AWS builds it for this kind of API, handed to
//! a function, and the function's answer is read by AWS's rules. What API Gateway
//! answers by itself stands in one table (`gateway_error`). Only the last step knows
//! how a function runs: as a router of this process, or as processes of its own
//! behind the Lambda Runtime API (`lambda`).

mod client_stream;
mod cors;
mod error_override;
mod event;
mod gateway_error;
mod handler;
mod header_case;
mod in_process;
mod invoke;
pub(crate) mod lambda;
mod request;
mod response;
mod route;
mod running_invocations;
mod server;
mod stage;
#[cfg(test)]
mod tests;
mod token_bucket;

pub use self::{
    lambda::{INIT_TIMEOUT, LambdaConfig, Launcher},
    server::{FunctionCode, Gateway},
};
