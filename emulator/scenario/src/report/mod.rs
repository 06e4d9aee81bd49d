//! The report of a run ([`Run`]), written for terminals, browsers, JUnit, TAP, GitHub Actions and as JSON.
//!
//! Writers take a [`Run`] and nothing else, so every format has the same information.

pub mod conversation;
mod diff;
mod file;
pub mod github;
mod html;
mod json;
mod junit;
mod reporter;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
pub mod style;
mod tap;
pub mod terminal;
pub mod text;
pub mod time;
mod view;

pub use file::write_atomically;
pub use html::html;
pub use json::{VERSION as JSON_VERSION, journals, json, schema as json_schema};
pub use junit::junit;
pub use reporter::Reporter;
pub use tap::tap;
pub use view::{Counts, NotStarted, Run, ScenarioReport};
