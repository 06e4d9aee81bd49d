//! Pages: HTML that is escaped by its type, and the headers around it.

use axum::{
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    response::{IntoResponse as _, Response},
};

use crate::domain::digest::sha256_hex;

/// Markup. Names of elements and attributes are literals of this program; everything else that goes
/// in is escaped, so there is no way to put text in as markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(String);

/// An attribute: its name, and its value as text.
pub(super) type Attribute<'a> = (&'static str, &'a str);

impl Html {
    /// Adds text.
    pub(super) fn text(&mut self, text: &str) {
        escape(text, &mut self.0);
    }

    /// Adds an element with what `content` puts in.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        content: impl FnOnce(&mut Self),
    ) {
        self.void(name, attributes);
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Adds an element with text alone.
    pub(super) fn line(&mut self, name: &'static str, attributes: &[Attribute<'_>], text: &str) {
        self.element(name, attributes, |html| html.text(text));
    }

    /// Adds an element that has no content and no end, such as `input`.
    pub(super) fn void(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
        self.0.push('>');
    }

    /// Adds markup that was written before.
    pub(super) fn append(&mut self, html: Self) {
        self.0.push_str(&html.0);
    }

    /// Adds a field that nobody sees.
    pub(super) fn hidden(&mut self, name: &str, value: &str) {
        self.void("input", &[("type", "hidden"), ("name", name), ("value", value)]);
    }

    /// The whole document.
    pub(super) fn document(self) -> String {
        format!("<!DOCTYPE html>{}", self.0)
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => {}
            c => out.push(c),
        }
    }
}

/// Answers with a page that nobody keeps, in a language that was negotiated. `frame_ancestors` are the
/// pages that may embed it.
pub(super) fn page(
    status: StatusCode,
    html: Html,
    language: &'static str,
    frame_ancestors: &str,
) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
    );
    let value = HeaderValue::from_static;
    let mut response = (status, html.document()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, value("text/html; charset=utf-8"));
    headers.insert(CONTENT_LANGUAGE, value(language));
    headers.insert(VARY, value("Accept-Language"));
    headers.insert(CACHE_CONTROL, value("no-store"));
    // A value that is no header was refused with the settings; nobody may embed the page then.
    let strict = "default-src 'none'; frame-ancestors 'none'";
    let policy = HeaderValue::from_str(&policy).unwrap_or(value(strict));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    // For browsers that do not know the directive. It cannot name origins.
    if frame_ancestors == "'none'" {
        headers.insert(X_FRAME_OPTIONS, value("DENY"));
    }
    harden(headers);
    response
}

/// A file that belongs to a page.
#[derive(Debug)]
pub(super) struct Asset {
    kind: &'static str,
    content: &'static str,
    /// Names its content: it changes when the content does.
    pub(super) version: String,
}

impl Asset {
    pub(super) fn new(kind: &'static str, content: &'static str) -> Self {
        let digest = sha256_hex(&[content]);
        let version = digest.get(..12).unwrap_or(&digest).to_owned();
        Self { kind, content, version }
    }

    /// Answers with the file. Whoever asks for this version of it may keep it for a year; whoever
    /// asks for no version asks again after five minutes.
    pub(super) fn respond(&self, headers: &HeaderMap, query: Option<&str>) -> Response {
        let tag = format!("\"{}\"", self.version);
        let is_known = headers
            .get(IF_NONE_MATCH)
            .and_then(|known| known.to_str().ok())
            .is_some_and(|known| known.split(',').any(|known| known.trim() == tag));
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => self.content.into_response(),
        };
        let is_versioned = query.is_some_and(|query| query == format!("v={}", self.version));
        let cache = match is_versioned {
            true => "public, max-age=31536000, immutable",
            false => "public, max-age=300",
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(ETAG, tag);
        }
        headers.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("cross-origin"),
        );
        harden(headers);
        response
    }
}

fn harden(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// Which of the languages a browser's `Accept-Language` prefers; the first one when it says nothing
/// of any.
pub(super) fn preferred_language(headers: &HeaderMap, known: &[&'static str]) -> &'static str {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut best: Option<(f32, &'static str)> = None;
    for range in accepted.unwrap_or_default().split(',') {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        let quality: f32 = quality.map_or(1.0, |q| q.parse().unwrap_or(0.0));
        let primary = tag.split('-').next().unwrap_or_default();
        let Some(language) = known.iter().find(|language| **language == primary) else { continue };
        if quality > 0.0 && best.is_none_or(|(most, _)| quality > most) {
            best = Some((quality, language));
        }
    }
    best.map_or_else(|| known.first().copied().unwrap_or("en"), |(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_are_escaped() {
        let mut html = Html::default();
        html.element("p", &[("title", "\"><script>")], |p| p.text("<img onerror='x'> & \0so"));
        assert_eq!(
            html.document(),
            "<!DOCTYPE html><p title=\"&quot;&gt;&lt;script&gt;\">\
             &lt;img onerror=&#39;x&#39;&gt; &amp; so</p>"
        );
    }

    #[test]
    fn the_language_with_the_highest_quality_is_taken() {
        let language = |accepted: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
            preferred_language(&headers, &["en", "es"])
        };
        for (accepted, expected) in [
            ("es", "es"),
            ("es-MX,es;q=0.9,en;q=0.8", "es"),
            ("en;q=0.5, es;q=0.7", "es"),
            ("fr, de;q=0.9", "en"),
            ("es;q=0, en", "en"),
            ("es;q=x", "en"),
            ("", "en"),
            ("*", "en"),
        ] {
            assert_eq!(language(accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn a_page_that_nobody_may_embed_says_so_twice() {
        let headers = |ancestors| page(StatusCode::OK, Html::default(), "en", ancestors);
        let none = headers("'none'");
        assert_eq!(none.headers()[X_FRAME_OPTIONS], "DENY");
        let some = headers("https://shop.example");
        assert!(!some.headers().contains_key(X_FRAME_OPTIONS));
        let policy = some.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.ends_with("; frame-ancestors https://shop.example"), "{policy}");
    }
}
