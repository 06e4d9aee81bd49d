//! Calls of the backend's URLs: signed, retried, with a fallback, and read.
//!
//! `target` reads a configured URL and its connection overrides, `call` makes
//! one HTTP exchange, `attempts` repeats it and keeps the journal, `deliver`
//! carries a received text through webhook, redirects and fallback, `status`
//! tells how a sent one went on.

mod accept;
mod attempts;
mod call;
mod cookies;
mod deliver;
mod status;
mod target;

pub(super) use accept::Received;
pub(super) use cookies::Jar;
pub(super) use status::{canceled, follow};
