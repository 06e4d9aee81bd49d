//! A fake OpenAI for tests: the Responses and Chat Completions endpoints on the loopback interface,
//! which respond by a script, and what client libraries call besides: Conversations, stored responses,
//! embeddings, moderations.
//!
//! A test starts a [`FakeOpenAi`], gives its URL to the backend under test, and mounts scripts. A
//! script says which tools the model calls and what it says after one text of the user:
//!
//! ```
//! use rehearse_openai::FakeOpenAi;
//! use serde_json::json;
//!
//! #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let openai = FakeOpenAi::start().await?;
//! openai
//!     .when("Book me")
//!     .call("book_slot", json!({ "time": "2:00 PM" }))
//!     .sees(json!({ "results": [{ "booked": true }] }))
//!     .say("Done")
//!     .mount();
//!
//! let answer = backend(openai.url(), openai.api_key(), "Book me at two").await?;
//! assert_eq!(answer, "Done");
//! // Dropping `openai` panics if a round was not reached or a request was not expected.
//! # Ok(())
//! # }
//! #
//! # /// Asks the model until it answers with a text; every tool call succeeds.
//! # async fn backend(url: &str, key: &str, text: &str) -> Result<String, Box<dyn std::error::Error>> {
//! #     let _ = rustls::crypto::ring::default_provider().install_default();
//! #     let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
//! #     let mut messages = vec![json!({ "role": "user", "content": text })];
//! #     loop {
//! #         let request = json!({
//! #             "model": "gpt-4.1",
//! #             "messages": messages,
//! #             "tools": [{ "type": "function", "function": {
//! #                 "name": "book_slot",
//! #                 "parameters": { "type": "object", "properties": {} }
//! #             } }]
//! #         });
//! #         let response = client.post(format!("{url}/chat/completions")).bearer_auth(key);
//! #         let response = response.json(&request).send().await?.error_for_status()?;
//! #         let body: serde_json::Value = response.json().await?;
//! #         let message = body["choices"][0]["message"].clone();
//! #         if let Some(answer) = message["content"].as_str() {
//! #             return Ok(answer.into());
//! #         }
//! #         let id = message["tool_calls"][0]["id"].clone();
//! #         messages.push(message);
//! #         messages.push(json!({
//! #             "role": "tool", "tool_call_id": id, "content": "{\"booked\":true}"
//! #         }));
//! #     }
//! # }
//! ```
//!
//! The position in a script comes from the conversation in the request, never from a counter: a
//! repeated request gets the same answer, with ids of its own if the response is stored. Requests are checked as the provider checks them, and
//! refused with its error bodies. [`ScriptBuilder`] documents all of it.
//!
//! # As a part of a world
//!
//! [`OpenAi`] is the same server with a journal, a clock and faults that it shares with other fakes.
//! [`OpenAi::arm`] takes a [`Script`] as scenarios write it in YAML, and its guard returns what was
//! not met. A [`Persona`] responds by rules when no script matches.
//!
//! # What is not reproduced
//!
//! Hosted and custom tools, log probabilities, more than one choice, audio, predicted output,
//! moderation, context management and background responses: requests for them get a 400 that says so.
//! Every endpoint that is not named above, but the list of models, gets a 404 that says so, and prompts
//! get OpenAI's own. Sampling, tiers and caching are checked and have no effect.

mod azure;
mod builder;
mod chat;
mod conversation;
mod conversations;
mod embeddings;
mod error;
mod fake;
mod format;
mod holding;
mod http;
mod ids;
mod images;
mod injected;
mod model_list;
mod models;
mod moderations;
mod operation;
mod options;
mod page;
mod params;
mod persona;
mod position;
mod possible;
mod registry;
mod render;
mod reply;
mod respond;
mod responses;
mod rules;
mod schema;
mod script;
mod sending;
mod server;
mod sse;
mod state;
mod stored_responses;
#[cfg(test)]
mod tests;
mod tools;
mod unmet;

pub use builder::ScriptBuilder;
pub use fake::FakeOpenAi;
pub use holding::{EndedRound, HandError, HeldRound, HoldEnd, HoldRule, Holding, OfferedTool};
pub use options::Options;
pub use persona::Persona;
pub use registry::{ArmedScript, RecalledScripts, ScriptRegistry};
pub use script::{
    Call, CutPoint, IncompleteReason, RawCall, RequestExpectation, Round, RoundFailure, Script,
    StreamPace, Trigger,
};
pub use server::OpenAi;
pub use unmet::{NearestRound, RequestSummary, UnmetExpectation, UnmetExpectations};
