//! Refuses requests from web pages and from other machines.
//!
//! The API can do everything to its world. A web page can make a browser call loopback under the
//! page's own host name (DNS rebinding) or from its own origin. The Host and Origin headers show
//! both.

use axum::{
    Json,
    extract::Request,
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::ErrorBody;

/// Refuses requests whose Host or Origin is not loopback.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        next.run(request).await
    } else {
        let body = ErrorBody {
            error: "the control API answers to this machine alone".into(),
            help: Some("call it as http://127.0.0.1:PORT, and not from a web page".into()),
            first: None,
        };
        (StatusCode::FORBIDDEN, Json(body)).into_response()
    }
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let host = text(header::HOST).is_some_and(is_loopback);
    let origin = match text(header::ORIGIN) {
        None => true,
        // "null" is the origin of a sandboxed page, a file, or a redirect across origins.
        Some(origin) => origin
            .parse::<Uri>()
            .ok()
            .and_then(|uri| uri.authority().map(|a| is_loopback(a.as_str())))
            .unwrap_or(false),
    };
    host && origin
}

fn is_loopback(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => authority,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        is_local(&headers)
    }

    #[test]
    fn every_name_of_loopback_is_allowed() {
        assert!(local("127.0.0.1:4040", None));
        assert!(local("localhost:4040", Some("http://localhost:3000")));
        assert!(local("[::1]:4040", None));
    }

    #[test]
    fn other_hosts_and_origins_are_refused() {
        assert!(!local("evil.example:4040", None));
        assert!(!local("127.0.0.1.evil.example", None));
        assert!(!local("127.0.0.1:4040", Some("https://evil.example")));
        assert!(!local("127.0.0.1:4040", Some("null")));
        assert!(!local("localhost@evil.example", None));
        assert!(!is_local(&HeaderMap::new()), "a request without Host");
    }
}
