//! The tables, behind the `Store` port.
//!
//! One file per topic: `owner`, `schedule` (availability), `booking` with
//! its transactions (`transactions`), `claims` of keys and alerts, sales
//! `sales`, `turn`, `queue`, `opt_out`. `row` reads and writes single
//! attributes, `lead_row` and `turn_row` whole rows, `errors` tells
//! refused from failed, `client` sets the SDK up.
//!
//! Rules that hold everywhere: every read is consistent; a failed read is an
//! error, never an empty result; a row without its expected shape is an error,
//! never skipped; a lost acknowledgement is resolved by reading what is there.

mod booking;
mod claims;
mod client;
mod errors;
mod lead_row;
mod opt_out;
mod owner;
mod queue;
mod row;
mod sales;
mod schedule;
mod store;
mod transactions;
mod turn;
mod turn_row;

pub use self::client::{DynamoDb, Settings, Tables};
