//! DynamoDB on the laptop: an engine behind a recording proxy.
//!
//! - [`TableSpec`] is what a table is; whoever reads a template makes them.
//! - [`Service`] is what keeps the tables of all worlds: an embedded engine for
//!   each, one container with DynamoDB Local, or the user's own endpoint.
//! - [`Database`] is one world's: its tables there and the proxy; it puts and reads rows.
//! - The proxy journals every call, plays faults, makes races meet, and passes
//!   bytes and headers through unchanged, checksums included.
//! - [`fixture`] reads files of rows; [`row`] checks a row against its table;
//!   [`item`] turns plain JSON into DynamoDB's and back.

mod call;
mod container;
mod create_table;
mod database;
mod docker;
mod embedded;
mod endpoint;
mod engine;
mod fault;
pub mod fixture;
mod folder;
pub mod item;
mod keeper;
mod link;
mod number;
mod orphan;
mod partiql;
mod play;
mod proxy;
mod remote;
mod replica;
pub mod row;
mod scope;
mod service;
mod service_error;
mod shared_endpoint;
mod strict;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod upstream;

use rehearse_core::table;

pub use self::{
    database::{Database, DatabaseError, StartError},
    endpoint::{Endpoint, EndpointError},
    engine::EngineError,
    keeper::Closed,
    service::{Choice, IMAGE, Service, ServiceOptions},
    service_error::ServiceError,
};
