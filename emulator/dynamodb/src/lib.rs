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

mod client;
mod data_folder;
mod database;
mod docker;
mod embedded;
mod endpoint;
mod engine;
mod fault_response;
pub mod fixture;
mod http_connection;
mod inject;
pub mod item;
mod namespace;
mod number;
mod partiql;
mod proxy;
mod replica;
mod request;
mod route;
pub mod row;
mod service;
mod service_error;
mod strict;
mod supervisor;
mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod user_endpoint;

use rehearse_core::table;

pub use self::{
    database::{Database, DatabaseError, StartError},
    endpoint::{Endpoint, EndpointError},
    engine::EngineError,
    service::{DEFAULT_IMAGE, EngineChoice, Service, ServiceOptions},
    service_error::ServiceError,
    supervisor::CloseReport,
};
