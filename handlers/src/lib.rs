//! The SMS-to-booking backend of a phone-repair shop: three functions behind API Gateway.
//!
//! From the inside out: [`domain`] decides, without I/O, clock or chance; [`ports`]
//! says what is asked of the world, in domain types; [`app`] holds the use cases and
//! [`tools`] the model's tools; [`http`] is one router per function; [`adapters`] put
//! the ports on DynamoDB, OpenAI and Twilio; [`config`] reads variables, [`compose`]
//! chooses adapters. The Lambda binaries and the emulator serve the same routers.

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
