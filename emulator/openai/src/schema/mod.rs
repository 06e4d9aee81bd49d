//! The part of JSON Schema that strict tools may use.

mod misfits;
mod strict;
#[cfg(test)]
mod tests;

pub(super) use misfits::misfits;
pub(super) use strict::complaint;
