//! `POST /v1/responses`: checks requests and builds responses.

mod input;
mod request;
mod response;

pub(super) use input::input_items;
pub(super) use request::read;
pub(super) use response::{ResponseObject, events};
