//! A world for tests of an SMS backend: fakes of Twilio, OpenAI, DynamoDB and API Gateway, with the
//! backend between them, on loopback. No files are needed and no network.
//!
//! A test builds a world with [`World::builder`], scripts what the model answers, texts the backend,
//! and looks at what came of it:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use axum::{Form, Router, routing::post};
//! use rehearse_world::{Environment, Failure, Fault, World};
//!
//! const ANN: &str = "+15555550101";
//!
//! /// The backend: it passes a text on to the model, and the model's answer back.
//! fn router(environment: &Environment) -> Router {
//!     let url = format!("{}/chat/completions", environment["OPENAI_BASE_URL"]);
//!     let key = environment["OPENAI_API_KEY"].clone();
//!     let sms = |Form(text): Form<HashMap<String, String>>| async move {
//!         let answer = ask(&url, &key, &text["Body"]).await;
//!         let answer = answer.unwrap_or_else(|_| "Sorry, please call us.".into());
//!         ([("content-type", "text/xml")], format!("<Response><Message>{answer}</Message></Response>"))
//!     };
//!     Router::new().route("/sms", post(sms))
//! }
//! #
//! # async fn ask(url: &str, key: &str, text: &str) -> reqwest::Result<String> {
//! #     use serde_json::{Value, json};
//! #     let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
//! #     let message = json!({ "role": "user", "content": text });
//! #     let body = json!({ "model": "gpt-4.1", "messages": [message] });
//! #     let request = client.post(url).bearer_auth(key).json(&body);
//! #     let answer: Value = request.send().await?.error_for_status()?.json().await?;
//! #     Ok(answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().into())
//! # }
//!
//! // In a test this is `#[tokio::test]`.
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let world = World::builder()
//!         .function("Shop", router)
//!         .now("2026-02-10T15:10:00-05:00")
//!         .start()
//!         .await?;
//!     world.openai().when("Are you open").say("Until six.").mount();
//!
//!     assert_eq!(world.twilio().text(ANN, "Are you open today?").await?, ["Until six."]);
//!     assert_eq!(world.journal().exchanges().named("openai.chat").count(), 1);
//!
//!     // The same call when the model is away:
//!     let failure = Failure { status: Some(503), ..Failure::default() };
//!     world.faults().arm(Fault { on: "openai.chat".into(), failure, ..Fault::default() });
//!     assert_eq!(world.twilio().text(ANN, "Hello?").await?, ["Sorry, please call us."]);
//!     Ok(())
//!     // Dropping the world panics if a scripted round was never asked for, or if a request came
//!     // that no script expects.
//! }
//! ```
//!
//! # Parts
//!
//! - [`WorldBuilder`] takes functions (routers of axum, closures that build one from their environment,
//!   or programs), tables ([`TableSpec`]), the time, variables, and an AWS SAM template.
//! - [`World`] hands out its parts: `twilio`, `openai`, `database`, `journal`, `faults`, `clock`.
//!   [`World::set_time`] and [`World::advance`] move business time, with all that is due on the way;
//!   [`World::let_run`] lets it run on by itself.
//! - [`Fault`] and [`Failure`] say which calls fail, and how.
//! - [`Backend`] is what the worlds of one process share: code, template, settings, fixtures, clients.
//!   [`World::start`] starts one world of it by a [`WorldConfig`]. Whoever runs many scenarios needs
//!   this; a test does not.
//! - [`ExternalBackend`] stands in place of code: a backend that somebody else started.
//!
//! # Features
//!
//! - `embedded` (default): the database engine inside the process. Without it, give
//!   [`WorldBuilder::databases`] a service on DynamoDB Local or at a URL.

mod backend;
mod builder;
mod config;
mod environment;
mod error;
mod external;
mod keys;
mod listen;
mod snapshot;
mod start;
mod time;
mod twilio_account;

pub use backend::Backend;
pub use builder::{Environment, IntoFunction, IntoRouter, WorldBuilder};
pub use config::{Processes, WorldConfig};
pub use error::{AdvanceError, Unsettled, WorldError};
pub use external::{ExternalBackend, ExternalBackendError};
pub use listen::Bind;
pub use rehearse_core::{
    faults::{Cut, DatabaseFault, Failure, Fault, FaultTarget},
    table::{AttributeKind, TableSpec},
};
pub use snapshot::{Snapshot, SnapshotError};
pub use start::World;

#[cfg(test)]
mod tests;
