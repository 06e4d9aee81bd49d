//! The scripted OpenAI: the Responses and Chat Completions endpoints on
//! loopback, answering by a scenario's script, or by a persona when there is none.
//!
//! The position in a script comes from the conversation in the request, never
//! from a counter: a repeated request gets the same answer. Requests are
//! checked as the provider checks them, and refused with its error bodies.

mod answer;
mod chat;
mod conversation;
mod error;
mod http;
mod ids;
mod params;
mod perform;
mod persona;
mod place;
mod problem;
mod read;
mod reply;
mod responses;
mod schema;
mod script;
mod sees;
mod server;
mod sse;
mod stage;
mod stored;
#[cfg(test)]
mod tests;
mod tools;

pub use persona::Persona;
pub use problem::{Asked, Nearest, Problem};
pub use script::{Call, Cut, Fail, Incomplete, RawCall, Round, Script, Sees};
pub use server::{OpenAi, Options};
pub use stage::Armed;
