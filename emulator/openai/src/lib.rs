//! The scripted OpenAI: the Responses and Chat Completions endpoints on
//! loopback, answering by a scenario's script, or by a persona when there is none.
//!
//! The position in a script comes from the conversation in the request, never
//! from a counter: a repeated request gets the same answer. Requests are
//! checked as the provider checks them, and refused with its error bodies.

mod chat;
mod conversation;
mod error;
mod expectation;
mod http;
mod ids;
mod params;
mod persona;
mod position;
mod read;
mod registry;
mod render;
mod reply;
mod respond;
mod responses;
mod schema;
mod script;
mod server;
mod sse;
mod stored_responses;
#[cfg(test)]
mod tests;
mod tools;
mod unmet;

pub use persona::Persona;
pub use registry::ArmedScript;
pub use script::{
    Call, CutPoint, IncompleteReason, RawCall, RequestExpectation, Round, RoundFailure, Script,
};
pub use server::{OpenAi, Options};
pub use unmet::{NearestRound, RequestSummary, UnmetExpectation};
