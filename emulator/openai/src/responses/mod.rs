//! `POST /v1/responses`: what is accepted, and what is answered.

mod between;
mod items;
mod object;
mod request;
mod stream;

pub(super) use object::ResponseObject;
pub(super) use request::read;
pub(super) use stream::events;
