//! Calls of the backend's URLs: signed, retried, with a fallback, and read.
//!
//! `url` reads a configured URL and its connection overrides, `http` makes
//! one HTTP exchange, `attempts` repeats it and keeps the journal, `deliver`
//! carries a received text through webhook, redirects and fallback, `status`
//! tells how a sent one went on.

mod accept;
mod attempts;
mod cookies;
mod deliver;
mod http;
mod status;
mod url;

pub(super) use accept::ReceivedMessage;
pub(super) use cookies::CookieJar;
pub(super) use status::{canceled, follow};
