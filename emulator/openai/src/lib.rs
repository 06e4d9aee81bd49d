//! A fake OpenAI for tests: the Responses and Chat Completions endpoints on the loopback interface,
//! which respond by a script.
//!
//! The position in a script comes from the conversation in the request, never from a counter: a
//! repeated request gets the same response. Requests are checked as the provider checks them, and
//! refused with its error bodies.
//!
//! # As a part of a world
//!
//! [`OpenAi`] is a server with a journal, a clock and faults that it shares with other fakes.
//! [`OpenAi::arm`] takes a [`Script`] as scenarios write it in YAML, and its guard returns what was
//! not met. A [`Persona`] responds by rules when no script matches.
//!
//! # What is not reproduced
//!
//! Background responses, the Conversations and Prompts APIs, more than one choice, and every other
//! endpoint but the list of models: requests for them get an error that says so.

mod chat;
mod conversation;
mod error;
mod http;
mod ids;
mod options;
mod params;
mod persona;
mod position;
mod registry;
mod render;
mod reply;
mod respond;
mod responses;
mod schema;
mod script;
mod server;
mod sse;
mod state;
mod stored_responses;
#[cfg(test)]
mod tests;
mod tools;
mod unmet;

pub use options::Options;
pub use persona::Persona;
pub use registry::{ArmedScript, ScriptRegistry};
pub use script::{
    Call, CutPoint, IncompleteReason, RawCall, RequestExpectation, Round, RoundFailure, Script,
    Trigger,
};
pub use server::OpenAi;
pub use unmet::{NearestRound, RequestSummary, UnmetExpectation, UnmetExpectations};
