//! One message by REST: how it is shown, fetched, redacted, canceled and deleted.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{error::ApiError, request::Params};
use crate::{
    Direction, Message, Sid, Status, account::Account, error_text, inbox::Inbox, outbox::Outbox,
};

/// What one segment to a US number costs: 0.00750 USD, in hundred-thousandths of a dollar.
const PRICE: u64 = 750;

/// The JSON of a message, with its keys in Twilio's order.
#[derive(Debug, Serialize)]
pub(super) struct MessageResource<'a> {
    body: &'a str,
    num_segments: String,
    direction: Direction,
    from: Option<&'a str>,
    date_updated: String,
    price: Option<String>,
    error_message: Option<&'static str>,
    uri: String,
    account_sid: &'a str,
    num_media: String,
    to: &'a str,
    date_created: String,
    status: Status,
    sid: String,
    date_sent: Option<String>,
    messaging_service_sid: Option<&'a str>,
    error_code: Option<u32>,
    price_unit: &'static str,
    api_version: &'static str,
    subresource_uris: Subresources,
}

#[derive(Debug, Serialize)]
struct Subresources {
    media: String,
}

/// A message as the API shows it.
pub(super) fn resource<'a>(message: &'a Message, account_sid: &'a str) -> MessageResource<'a> {
    let sid = message.sid.to_string();
    let base = format!("/2010-04-01/Accounts/{account_sid}/Messages/{sid}");
    // The number of segments depends on the sender, which a service has not chosen yet.
    let segments = if message.from.is_none() { 0 } else { message.segments };
    let billed = match message.status {
        Status::Sent | Status::Delivered | Status::Undelivered | Status::Received => segments,
        _ => 0,
    };
    MessageResource {
        body: &message.body,
        num_segments: segments.to_string(),
        direction: message.direction,
        from: message.from.as_deref(),
        date_updated: rfc2822(message.updated),
        price: (billed > 0).then(|| price(billed)),
        error_message: message.error_code.and_then(error_text),
        uri: format!("{base}.json"),
        account_sid,
        num_media: message.media.len().to_string(),
        to: &message.to,
        date_created: rfc2822(message.created),
        status: message.status,
        sid,
        date_sent: message.sent.map(rfc2822),
        messaging_service_sid: message.service.as_deref(),
        error_code: message.error_code,
        price_unit: "USD",
        api_version: "2010-04-01",
        subresource_uris: Subresources { media: format!("{base}/Media.json") },
    }
}

/// # Errors
/// 20404, there is no such message.
pub(super) fn fetch(account: &Account, sid: Option<Sid>, path: &str) -> Result<Message, ApiError> {
    sid.and_then(|sid| account.state().messages.get(sid).cloned())
        .ok_or_else(|| ApiError::not_found(path))
}

/// Redacts the body (`Body=`) and cancels a scheduled message (`Status=canceled`). Nothing else can
/// be changed.
///
/// # Errors
/// 20001, another body or status was asked for; 20009, the message is not complete and cannot be
/// redacted; 20404, there is no such message; 30409, the message is not scheduled.
pub(super) fn update(
    account: &Account,
    outbox: &Arc<Outbox>,
    sid: Option<Sid>,
    path: &str,
    params: &Params,
) -> Result<Message, ApiError> {
    let sid = fetch(account, sid, path)?.sid;
    match params.given("Body") {
        Some("") => redact(account, sid, path)?,
        Some(_) => {
            return Err(ApiError::with(20001, "Body can only be redacted: it must be empty"));
        }
        None => {}
    }
    match params.get("Status") {
        Some("canceled") if outbox.cancel(sid) => {}
        Some("canceled") => return Err(ApiError::new(30409)),
        Some(_) => return Err(ApiError::with(20001, "Status can only be set to canceled")),
        None => {}
    }
    fetch(account, Some(sid), path)
}

fn redact(account: &Account, sid: Sid, path: &str) -> Result<(), ApiError> {
    let now = account.clock.now();
    let mut state = account.state();
    let message = state.messages.get_mut(sid).ok_or_else(|| ApiError::not_found(path))?;
    if !message.is_complete(now) {
        return Err(ApiError::new(20009));
    }
    message.body.clear();
    message.updated = now;
    Ok(())
}

/// # Errors
/// 20009, the message is not complete; 20404, there is no such message.
pub(super) fn delete(
    account: &Account,
    inbox: &Inbox,
    sid: Option<Sid>,
    path: &str,
) -> Result<(), ApiError> {
    let now = account.clock.now();
    let sid = {
        let mut state = account.state();
        let found = sid.and_then(|sid| state.messages.get(sid));
        let message = found.ok_or_else(|| ApiError::not_found(path))?;
        if !message.is_complete(now) {
            return Err(ApiError::new(20009));
        }
        let sid = message.sid;
        state.messages.remove(sid);
        state.media.retain(|message| message != sid);
        sid
    };
    inbox.remove(sid);
    Ok(())
}

/// The price of so many segments in USD: `-0.00750`.
fn price(segments: u32) -> String {
    let total = u64::from(segments) * PRICE;
    format!("-{}.{:05}", total / 100_000, total % 100_000)
}

/// A time as the API shows it: `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(super) fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_prices() {
        let at: Timestamp = "2023-08-24T05:01:45.9Z".parse().unwrap();
        assert_eq!(rfc2822(at), "Thu, 24 Aug 2023 05:01:45 +0000");
        assert_eq!(price(1), "-0.00750");
        assert_eq!(price(11), "-0.08250");
        assert_eq!(price(200), "-1.50000");
    }
}
