//! `GET Messages.json`: the messages, newest first, filtered, in pages with links to each other.

use form_urlencoded::Serializer;
use jiff::{Timestamp, ToSpan, civil::Date, fmt::rfc2822, tz::TimeZone};
use serde::Serialize;

use super::{
    error::ApiError,
    messages::{MessageResource, resource},
    request::Params,
};
use crate::{Message, Sid, message_log::MessageLog};

const DEFAULT_PAGE_SIZE: usize = 50;
const MAX_PAGE_SIZE: usize = 1000;
const FILTERS: [&str; 5] = ["To", "From", "DateSent", "DateSent<", "DateSent>"];

/// The JSON of a page, with its keys in Twilio's order.
#[derive(Debug, Serialize)]
pub(super) struct MessagePage<'a> {
    pub messages: Vec<MessageResource<'a>>,
    start: usize,
    end: usize,
    page: usize,
    page_size: usize,
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
}

/// Where a page begins. It stays valid when messages are added or the named one is deleted.
enum PageToken {
    /// After this message, towards older ones.
    After(Sid),
    /// Before this message, towards newer ones.
    Before(Sid),
}

/// # Errors
/// 20001, a date is not valid; 20007, the page size is too large; 21481, the page token is not valid.
pub(super) fn list<'a>(
    messages: &'a MessageLog,
    account_sid: &'a str,
    path: &str,
    query: &Params,
) -> Result<MessagePage<'a>, ApiError> {
    let filter = Filter::read(query)?;
    let number = |key| query.get(key).and_then(|n| n.parse::<usize>().ok());
    let size = number("PageSize").filter(|size| *size > 0).unwrap_or(DEFAULT_PAGE_SIZE);
    if size > MAX_PAGE_SIZE {
        return Err(ApiError::new(20007));
    }
    let page = number("Page").unwrap_or(0);
    let token = query.get("PageToken").map(page_token).transpose()?;
    let invalid = || ApiError::new(21481);
    // One more than fits, to know whether another page follows.
    let take = size + 1;
    let (rows, newer, older): (Vec<&Message>, bool, bool) = match token {
        None => {
            let all = messages.iter().rev().filter(|message| filter.accepts(message));
            let mut rows: Vec<_> = all.skip(page.saturating_mul(size)).take(take).collect();
            let more = rows.len() > size;
            rows.truncate(size);
            (rows, page > 0, more)
        }
        Some(PageToken::After(sid)) => {
            let rest = messages.before(sid).ok_or_else(invalid)?;
            let mut rows: Vec<_> =
                rest.filter(|message| filter.accepts(message)).take(take).collect();
            let more = rows.len() > size;
            rows.truncate(size);
            (rows, true, more)
        }
        Some(PageToken::Before(sid)) => {
            let rest = messages.after(sid).ok_or_else(invalid)?;
            let mut rows: Vec<_> =
                rest.filter(|message| filter.accepts(message)).take(take).collect();
            let more = rows.len() > size;
            rows.truncate(size);
            rows.reverse();
            (rows, more, true)
        }
    };
    let link = |page: usize, token: Option<String>| {
        let mut pairs = Serializer::new(String::new());
        for key in FILTERS {
            query.get(key).into_iter().for_each(|value| {
                pairs.append_pair(key, value);
            });
        }
        pairs.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
        token.into_iter().for_each(|token| {
            pairs.append_pair("PageToken", &token);
        });
        format!("{path}?{}", pairs.finish())
    };
    let start = page.saturating_mul(size);
    let next = rows.last().filter(|_| older).map(|last| format!("PA{}", last.sid));
    let previous = rows.first().filter(|_| newer).map(|first| format!("PB{}", first.sid));
    Ok(MessagePage {
        start,
        end: start.saturating_add(rows.len()).saturating_sub(1).max(start),
        page,
        page_size: size,
        uri: link(page, query.get("PageToken").map(str::to_owned)),
        first_page_uri: link(0, None),
        next_page_uri: next.map(|token| link(page.saturating_add(1), Some(token))),
        previous_page_uri: previous.map(|token| link(page.saturating_sub(1), Some(token))),
        messages: rows.into_iter().map(|message| resource(message, account_sid)).collect(),
    })
}

fn page_token(text: &str) -> Result<PageToken, ApiError> {
    let sid = |text: &str| text.parse().map_err(|_| ApiError::new(21481));
    match (text.strip_prefix("PA"), text.strip_prefix("PB")) {
        (Some(text), _) => Ok(PageToken::After(sid(text)?)),
        (_, Some(text)) => Ok(PageToken::Before(sid(text)?)),
        _ => Err(ApiError::new(21481)),
    }
}

struct Filter<'a> {
    to: Option<&'a str>,
    from: Option<&'a str>,
    /// Sent at or after this time.
    since: Option<Timestamp>,
    /// Sent before this time.
    until: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Params) -> Result<Self, ApiError> {
        let time = |key: &str| {
            query
                .get(key)
                .map(|text| instants(text).ok_or_else(|| invalid_date(key, text)))
                .transpose()
        };
        let day = time("DateSent")?;
        let (until, since) = (time("DateSent<")?, time("DateSent>")?);
        Ok(Self {
            to: query.get("To"),
            from: query.get("From"),
            since: day.map(|(start, _)| start).or(since.map(|(start, _)| start)),
            until: day.map(|(_, end)| end).or(until.map(|(_, end)| end)),
        })
    }

    /// Whether a message passes the filter.
    fn accepts(&self, message: &Message) -> bool {
        self.to.is_none_or(|to| message.to == to)
            && self.from.is_none_or(|from| message.from.as_deref() == Some(from))
            && self.since.is_none_or(|since| message.sent.is_some_and(|sent| sent >= since))
            && self.until.is_none_or(|until| message.sent.is_some_and(|sent| sent < until))
    }
}

fn invalid_date(key: &str, text: &str) -> ApiError {
    ApiError::with(20001, format!("Invalid date for {key}: {text}"))
}

/// The first instant of a day or second, and the first instant after it; `None` when the text is not
/// a date or time.
fn instants(text: &str) -> Option<(Timestamp, Timestamp)> {
    let is_day = text.len() == 10;
    if let Some(day) = text.parse::<Date>().ok().filter(|_| is_day) {
        let start = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
        return Some((start, start.checked_add(24.hours()).ok()?));
    }
    let at: Timestamp =
        text.parse().ok().or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))?;
    Some((at, at.checked_add(1.second()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_whole_day_and_a_time_a_whole_second() {
        let (start, end) = instants("2026-02-10").unwrap();
        assert_eq!(
            (start.to_string(), end.to_string()),
            ("2026-02-10T00:00:00Z".into(), "2026-02-11T00:00:00Z".into())
        );
        let (start, end) = instants("2026-02-10T10:00:00Z").unwrap();
        assert_eq!(end.duration_since(start).as_secs(), 1);
        assert_eq!(instants("Tue, 10 Feb 2026 10:00:00 +0000"), instants("2026-02-10T10:00:00Z"));
        for wrong in ["", "yesterday", "2026-13-01", "06/11/2019"] {
            assert_eq!(instants(wrong), None, "{wrong}");
        }
    }
}
