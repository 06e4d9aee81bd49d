//! The model, by OpenAI's Responses API.
//!
//! `async-openai` is the client: address, authentication, requests, error bodies.
//! The bodies are this module's own (`wire`), since the crate's types refuse a
//! whole answer for one value that they do not know, and a booking must not
//! depend on the name of a service tier. `retry` is the transport below it,
//! `client` the port above it.

mod client;
mod retry;
mod wire;

pub use self::{
    client::{OpenAi, Settings},
    retry::RetryPolicy,
};
