//! Scenarios: reading them, checking them, and running each in a world of its own, or one
//! after another in a world that a backend of somebody else's is pointed at.
//!
//! A scenario reads like the chat that it tests. It knows texts, HTTP, tables and
//! model calls, and nothing of the backend's business.
//!
//! - [`read`] finds and parses files, [`schema`] describes the format to editors.
//! - [`Runner`] checks scenarios against a backend and runs them.
//! - [`ScenarioResult`] is how one went.

mod check;
mod dispatch;
mod document;
mod expectation;
mod external;
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

pub mod report;

pub use document::{DEFAULT_NOW, Document, Given, Number, NumberKind, WebhookMethod};
pub use expectation::{Cost, Count, Expect, Table, WholeTable};
pub use model::Scenario;
pub use outcome::{Problem, ScenarioResult, SourceLocation, Status, StepLabel};
pub use read::{LoadError, read};
pub use reply::{Replies, Reply};
pub use runner::{Options, Runner};
pub use schema::schema;
pub use step::{
    AtStep, CallFailure, Chance, Customer, Delivery, Duplicate, ExpectStep, Fault, FaultsStep,
    Meet, Request, RequestLine, Response, STEP_KINDS, Signature, Step, Together, WaitStep,
};
pub use time::{Delay, Gap, Moment, Wait};

#[cfg(test)]
mod e2e;
#[cfg(test)]
mod tests;
