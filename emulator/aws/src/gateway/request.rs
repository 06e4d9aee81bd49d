//! A request as it came over the wire.

use std::{collections::BTreeMap, net::SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Version, header};

/// One HTTP request, body and all.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Percent-encoded, as it came.
    pub(super) path: String,
    /// As it came, without `?`; empty when there is none.
    pub(super) query: String,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    /// Names of headers as the client wrote them, by their lower case; those that differ from it.
    pub(super) header_case: BTreeMap<String, String>,
    /// The one valid Host.
    pub(super) host: String,
    pub(super) body: Bytes,
    pub(super) client: SocketAddr,
    /// Port that the client called.
    pub(super) port: u16,
}

impl Request {
    /// Header names in order, once each, with their values as text.
    pub(super) fn header_lists(&self) -> impl Iterator<Item = (&str, Vec<String>)> {
        self.headers.keys().map(|name| {
            let values = self.headers.get_all(name).iter();
            (name.as_str(), values.map(|v| String::from_utf8_lossy(v.as_bytes()).into()).collect())
        })
    }

    /// Decoded query parameters in wire order.
    pub(super) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// Path and query as they came.
    pub(super) fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// `HTTP/1.1`.
    pub(super) fn protocol(&self) -> String {
        format!("{:?}", self.version)
    }

    pub(super) fn user_agent(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT);
        agent.map(|v| String::from_utf8_lossy(v.as_bytes()).into()).unwrap_or_default()
    }

    /// The body as an event carries it, and whether that is base64: only
    /// `text/*` and three media types go as text, so a form does not.
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

    /// The body as a REST API's event carries it: text, whatever it is, unless
    /// its media type is one that the API takes for bytes.
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

    /// Whether a REST API decodes a base64 answer to this request: its first Accept decides.
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

/// Bytes as the journal keeps them: text, or base64 when they are not UTF-8.
pub(super) fn text_or_base64(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| STANDARD.encode(bytes), str::to_owned)
}
