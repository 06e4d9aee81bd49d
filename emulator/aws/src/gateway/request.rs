//! A request as it was received.

use std::{borrow::Cow, collections::BTreeMap, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Version, header};
use rehearse_core::journal::ExchangeDetail;

/// One HTTP request with its whole body.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Percent-encoded, as it was received.
    pub(super) path: String,
    /// As it was received, without `?`; empty when there is none.
    pub(super) query: String,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    /// Header names as the client wrote them, by their lower case, if the two differ.
    pub(super) header_case: BTreeMap<String, String>,
    /// The Host header, of which a URL can be made.
    pub(super) host: String,
    pub(super) body: Bytes,
    pub(super) client: SocketAddr,
    /// The port that the client called.
    pub(super) port: u16,
}

impl Request {
    /// Every header name once, with its values as text.
    pub(super) fn header_lists(&self) -> impl Iterator<Item = (&str, Vec<Cow<'_, str>>)> {
        self.headers.keys().map(|name| {
            let values = self.headers.get_all(name).iter();
            (name.as_str(), values.map(|v| String::from_utf8_lossy(v.as_bytes())).collect())
        })
    }

    /// The header fields that the journal keeps, without credentials. A webhook is recorded by the fake
    /// Twilio.
    pub(super) fn kept_headers(&self) -> Vec<(String, String)> {
        if self.headers.contains_key("x-twilio-signature") {
            return Vec::new();
        }
        let kept = |name: &&str| {
            let value = String::from_utf8_lossy(self.headers.get(*name)?.as_bytes());
            let value = match *name {
                "authorization" => match value.split_once(' ') {
                    Some((scheme, _)) => format!("{scheme} {}", ExchangeDetail::WITHHELD),
                    None => ExchangeDetail::WITHHELD.to_owned(),
                },
                "cookie" => ExchangeDetail::WITHHELD.to_owned(),
                _ => value.into_owned(),
            };
            Some(((*name).to_owned(), value))
        };
        ExchangeDetail::KEPT_HEADERS.iter().filter_map(kept).collect()
    }

    /// Decoded query parameters, in their order.
    pub(super) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// Path and query as they were received.
    pub(super) fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The protocol's name in events, `HTTP/1.1`.
    pub(super) fn protocol(&self) -> &'static str {
        if self.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
    }

    /// The User-Agent header; empty when there is none.
    pub(super) fn user_agent(&self) -> Cow<'_, str> {
        let agent = self.headers.get(header::USER_AGENT);
        agent.map_or_else(Cow::default, |value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// The body as an HTTP API's event has it, and whether that is base64. `text/*` and three other
    /// media types are text; everything else is base64, forms too.
    pub(super) fn event_body(&self) -> Option<(String, bool)> {
        if self.body.is_empty() {
            return None;
        }
        let text = if self.has_text_type() { std::str::from_utf8(&self.body).ok() } else { None };
        Some(match text {
            Some(text) => (text.to_owned(), false),
            None => (STANDARD.encode(&self.body), true),
        })
    }

    /// The body as a REST API's event has it, and whether that is base64: everything is text whose
    /// media type is not among the API's binary types.
    pub(super) fn rest_body(&self, binary_types: &[String]) -> Option<(String, bool)> {
        if self.body.is_empty() {
            return None;
        }
        let kind = self.media_type(&header::CONTENT_TYPE);
        Some(if is_among(binary_types, &kind) {
            (STANDARD.encode(&self.body), true)
        } else {
            (String::from_utf8_lossy(&self.body).into_owned(), false)
        })
    }

    /// Whether a REST API decodes a base64 body of the response: the first type of Accept decides.
    pub(super) fn accepts_bytes(&self, binary_types: &[String]) -> bool {
        is_among(binary_types, &self.media_type(&header::ACCEPT))
    }

    fn has_text_type(&self) -> bool {
        let media = self.media_type(&header::CONTENT_TYPE);
        media.starts_with("text/")
            || ["application/json", "application/xml", "application/javascript"]
                .contains(&media.as_str())
    }

    /// The first media type in a header, without parameters.
    fn media_type(&self, name: &HeaderName) -> String {
        let value = self.headers.get(name).and_then(|v| v.to_str().ok());
        let media = value.and_then(|v| v.split([';', ',']).next()).unwrap_or("").trim();
        media.to_ascii_lowercase()
    }
}

fn is_among(types: &[String], kind: &str) -> bool {
    types.iter().any(|known| known == "*/*" || known.eq_ignore_ascii_case(kind))
}

/// Bytes as the journal keeps them: text, or base64 if they are not UTF-8.
pub(super) fn text_or_base64(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| STANDARD.encode(bytes), str::to_owned)
}
