//! The HTTP client that calls the backend's URLs.

use std::{io, sync::Arc};

/// A client that calls webhooks as Twilio does: header names go out in title case, as `X-Twilio-Signature`,
/// which a REST API's events and servers that read raw headers see. It follows no redirects, since each
/// request is signed for its own URL, and uses no proxy.
///
/// It trusts no certificate, since loading them takes longer than most tests, and it does not depend on
/// the process's default provider of cryptography, which a library must not set.
///
/// # Errors
/// The client cannot be built.
pub fn webhook_client() -> io::Result<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_title_case_headers()
        .build()
        .map_err(io::Error::other)
}
