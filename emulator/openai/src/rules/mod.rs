//! What the provider refuses although each parameter has an allowed type: what a model does not take,
//! and parameters that need others.
//!
//! [`table`] holds the facts, each with its source. Only what a source shows is refused, because a
//! wrong refusal is worse than a missing one.

mod check;
mod efforts;
mod families;
mod needs;
mod table;

pub(super) use check::check;
pub(super) use needs::check as check_needs;
