//! Scenarios: reading them, checking them, running them and reporting how they went.
//!
//! A scenario is a YAML text that reads like the chat that it tests: texts of customers, the
//! scripted answers of the model, requests, and what must be in the tables afterwards. It knows
//! nothing of the backend's code. Each run has a world of its own: fakes of every provider on free
//! ports, an own clock, own tables.
//!
//! ```
//! use axum::{Router, http::header, routing::post};
//! use rehearse_aws::{Function, template::{Settings, Template}};
//! use rehearse_core::yaml::Source;
//! use rehearse_scenario::Scenario;
//! use rehearse_world::Backend;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The code under test: one function that says hello to every text.
//! let hello = Function::new("Hello", |_| {
//!     let reply = || async {
//!         ([(header::CONTENT_TYPE, "text/xml")], "<Response><Message>Hello</Message></Response>")
//!     };
//!     Ok(Router::new().route("/sms", post(reply)))
//! });
//! let template = Template::parse(&Source::new("template.yaml", "
//! Transform: AWS::Serverless-2016-10-31
//! Resources:
//!   Hello:
//!     Type: AWS::Serverless::Function
//!     Properties:
//!       Events:
//!         Sms: { Type: HttpApi, Properties: { Path: /sms, Method: POST } }
//! "))?;
//! let settings = Settings::parse("rehearse.toml", r#"
//! [twilio]
//! number = "+19045550100"
//! account_sid = "AC00000000000000000000000000000000"
//! auth_token = "secret"
//! [webhook]
//! route = "/sms"
//! [people]
//! customer = "+19045550101"
//! owner = "+19045550102"
//! "#)?;
//! let backend = Backend::new(vec![hello], template, settings, ".".as_ref())?;
//!
//! let scenario = Scenario::parse("
//! name: A text is answered
//! steps:
//!   - customer: Good morning
//!     reply: Hello
//! ")?;
//! let result = scenario.run(&backend).await?;
//! result.assert_passed(); // panics with the report that `rehearse run` prints
//! # Ok(())
//! # }
//! ```
//!
//! - [`Scenario::load`] reads a file, [`read`] files and folders; [`schema`] describes the format
//!   to editors.
//! - [`Scenario::run`] runs one in a `#[tokio::test]`; a [`Runner`] runs many against one backend,
//!   with a seed and a time limit.
//! - [`ScenarioResult`] is how one went; [`report`] writes results for terminals, JUnit and JSON.

mod alone;
mod check;
mod dispatch;
mod document;
mod expectation;
mod external;
mod html;
mod model;
mod outcome;
mod places;
mod read;
mod reply;
mod run;
mod runner;
mod schema;
mod step;
mod time;
mod write;

pub mod coverage;
pub mod explore;
pub mod invariants;
pub mod record;
pub mod report;
pub mod sweep;

pub use alone::{ModelScript, Names, parse_faults};
pub use document::{DEFAULT_NOW, Document, Given, Number, NumberKind, WebhookMethod};
pub use expectation::{Cost, Count, Expect, Table, WholeTable};
pub use model::Scenario;
pub use outcome::{Problem, ScenarioResult, SourceLocation, Status, StepLabel};
pub use read::{LoadError, LoadErrors, read};
pub use reply::{Replies, Reply};
pub use runner::{Options, Runner};
pub use schema::{schema, schema_for};
pub use step::{
    AtStep, CallFailure, CallbackEntry, CrashRequest, Customer, Delivery, DeliveryEntry,
    DeliveryStep, Duplicate, ErrorExpectation, EventInput, ExpectStep, FaultChance, FaultEntry,
    FaultsStep, Invoke, Meet, Repeat, Request, RequestLine, Response, STEP_KINDS, Signature,
    StatusName, Step, Together, WaitStep,
};
pub use time::{Delay, Gap, Moment, Wait};

#[cfg(test)]
mod e2e;
#[cfg(test)]
mod tests;
