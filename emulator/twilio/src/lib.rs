//! The fake Twilio: the Messages API, signed webhooks, a TwiML reader, status
//! callbacks and opt-out, for one account with one number.
//!
//! - [`Twilio::start`] serves the REST API; `rest` answers it.
//! - [`Twilio::receive`] lets a person text the number; `webhook` signs and
//!   delivers it with Twilio's retries and fallback, `twiml` reads the answer.
//! - `outbox` is the one way out for replies, sends and Twilio's own notices.
//!
//! Not here: Messaging Services as a resource (one may be named in
//! [`NumberConfig`]), media downloads, the loop filter (30039, 14107), trial
//! accounts, content templates.
//!
//! Journal: `sms.received`, `sms.sent` (a refused one ends with an error),
//! `webhook.sms`, `webhook.fallback`, `webhook.status`, `twilio.messages.*`,
//! `twilio.numbers.*`. Faults strike the webhooks and the REST calls by these
//! names; a fault on `twilio.delivery` with a code makes the next text end as
//! `undelivered` with that code.

mod account;
mod activity;
mod geo;
mod inbound;
mod inbox;
mod message;
mod message_log;
mod opt_out;
mod options;
mod outbox;
mod phone;
mod rest;
mod segments;
mod server;
mod sid;
mod signature;
mod twiml;
mod webhook;

#[cfg(test)]
mod tests;

pub use inbound::{Attempt, Delivery, Inbound, Media, Signing, WebhookKind};
pub use message::{Direction, Message, Status};
pub use options::{Method, NumberConfig, NumberKind, Options};
pub use segments::{Encoding, Segments};
pub use server::{Server, Twilio};
pub use sid::{InvalidSid, Sid};
