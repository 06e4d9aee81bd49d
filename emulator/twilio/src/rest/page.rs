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
