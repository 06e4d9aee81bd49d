//! Reading scripts: short forms are accepted, and every error keeps its place in the file.

mod call;
mod fail;
mod list;
mod round;

pub(super) use list::{one_or_many, one_or_many_if_there, one_or_many_schema};
