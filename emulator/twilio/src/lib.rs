//! A fake Twilio for tests: the Messages API, signed webhooks, TwiML, status callbacks and opt-out,
//! for one account and its numbers.
//!
//! A test starts a [`FakeTwilio`], makes the backend under test its webhook, and texts the number:
//!
//! ```
//! use axum::{Router, routing::post};
//! use rehearse_twilio::{
//!     FakeTwilio,
//!     faults::{Failure, Fault},
//! };
//! use tokio::net::TcpListener;
//!
//! /// The backend under test. A real one would check the signature.
//! async fn sms(form: String) -> ([(&'static str, &'static str); 1], &'static str) {
//!     assert!(form.contains("Body=Are+you+open"));
//!     ([("content-type", "text/xml")], "<Response><Message>Until six.</Message></Response>")
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let webhook = format!("http://{}/sms", listener.local_addr()?);
//! let backend = Router::new().route("/sms", post(sms));
//! tokio::spawn(async move { axum::serve(listener, backend).await });
//!
//! let twilio = FakeTwilio::builder().webhook(webhook).start().await?;
//! let replies = twilio.text("+15550123456", "Are you open?").await?;
//! assert_eq!(replies, ["Until six."]);
//!
//! // Every exchange is in the journal.
//! assert_eq!(twilio.journal().exchanges().named("webhook.sms").count(), 1);
//!
//! // The next message is not delivered: the carrier filters it.
//! let failure = Failure { code: Some("30007".into()), ..Failure::default() };
//! let on = "twilio.delivery".to_owned();
//! twilio.faults().arm(Fault { on, failure, times: Some(1), ..Fault::default() });
//! assert!(twilio.text("+15550123456", "Are you open?").await?.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! The backend reaches the REST API at [`FakeTwilio::url`], with [`FakeTwilio::account_sid`] and
//! [`FakeTwilio::auth_token`]. When it needs these before it can start, set its URL afterwards with
//! [`FakeTwilio::set_webhook`].
//!
//! # How a text is handled
//!
//! A text is recorded, and a keyword such as STOP is acted on. Then the webhook is called. Its response
//! is read as TwiML, its redirects are followed, and its replies are sent. Twilio's rules for retries,
//! timeouts and the fallback apply, with the connection overrides in a URL's fragment. A message with a
//! status callback calls the backend back at each status; others reach their final status at once.
//!
//! # Journal and faults
//!
//! Exchanges have these names, by which [`faults`] are armed as well, except `sms.*`:
//!
//! - `sms.received` and `sms.sent`: messages. A message that Twilio refuses ends with an error.
//! - `webhook.sms`, `webhook.fallback` and `webhook.status`: calls of the backend's URLs.
//! - `twilio.messages.*`, `twilio.numbers.*`, `twilio.services.*`, `twilio.pool.*`, `twilio.media.*`,
//!   `twilio.accounts.fetch` and `twilio.lookups.fetch`: calls
//!   of the REST API, such as `twilio.messages.create`.
//!
//! A fault on `twilio.delivery` makes the next message end as `undelivered`, or `failed` where Twilio
//! itself could not send it, with the fault's code. [`Twilio::steer`] decides more: the last status,
//! and which status callbacks come, when and in which order.
//!
//! # As a part of a world
//!
//! [`Twilio::start`] starts the same server with a journal, a clock and faults that it shares with other
//! fakes. [`FakeTwilio::twilio`] returns the same handle.
//!
//! # What is not reproduced
//!
//! Of Messaging Services short codes, alphanumeric senders and compliance; the loop
//! filter (30039, 14107), trial accounts, content templates as a resource, and every API but the account,
//! its messages and numbers, Messaging Services and Lookup.

mod account;
mod callback;
mod codes;
mod course;
mod fake;
mod geo;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod hostile;
mod inbound;
mod inbox;
mod lanes;
mod media;
mod message;
mod message_log;
mod number;
mod opt_out;
mod options;
mod outbox;
mod outgoing;
mod phone;
mod plan;
mod rest;
mod segments;
mod server;
mod service;
mod sid;
mod signature;
mod smart_encoding;
mod text;
mod twiml;
mod webhook;
mod whatsapp;

#[cfg(test)]
mod tests;

pub use codes::error_text;
pub use fake::{FakeTwilio, FakeTwilioBuilder};
pub use inbound::{Attempt, Delivery, Inbound, Media, Signing, WebhookKind};
pub use media::content_type;
pub use message::{Direction, Message, Status};
pub use options::{LineType, Method, NumberConfig, NumberKind, Options};
pub use plan::{DeliveryPlan, InvalidPlan, PlannedCallback};
pub use rehearse_core::{clock, faults, journal};
pub use segments::{Encoding, Segments};
pub use server::{Server, Twilio};
pub use service::ServiceConfig;
pub use sid::{InvalidSid, Sid};
pub use text::TextError;
pub use webhook::webhook_client;
