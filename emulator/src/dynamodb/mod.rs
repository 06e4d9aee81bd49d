//! DynamoDB on the laptop: an embedded engine behind a recording proxy.
//!
//! - [`TableSpec`] is what a table is; whoever reads a template makes them.
//! - [`Database`] starts the engine and the proxy, puts and reads rows.
//! - The proxy journals every call, plays faults, makes races meet, and passes
//!   bytes and headers through unchanged, checksums included.
//! - [`fixture`] reads files of rows; [`row`] checks a row against its table;
//!   [`item`] turns plain JSON into DynamoDB's and back.

mod call;
mod database;
mod embedded;
mod fault;
pub mod fixture;
pub mod item;
mod play;
mod proxy;
mod replica;
pub mod row;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    database::{Database, DatabaseError},
    table::{Attribute, AttributeKind, Index, Key, Projection, TableSpec},
};
