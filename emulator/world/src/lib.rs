//! A world: every provider that a backend needs, and the backend, on loopback.
//!
//! [`Backend`] is what all worlds of a process share: code, template, settings,
//! fixtures, clients. [`World::start`] starts the parts of one world, on free
//! ports for a scenario or on fixed ones for `up`; dropping it stops them. In place
//! of code there may be a backend that somebody else started ([`Outside`]).

mod backend;
mod builder;
mod config;
mod error;
mod listen;
mod outside;
mod start;

pub use backend::Backend;
pub use builder::{Environment, IntoFunction, IntoRouter, WorldBuilder};
pub use config::{Processes, WorldConfig};
pub use error::WorldError;
pub use listen::Bind;
pub use outside::{Outside, OutsideError};
pub use start::World;

#[cfg(test)]
mod tests;
