//! What every fake provider of rehearse is built on.
//!
//! A *world* is one running set of fakes around a backend. Its fakes share three things: the
//! [`Journal`](journal::Journal) records every exchange, the [`Clock`](clock::Clock) says what time it
//! is, and [`Faults`](faults::Faults) says which calls fail. A test then reads the journal:
//!
//! ```
//! use rehearse_core::{
//!     clock::Clock,
//!     faults::{Failure, Fault, Faults},
//!     journal::{ExchangeDetail, Journal, Outcome},
//!     matcher::Matcher,
//!     yaml::Source,
//! };
//! use serde_json::{Value, json};
//!
//! // A world has these three; clones share their state.
//! let clock = Clock::stopped("2026-02-10T15:10:00-05:00".parse()?);
//! let journal = Journal::new(clock.clone());
//! let faults = Faults::default();
//!
//! // A test asks for a failure.
//! let failure = Failure { status: Some(503), ..Failure::default() };
//! faults.arm(Fault { on: "openai.responses".into(), failure, ..Fault::default() });
//!
//! // A fake receives a request, records it, and fails if it has to.
//! let request = json!({ "model": "gpt-5", "input": "Book me for tomorrow" });
//! let pending = journal.begin("openai.responses", ExchangeDetail::Model { request, script: None });
//! match faults.next_failure("openai.responses") {
//!     Some(failure) => pending.end(Outcome::status(failure.status.unwrap_or(500), Value::Null)),
//!     None => pending.end(Outcome::status(200, json!({ "output": [] }))),
//! }
//!
//! // The test reads the journal.
//! let call = journal.exchanges().named("openai.responses").last().unwrap();
//! assert_eq!(call.at, clock.now());
//! assert_eq!(call.outcome.unwrap().status, Some(503));
//! let ExchangeDetail::Model { request, .. } = call.detail else { unreachable!() };
//! let expected: Matcher = Source::new("test", "{ input: { contains: tomorrow } }").parse()?;
//! assert!(expected.is_match(&request));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rest:
//!
//! - [`matcher`]: compares values with what scenarios and model scripts expect.
//! - [`yaml`]: reads YAML into types, with errors that point at a line with a caret; [`names`] suggests
//!   the name that was meant.
//! - [`table`]: the definition of a database table.
//! - [`random`]: a generator whose numbers depend only on its seed; [`errors`]: errors as one line of
//!   text.
//! - [`serve`]: accepts connections for every server; [`threads`]: the threads that worlds run on.
//! - [`elapsed`]: the time that timeouts count, which can stand still.
//! - [`activity`]: counts what is under way, for whoever waits until nothing is.

pub mod activity;
pub mod clock;
pub mod elapsed;
pub mod errors;
pub mod faults;
pub mod journal;
pub mod matcher;
pub mod names;
pub mod random;
pub mod serve;
pub mod table;
pub mod threads;
pub mod yaml;
