//! Requests to a stage, over TLS when it is not on this machine.

use std::time::Duration;

use reqwest::{Method, header::HeaderMap};

/// API Gateway's own limit is 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(35);

/// Asks one stage.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
}

/// A request that changes nothing.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) form: Option<&'static str>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Ask {
    pub(super) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), form: None }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Client {
    pub(super) fn new(base: String) -> reqwest::Result<Self> {
        // Already installed: fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { http, base })
    }

    /// Whether anybody answers at all.
    pub(super) async fn reach(&self) -> reqwest::Result<()> {
        self.http.head(&self.base).send().await.map(drop)
    }

    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, String> {
        let url = format!("{}{}", self.base, ask.path);
        let mut request = self.http.request(ask.method.clone(), url);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(form) = ask.form {
            let form_type = "application/x-www-form-urlencoded";
            request = request.header(reqwest::header::CONTENT_TYPE, form_type).body(form);
        }
        let failed = |error: reqwest::Error| {
            if error.is_timeout() { "no answer in time".to_owned() } else { "no answer".to_owned() }
        };
        let answer = request.send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.map_err(failed)?;
        Ok(Answer { status, headers, body })
    }
}
