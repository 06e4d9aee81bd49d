//! Parses a webhook's fields as a text.

use jiff::Timestamp;

use crate::{
    app::reply::InboundText,
    domain::{opt_out::keyword, phone::Phone},
    http::body::KeyValuePairs,
};

/// Why an authentic webhook is not a text. Names fields without their values, which are private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum InboundError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} is not as Twilio sends it")]
    Invalid(&'static str),
}

/// Whether an authentic request is about our number, and splits into fields as Twilio splits it.
///
/// A signature covers names and values without the boundaries between them, so an old one also
/// fits a body that is split differently. Such a body has no account, number or id of the right
/// form any more, or has them twice.
pub(super) fn is_ours(fields: &KeyValuePairs, account_sid: &str, number: &Phone) -> bool {
    let unambiguous = ["AccountSid", "To", "From", "Body", "MessageSid"].iter().all(|name| {
        let mut values = fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        values.next().is_none_or(|first| values.all(|value| value == first))
    });
    unambiguous
        && get(fields, "AccountSid") == Some(account_sid)
        && get(fields, "To") == Some(number.as_str())
        && get(fields, "MessageSid").is_some_and(is_message_sid)
}

/// `SM` for a text or `MM` for one with pictures, and 32 hexadecimal digits.
pub(super) fn is_message_sid(sid: &str) -> bool {
    let digits = sid.strip_prefix("SM").or_else(|| sid.strip_prefix("MM"));
    digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(super) fn parse(
    fields: &KeyValuePairs,
    now: Timestamp,
    received_ms: i64,
) -> Result<InboundText, InboundError> {
    let phone = required(fields, "From")?;
    let body = required(fields, "Body")?;
    let sid = required(fields, "MessageSid")?;
    if !is_message_sid(sid) {
        return Err(InboundError::Invalid("MessageSid"));
    }
    Ok(InboundText {
        phone: Phone::from_e164(phone).map_err(|_| InboundError::Invalid("From"))?,
        sid: sid.to_owned(),
        body: body.to_owned(),
        media: media(fields),
        media_urls: media_urls(fields),
        opt_out_type: get(fields, "OptOutType").and_then(keyword),
        now,
        received_ms,
    })
}

/// Twilio's code: for why the webhook failed before, if this request goes to its fallback URL, or why a
/// text did not arrive. Only a number: a body that is split otherwise than it was signed may have
/// anything in this field, and it is logged.
pub(super) fn error_code(fields: &KeyValuePairs) -> Option<&str> {
    get(fields, "ErrorCode").filter(|code| {
        (1..=MAX_CODE_DIGITS).contains(&code.len()) && code.bytes().all(|c| c.is_ascii_digit())
    })
}

/// Twilio's codes have five digits.
const MAX_CODE_DIGITS: usize = 6;

/// Most pictures that Twilio sends with a text.
const MAX_MEDIA: usize = 10;
/// Longest address of a picture that is passed on, in bytes; Twilio's have about 130.
const MAX_MEDIA_URL_LEN: usize = 500;

/// Number of pictures: `NumMedia`, or the number of media URLs if there are more.
fn media(fields: &KeyValuePairs) -> usize {
    let listed = fields.iter().filter(|(name, _)| is_media_url(name)).count();
    let counted = get(fields, "NumMedia").and_then(|count| count.parse().ok()).unwrap_or(0);
    listed.max(counted).min(MAX_MEDIA)
}

fn media_urls(fields: &KeyValuePairs) -> Vec<String> {
    fields
        .iter()
        .filter(|(name, url)| is_media_url(name) && url.len() <= MAX_MEDIA_URL_LEN)
        .map(|(_, url)| url.clone())
        .take(MAX_MEDIA)
        .collect()
}

fn is_media_url(name: &str) -> bool {
    name.strip_prefix("MediaUrl")
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

fn required<'a>(fields: &'a KeyValuePairs, name: &'static str) -> Result<&'a str, InboundError> {
    get(fields, name).ok_or(InboundError::Missing(name))
}

pub(super) fn get<'a>(fields: &'a KeyValuePairs, name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::opt_out::Keyword;

    const SID: &str = "SM00000000000000000000000000000001";

    fn text(changes: &[(&str, Option<&str>)]) -> Result<InboundText, InboundError> {
        let mut fields: KeyValuePairs =
            [("From", "+19042520927"), ("Body", " Hi "), ("MessageSid", SID), ("NumMedia", "0")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
        for (name, value) in changes {
            fields.retain(|(key, _)| key != name);
            fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        parse(&fields, Timestamp::UNIX_EPOCH, 0)
    }

    #[test]
    fn a_text_is_read_untrimmed() {
        let text = text(&[]).unwrap();
        assert_eq!((text.phone.as_str(), text.body.as_str()), ("+19042520927", " Hi "));
        assert_eq!((text.sid.as_str(), text.media, text.opt_out_type), (SID, 0, None));
    }

    #[test]
    fn a_text_may_be_empty_but_not_absent() {
        assert_eq!(text(&[("Body", Some(""))]).unwrap().body, "");
        for name in ["From", "Body", "MessageSid"] {
            let error = text(&[(name, None)]).unwrap_err();
            assert_eq!(error, InboundError::Missing(name));
        }
    }

    #[test]
    fn senders_without_a_number_and_strange_sids_are_refused() {
        for from in ["", "12345", "whatsapp:+19042520927", "ACME", "9042520927"] {
            let error = text(&[("From", Some(from))]).unwrap_err();
            assert_eq!(error, InboundError::Invalid("From"), "{from}");
        }
        for sid in ["", "SM1", "XX00000000000000000000000000000001", &format!("{SID}0")] {
            let error = text(&[("MessageSid", Some(sid))]).unwrap_err();
            assert_eq!(error, InboundError::Invalid("MessageSid"));
        }
    }

    #[test]
    fn only_a_text_to_our_number_is_ours() {
        let number = Phone::parse("+19045550100").unwrap();
        let ours = [("AccountSid", "AC1"), ("To", "+19045550100"), ("MessageSid", SID)];
        let is_ours = |fields: &[(&str, &str)]| {
            let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            super::is_ours(&fields.iter().map(pair).collect(), "AC1", &number)
        };
        assert!(is_ours(&ours));
        assert!(is_ours(&[&ours[..], &[ours[0]]].concat()), "the same twice");
        for other in [
            &ours[1..],
            &ours[..2],
            &[ours[0], ours[2]],
            &[("AccountSid", "AC2"), ours[1], ours[2]],
            &[ours[0], ("To", "+19045550101"), ours[2]],
            &[ours[0], ours[1], ("MessageSid", "SM1")],
            &[ours[0], ours[1], ours[2], ("Body", "a"), ("Body", "b")],
            &[ours[0], ours[1], ours[2], ("To", "+19045550101")],
        ] {
            assert!(!is_ours(other), "{other:?}");
        }
    }

    #[test]
    fn pictures_are_counted_by_number_or_by_url() {
        let media = |changes: &[(&str, Option<&str>)]| text(changes).unwrap().media;
        assert_eq!(media(&[("NumMedia", Some("2"))]), 2);
        assert_eq!(media(&[("NumMedia", None)]), 0);
        let urls = [("MediaUrl0", Some("https://a")), ("MediaContentType0", Some("image/png"))];
        assert_eq!(media(&urls), 1);
        assert_eq!(media(&[("NumMedia", Some("99999999"))]), 10);
        assert_eq!(media(&[("NumMedia", Some("many"))]), 0);
    }

    #[test]
    fn the_opt_out_type_is_read() {
        let kind = |value| text(&[("OptOutType", Some(value))]).unwrap().opt_out_type;
        assert_eq!(kind("STOP"), Some(Keyword::Stop));
        assert_eq!(kind("START"), Some(Keyword::Start));
        assert_eq!(kind("HELP"), Some(Keyword::Help));
        assert_eq!(kind("NONE"), None);
    }
}
