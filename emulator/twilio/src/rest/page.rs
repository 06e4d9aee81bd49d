//! One page of a list: which part of it a request asks for, and the links to the pages beside it.

use form_urlencoded::Serializer;
use serde::Serialize;

use super::{error::ApiError, request::Params};

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 1000;

/// The part of a list that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageRequest<'a> {
    /// Most records of the page.
    pub size: usize,
    /// The page's number, counted from 0.
    pub number: usize,
    /// Where the page begins, from a link of another page.
    pub token: Option<&'a str>,
}

/// The part of a page's JSON behind its records, with its keys in Twilio's order.
#[derive(Debug, Serialize)]
pub(super) struct PageLinks {
    start: usize,
    end: usize,
    page: usize,
    page_size: usize,
    uri: String,
    first_page_uri: String,
    next_page_uri: Option<String>,
    previous_page_uri: Option<String>,
}

/// Which records of a list are on a page, and the tokens of the pages beside it.
pub(super) struct PagePart {
    pub records: std::ops::Range<usize>,
    pub next: Option<String>,
    pub previous: Option<String>,
}

impl<'a> PageRequest<'a> {
    /// # Errors
    /// 20007, the page size is too large. A size or page that is no positive number is the default.
    pub fn read(query: &'a Params) -> Result<Self, ApiError> {
        let number = |key| query.get(key).and_then(|n| n.parse::<usize>().ok());
        let size = number("PageSize").filter(|size| *size > 0).unwrap_or(DEFAULT_SIZE);
        if size > MAX_SIZE {
            return Err(ApiError::new(20007));
        }
        let number = number("Page").unwrap_or(0);
        Ok(Self { size, number, token: query.get("PageToken") })
    }

    /// The part of a list whose records have these sids, in this order.
    ///
    /// # Errors
    /// 21481, the page token is not valid.
    pub fn part(self, sids: &[&str]) -> Result<PagePart, ApiError> {
        let begin = match self.token {
            None => self.number.saturating_mul(self.size),
            Some(token) => {
                let sid = token.strip_prefix("PA").or_else(|| token.strip_prefix("PB"));
                let at = sids.iter().position(|known| Some(*known) == sid);
                let at = at.ok_or_else(|| ApiError::new(21481))?;
                if token.starts_with("PA") { at + 1 } else { at.saturating_sub(self.size) }
            }
        };
        let begin = begin.min(sids.len());
        let end = begin.saturating_add(self.size).min(sids.len());
        let page = sids.get(begin..end).unwrap_or_default();
        let next = page.last().filter(|_| end < sids.len()).map(|sid| format!("PA{sid}"));
        let previous = page.first().filter(|_| begin > 0).map(|sid| format!("PB{sid}"));
        Ok(PagePart { records: begin..end, next, previous })
    }

    /// The links of a page with so many records. They keep the parameters of the query that
    /// `is_filter` names; `next` and `previous` are the tokens of the pages beside it.
    pub fn links(
        self,
        path: &str,
        query: &Params,
        is_filter: impl Fn(&str) -> bool,
        records: usize,
        (next, previous): (Option<String>, Option<String>),
    ) -> PageLinks {
        let link = |number: usize, token: Option<&str>| {
            let mut pairs = Serializer::new(String::new());
            let filters = query.pairs().iter();
            pairs.extend_pairs(filters.filter(|(key, value)| is_filter(key) && !value.is_empty()));
            pairs.append_pair("PageSize", &self.size.to_string());
            pairs.append_pair("Page", &number.to_string());
            if let Some(token) = token {
                pairs.append_pair("PageToken", token);
            }
            format!("{path}?{}", pairs.finish())
        };
        let start = self.number.saturating_mul(self.size);
        let beside = |number, token: Option<String>| token.map(|token| link(number, Some(&token)));
        PageLinks {
            start,
            end: start.saturating_add(records).saturating_sub(1).max(start),
            page: self.number,
            page_size: self.size,
            uri: link(self.number, self.token),
            first_page_uri: link(0, None),
            next_page_uri: beside(self.number.saturating_add(1), next),
            previous_page_uri: beside(self.number.saturating_sub(1), previous),
        }
    }
}

/// The part of a page's JSON that says where it stands in a list of the APIs that are younger than the
/// one of messages. Its links are absolute.
#[derive(Debug, Serialize)]
pub(super) struct PageMeta {
    page: usize,
    page_size: usize,
    first_page_url: String,
    previous_page_url: Option<String>,
    url: String,
    next_page_url: Option<String>,
    key: &'static str,
}

impl PageLinks {
    /// The same links as the younger APIs give them. `base` is where the API was asked.
    pub fn into_meta(self, base: &str, key: &'static str) -> PageMeta {
        let absolute = |uri: String| format!("{base}{uri}");
        PageMeta {
            page: self.page,
            page_size: self.page_size,
            first_page_url: absolute(self.first_page_uri),
            previous_page_url: self.previous_page_uri.map(absolute),
            url: absolute(self.uri),
            next_page_url: self.next_page_uri.map(absolute),
            key,
        }
    }
}
