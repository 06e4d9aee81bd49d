//! The `Model` port on OpenAI's Responses API.
//!
//! `async-openai` supplies address, authentication, requests and error bodies. Request and response
//! bodies are types of this module (`wire`): the crate's types reject a whole response for one
//! unknown value, and a booking must not depend on the name of a service tier. `retry` is the
//! transport below the client, `client` implements the port with it.

mod client;
mod loggable;
mod retry;
mod wire;

pub use self::{
    client::{OpenAi, Settings},
    retry::RetryPolicy,
};
