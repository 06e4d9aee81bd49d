//! `GET Messages.json`: the messages, newest first, filtered, in pages with links to each other.

use serde::Serialize;

use super::{
    error::ApiError,
    messages::{MessageResource, resource},
    page::{PageLinks, PageRequest},
    request::Params,
    sent_filter::SentFilter,
};
use crate::{Message, Sid, message_log::MessageLog};

/// The JSON of a page, with its keys in Twilio's order.
#[derive(Debug, Serialize)]
pub(super) struct MessagePage<'a> {
    pub messages: Vec<MessageResource<'a>>,
    #[serde(flatten)]
    links: PageLinks,
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
    let asked = PageRequest::read(query)?;
    let PageRequest { size, number, .. } = asked;
    let token = asked.token.map(page_token).transpose()?;
    let invalid = || ApiError::new(21481);
    // One more than fits, to know whether another page follows.
    let take = size + 1;
    let (rows, newer, older): (Vec<&Message>, bool, bool) = match token {
        None => {
            let all = messages.iter().rev().filter(|message| filter.accepts(message));
            let mut rows: Vec<_> = all.skip(number.saturating_mul(size)).take(take).collect();
            let more = rows.len() > size;
            rows.truncate(size);
            (rows, number > 0, more)
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
    let next = rows.last().filter(|_| older).map(|last| format!("PA{}", last.sid));
    let previous = rows.first().filter(|_| newer).map(|first| format!("PB{}", first.sid));
    let is_filter = |key: &str| matches!(key, "To" | "From") || key.starts_with("DateSent");
    Ok(MessagePage {
        links: asked.links(path, query, is_filter, rows.len(), (next, previous)),
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
    sent: SentFilter,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Params) -> Result<Self, ApiError> {
        let sent = SentFilter::read(query)?;
        Ok(Self { to: query.get("To"), from: query.get("From"), sent })
    }

    /// Whether a message passes the filter.
    fn accepts(&self, message: &Message) -> bool {
        self.to.is_none_or(|to| message.to == to)
            && self.from.is_none_or(|from| message.from.as_deref() == Some(from))
            && self.sent.accepts(message.sent)
    }
}
