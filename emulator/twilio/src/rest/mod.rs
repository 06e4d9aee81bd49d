//! The REST API: one entry for every request, so that faults, the journal and
//! the order of checks are the same everywhere.

mod change;
mod create;
mod error;
mod list;
mod numbers;
mod params;
mod serve;
mod show;

pub(super) use serve::router;
