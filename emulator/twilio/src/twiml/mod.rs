//! Reads the answer of a webhook: TwiML, or plain text as the one reply.
//!
//! `parse` turns XML into verbs; `page` checks them as Twilio does and resolves
//! their URLs.

mod page;
mod parse;

pub(super) use page::{DocumentContext, Instructions, Reply, read};
