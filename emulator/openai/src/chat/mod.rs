//! `POST /v1/chat/completions`: what is accepted, and what is answered.

mod object;
mod request;
mod stream;

pub(super) use object::object;
pub(super) use request::read;
pub(super) use stream::chunks;
