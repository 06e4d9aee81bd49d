//! The report of a run ([`Run`]), written as terminal text, JUnit or JSON.
//!
//! Writers take a [`Run`] and nothing else, so every format has the same information.

pub mod conversation;
mod diff;
mod file;
mod json;
mod junit;
mod reporter;
#[cfg(any(test, feature = "testing"))]
pub mod samples;
pub mod style;
pub mod terminal;
pub mod text;
pub mod time;
mod view;

pub use file::write_atomically;
pub use json::{VERSION as JSON_VERSION, journals, json};
pub use junit::junit;
pub use reporter::Reporter;
pub use view::{Counts, Run, ScenarioReport};
