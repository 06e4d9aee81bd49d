//! A message as JSON: every field, strings where Twilio has strings.

use jiff::Timestamp;
use serde::Serialize;

use super::error::message_text;
use crate::{Direction, Message, Status};

/// A US text's price a segment, in ten-thousandths of a cent: 0.00750 USD.
const PRICE: u64 = 750;

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

pub(super) fn show<'a>(message: &'a Message, account: &'a str) -> MessageResource<'a> {
    let sid = message.sid.to_string();
    let base = format!("/2010-04-01/Accounts/{account}/Messages/{sid}");
    // Until a sender is chosen, nothing is known of the segments.
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
        error_message: message.error_code.map(message_text),
        uri: format!("{base}.json"),
        account_sid: account,
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

fn price(segments: u32) -> String {
    let total = u64::from(segments) * PRICE;
    format!("-{}.{:05}", total / 100_000, total % 100_000)
}

/// `Thu, 24 Aug 2023 05:01:45 +0000`
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
