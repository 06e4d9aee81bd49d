//! The URLs that Twilio may have signed.

use axum::http::{Method, Uri};

/// The public URLs, or the request's own if there are none.
///
/// Twilio signs a public URL exactly as it is configured. A GET request's parameters are appended
/// to the URL's own query. A POST request's query is the URL's own, so both the received and the
/// configured one are candidates.
pub(super) fn candidates(public_urls: &[String], method: &Method, uri: &Uri) -> Vec<String> {
    if public_urls.is_empty() {
        return vec![uri.to_string()];
    }
    let mut candidates = Vec::new();
    for url in public_urls {
        if let Some(query) = uri.query() {
            candidates.push(format!("{}?{query}", without_query(url)));
        }
        if method != Method::GET && !candidates.contains(url) {
            candidates.push(url.clone());
        }
    }
    candidates
}

/// The candidates for the log: without queries, which hold phone number and text of a GET request,
/// and without passwords.
pub(super) fn for_log(candidates: &[String]) -> String {
    let mut shown: Vec<String> =
        candidates.iter().map(|url| without_user(without_query(url))).collect();
    shown.dedup();
    shown.join(" ")
}

/// Removes user and password, which a URL at Twilio has for basic authentication:
/// `https://user:password@host/`.
fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(base, _)| base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates_of(public: &[&str], method: Method, uri: &str) -> Vec<String> {
        let public: Vec<String> = public.iter().map(|url| (*url).to_owned()).collect();
        candidates(&public, &method, &Uri::try_from(uri).unwrap())
    }

    #[test]
    fn without_public_urls_the_requests_own_is_tried() {
        assert_eq!(
            candidates_of(&[], Method::POST, "http://127.0.0.1:4000/dispatcher?a=b%20c"),
            ["http://127.0.0.1:4000/dispatcher?a=b%20c"]
        );
    }

    #[test]
    fn the_host_of_the_request_is_ignored_when_there_are_public_urls() {
        assert_eq!(
            candidates_of(
                &["https://shop.example/sms"],
                Method::POST,
                "https://evil.example/dispatcher"
            ),
            ["https://shop.example/sms"]
        );
    }

    #[test]
    fn queries_are_what_came_and_for_a_post_also_what_was_configured() {
        let public = ["https://a.example/sms", "https://b.example/sms?shop=1"];
        assert_eq!(
            candidates_of(&public, Method::GET, "https://x/dispatcher?From=%2B1"),
            ["https://a.example/sms?From=%2B1", "https://b.example/sms?From=%2B1"]
        );
        assert_eq!(
            candidates_of(&public, Method::POST, "https://x/dispatcher?shop=1"),
            [
                "https://a.example/sms?shop=1",
                "https://a.example/sms",
                "https://b.example/sms?shop=1"
            ]
        );
    }

    #[test]
    fn the_log_has_neither_query_nor_password() {
        let secret = ["https://twilio:s3cret@a.example/sms@x?y".to_owned()];
        assert_eq!(for_log(&secret), "https://a.example/sms@x");
        let candidates =
            candidates_of(&[], Method::GET, "https://x/dispatcher?From=%2B19042520927");
        assert_eq!(for_log(&candidates), "https://x/dispatcher");
    }
}
