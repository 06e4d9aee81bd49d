//! Plays the shop on one thread, in an order that a seed chooses, and checks what was promised.
//!
//! The handlers' own `app` code runs, on ports in memory. At every call of a port another task may be
//! next. Time is virtual. Calls fail, lose their answers and take longer than leases; deliveries crash
//! between any two awaits and come again, or come twice; the machines' clocks differ.
//!
//! - `plan`: who asks for what.
//! - `executor`, `chance`: which task is next, and what goes wrong.
//! - `play`: one schedule, from its seed to what everybody was told.
//! - `sequential`: the calendar that what was told must fit in some order (linearizability).
//! - `rows`: what must hold of the rows at the end.
//! - `report`: a violation as a table.

mod chance;
mod executor;
mod model;
mod plan;
mod play;
pub mod report;
mod rows;
mod sequential;

pub use chance::Rates;
pub use plan::{Operation, Size};
pub use play::{Event, Outcome, Schedule, Violation, What};
pub use sequential::Told;
