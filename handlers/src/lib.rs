//! The SMS-to-booking backend of a phone-repair shop: three functions behind API Gateway, and one
//! that works outside of requests.
//!
//! From the inside out: [`domain`] makes the decisions, without I/O, clock or randomness; [`ports`]
//! are traits for what lies outside, in domain types; [`app`] holds the use cases and [`tools`] the
//! tools that the model can call; [`http`] has one router per function; [`adapters`] implement the
//! ports on DynamoDB, OpenAI and Twilio; [`config`] parses environment variables, and [`compose`]
//! connects everything. The Lambda binaries and the emulator serve the same routers.

pub mod adapters;
pub mod app;
pub mod compose;
pub mod config;
pub mod domain;
pub mod http;
pub mod log;
pub mod ports;
pub mod tools;

pub use self::compose::{Function, functions};
