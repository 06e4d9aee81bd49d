//! A world: every provider that a backend needs, and the backend, on loopback.
//!
//! [`Backend`] is what all worlds of a process share: code, template, settings,
//! fixtures, clients. [`World::start`] starts the parts of one world, on free
//! ports for a scenario or on fixed ones for `up`; dropping it stops them. In place
//! of code there may be a backend that somebody else started ([`ExternalBackend`]).

mod backend;
mod builder;
mod config;
mod error;
mod external;
mod keys;
mod listen;
mod start;
mod time;

pub use backend::Backend;
pub use builder::{Environment, IntoFunction, IntoRouter, WorldBuilder};
pub use config::{Processes, WorldConfig};
pub use error::{AdvanceError, Unsettled, WorldError};
pub use external::{ExternalBackend, ExternalBackendError};
pub use listen::Bind;
pub use start::World;

#[cfg(test)]
mod tests;
