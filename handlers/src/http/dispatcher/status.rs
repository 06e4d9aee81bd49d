//! `/message-status`: what became of a confirmation, as Twilio reports it.

use super::inbound;
use crate::{domain::phone::Phone, http::body::KeyValuePairs};

/// Where Twilio reports the state of a text, relative to the webhook.
pub(super) const PATH: &str = "/message-status";
/// The same as TwiML names it: resolved against the webhook's own address.
pub(super) const RELATIVE_URL: &str = "message-status";

/// A text that did not reach its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UndeliveredText {
    pub(super) to: Phone,
    pub(super) sid: String,
    /// Twilio's error code, such as 30003.
    pub(super) code: String,
}

/// The webhook's address with this path instead of its own last segment.
pub(crate) fn beside(webhook: &str) -> String {
    let base = webhook.split(['?', '#']).next().unwrap_or(webhook);
    match base.rsplit_once('/') {
        // Not the slashes after the scheme.
        Some((origin, _)) if !origin.ends_with('/') && !origin.ends_with(':') => {
            format!("{origin}{PATH}")
        }
        _ => format!("{base}{PATH}"),
    }
}

/// Reads a report; `None` unless it says that a text of ours did not arrive.
pub(super) fn undelivered(
    fields: &KeyValuePairs,
    account_sid: &str,
    number: &Phone,
) -> Option<UndeliveredText> {
    let get = |name: &str| inbound::get(fields, name);
    let ours = get("AccountSid") == Some(account_sid) && get("From") == Some(number.as_str());
    if !ours || !matches!(get("MessageStatus"), Some("undelivered" | "failed")) {
        return None;
    }
    Some(UndeliveredText {
        to: Phone::from_e164(get("To")?).ok()?,
        sid: get("MessageSid").filter(|sid| inbound::is_message_sid(sid))?.to_owned(),
        code: inbound::error_code(fields).unwrap_or("none").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_go_beside_the_webhook() {
        for (webhook, beside_it) in [
            ("https://shop.example/dispatcher", "https://shop.example/message-status"),
            (
                "https://shop.example/prod/dispatcher?a=1",
                "https://shop.example/prod/message-status",
            ),
            ("https://shop.example", "https://shop.example/message-status"),
        ] {
            assert_eq!(beside(webhook), beside_it);
        }
    }

    #[test]
    fn only_what_did_not_arrive_is_told() {
        let number = Phone::parse("+19045550100").unwrap();
        let sid = "SM00000000000000000000000000000001";
        let report_with = |sid: &str, code: &str, status: &str, from: &str| {
            let fields = [
                ("MessageSid", sid),
                ("MessageStatus", status),
                ("ErrorCode", code),
                ("AccountSid", "AC1"),
                ("From", from),
                ("To", "+19042520927"),
            ];
            let pairs = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
            undelivered(&pairs, "AC1", &number)
        };
        let report = |status: &str, from: &str| report_with(sid, "30003", status, from);
        for status in ["undelivered", "failed"] {
            assert_eq!(report(status, "+19045550100").unwrap().code, "30003");
        }
        assert_eq!(report("delivered", "+19045550100"), None);
        assert_eq!(report("failed", "+19045550101"), None);
        // Both are logged, and a body can be split so that anything stands in them.
        for code in ["", "3000312345", "30003From", "+19042520927"] {
            assert_eq!(report_with(sid, code, "failed", "+19045550100").unwrap().code, "none");
        }
        for sid in ["SM1", "SM0000000000000000000000000000000From", "+19042520927"] {
            assert_eq!(report_with(sid, "30003", "failed", "+19045550100"), None, "{sid}");
        }
    }
}
