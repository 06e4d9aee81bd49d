//! The part of JSON Schema that strict tools may use: checks schemas, and arguments against them.

mod arguments;
mod strict;
#[cfg(test)]
mod tests;
mod well_formed;

pub(super) use arguments::{argument_errors, with_nulls};
pub(super) use strict::schema_error;
