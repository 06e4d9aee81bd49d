//! API Gateway: HTTP requests become Lambda events, and results become HTTP responses.
//!
//! The way of a request, file by file:
//!
//! 1. `connection` reads it whole, within AWS's limits, from a `client_stream`;
//! 2. `stage` finds its API by Host and path, `route` its function, `token_bucket` throttles it;
//! 3. `event` builds the event exactly as AWS does for this kind of API;
//! 4. `handler` runs the function and waits for it: a router of this process (`in_process`) or
//!    processes behind the Lambda Runtime API (`lambda`);
//! 5. `response` reads the function's result by AWS's rules; where there is none, `gateway_error`
//!    has API Gateway's own response.
//!
//! [`FakeGateway`] is all of that for a test in a few lines.

mod client_stream;
mod connection;
mod cors;
mod environment;
mod event;
mod fake;
mod gateway_error;
mod handler;
mod in_process;
mod instances;
pub(crate) mod invoke;
mod invoker;
pub(crate) mod lambda;
mod request;
pub(crate) mod response;
mod route;
mod running_invocations;
mod server;
mod serves;
mod stage;
#[cfg(test)]
mod tests;
mod token_bucket;

pub use self::{
    environment::FunctionEnvironment,
    fake::{FakeGateway, FakeGatewayBuilder},
    instances::Instances,
    invoker::Invoker,
    lambda::{INIT_TIMEOUT, LambdaConfig, Launcher},
    server::{FunctionCode, Gateway},
    serves::serves,
};
