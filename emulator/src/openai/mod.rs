//! The scripted OpenAI: the Responses and Chat Completions endpoints on
//! loopback, answering by a scenario's script, or by a persona when there is none.
//!
//! The position in a script comes from the conversation in the request, never
//! from a counter: a repeated request gets the same answer. Requests are
//! checked as the provider checks them, and refused with its error bodies.

mod persona;
mod problem;
mod read;
mod script;
mod server;
mod stage;

pub use persona::Persona;
pub use problem::{Asked, Nearest, Problem};
pub use script::{Call, Cut, Fail, Incomplete, RawCall, Round, Script, Sees};
pub use server::{OpenAi, Options};
pub use stage::Armed;
