//! A cloud on one laptop, for any SMS backend: DynamoDB, Twilio, OpenAI and API
//! Gateway on loopback, and scenarios that drive a backend through them.
//!
//! The crate knows nothing of the backend under test. It meets it as routers
//! ([`Function`]) and over HTTP, and a fake never shares types with the clients
//! that it tests.
//!
//! - [`world`] starts every part, on [`threads`]; [`journal`] is the one record of what crossed;
//!   [`clock`] and [`faults`] are the scripted time and failures.
//! - [`template`] reads `template.yaml` and `rehearse.toml`.
//! - [`dynamodb`], [`twilio`], [`openai`], [`secrets`] and [`gateway`] are the providers.
//! - [`function`] is how the backend's code is met.
//! - [`matcher`] compares values, for scenarios and model scripts alike; [`yaml`] reads the user's
//!   files, and `names` knows which name was meant; `serve` accepts connections for every server.
//! - [`iam`] holds what functions did against what the template lets them do.
//! - [`scenario`] reads and runs scenarios, [`report`] tells how it went, [`cli`] is the command line,
//!   [`control`] the API of a running world.

pub mod cli;
pub mod clock;
pub mod control;
pub mod dynamodb;
pub mod faults;
pub mod function;
pub mod gateway;
pub mod iam;
pub mod journal;
pub mod matcher;
mod names;
pub mod openai;
pub mod report;
pub mod scenario;
pub mod secrets;
mod serve;
pub mod template;
#[cfg(test)]
mod testing;
pub mod threads;
pub mod twilio;
pub mod world;
pub mod yaml;

pub use function::{Executable, Function};
