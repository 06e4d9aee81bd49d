//! `POST /v1/chat/completions`: checks requests and builds responses.

mod messages;
mod request;
mod response;

pub(super) use request::read;
pub(super) use response::{chunks, completion};
