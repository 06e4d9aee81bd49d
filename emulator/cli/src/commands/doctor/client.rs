//! Requests to a stage, over TLS when it is not on this machine.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};

/// API Gateway's own limit is 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);

/// Sends requests to one stage.
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// A request that changes nothing.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) form: Option<&'static str>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), form: None }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Client {
    /// A client of the stage at `base`, a URL without a slash at the end.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub(crate) fn new(base: String) -> reqwest::Result<Self> {
        // Already installed: fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, base })
    }

    /// Checks that a server responds at all.
    ///
    /// # Errors
    /// When the request fails before there is a response, whatever its status.
    pub(crate) async fn reach(&self) -> reqwest::Result<()> {
        self.http.head(&self.base).send().await.map(drop)
    }

    /// Sends a request and reads the whole response.
    ///
    /// # Errors
    /// The reason in a few words when there is no response, or not within [`TIMEOUT`].
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, String> {
        let url = format!("{}{}", self.base, request.path);
        let mut builder = self.http.request(request.method.clone(), url);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(form) = request.form {
            let form_type = "application/x-www-form-urlencoded";
            builder = builder.header(reqwest::header::CONTENT_TYPE, form_type).body(form);
        }
        let failed = |error: reqwest::Error| {
            if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() }
        };
        let response = builder.send().await.map_err(failed)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.map_err(failed)?;
        Ok(Response { status, headers, body })
    }
}
