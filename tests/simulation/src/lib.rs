//! Plays the shop on one thread, in an order that a seed chooses, and checks what was promised.
//!
//! The handlers' own `app` code runs, on ports in memory or, for the database, on the DynamoDB adapter with
//! its SDK and an engine in this process. At every call of a port another task may be
//! next. Time is virtual. Calls fail, lose their answers and take longer than leases; deliveries crash
//! between any two awaits and come again, or come twice; the machines' clocks differ.
//!
//! - `plan`: who asks for what.
//! - `executor`, `chance`: which task is next, and what goes wrong.
//! - `tables`: the database of a shop. `dynamodb`: the adapter on an engine in this process.
//! - `shop`, `actor`: who is asked, and who asks.
//! - `simulation`: plays a schedule, from its seed to its outcome. `events`: what happened in it.
//! - `sequential`: the calendar that what was told must fit in some order (linearizability).
//! - `check`, `rows`: whether it does, and what must hold of the rows at the end.
//! - `report`: a violation as a table. `saved`: a schedule as a scenario file.

mod actor;
mod chance;
mod check;
mod dynamodb;
mod events;
mod executor;
mod model;
mod plan;
pub mod report;
mod rows;
mod saved;
mod sequential;
mod shop;
mod simulation;
mod tables;

pub use chance::{Call, Rates};
pub use events::{Event, Violation, What};
pub use plan::{Operation, Size};
pub use saved::scenario;
pub use sequential::Told;
pub use simulation::{Outcome, Played, Simulation};
pub use tables::DatabaseKind;
