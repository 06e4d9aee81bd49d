//! Starts another Lambda function through Lambda's Invoke API, asynchronously.
//!
//! The request is signed with `aws-sigv4`, because an SDK for one request would add a megabyte to
//! every package.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use http::{StatusCode, header::CONTENT_TYPE};

use crate::{
    domain::{background::BackgroundTask, secret::Secret},
    ports::{BackgroundWorker, BoxError},
};

/// The function, where it is, and who calls it. Has no `Debug`, because of the keys.
#[derive(Clone)]
pub struct Settings {
    /// Name or ARN of the function.
    pub function: String,
    /// Overrides AWS's own endpoint.
    pub endpoint: Option<String>,
    /// AWS region.
    pub region: String,
    /// AWS access key id.
    pub access_key_id: String,
    /// AWS secret access key.
    pub secret_access_key: Secret,
    /// AWS session token.
    pub session_token: Option<Secret>,
    /// Time for one request.
    pub timeout: Duration,
}

/// Lambda's Invoke API.
#[derive(Clone)]
pub struct LambdaWorker {
    http: reqwest::Client,
    settings: Settings,
}

/// The function was not started.
#[derive(Debug, thiserror::Error)]
#[error("Lambda answered {0}")]
struct NotStarted(StatusCode);

impl LambdaWorker {
    /// Builds a client over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, settings: Settings) -> Self {
        Self { http, settings }
    }

    fn url(&self) -> String {
        let Settings { function, endpoint, region, .. } = &self.settings;
        let base = match endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://lambda.{region}.amazonaws.com"),
        };
        format!("{base}/2015-03-31/functions/{}/invocations", encoded(function))
    }

    /// The request with its signature.
    fn signed(&self, url: &str, body: &[u8]) -> Result<http::HeaderMap, BoxError> {
        let Settings { region, access_key_id, secret_access_key, session_token, .. } =
            &self.settings;
        let identity = Credentials::new(
            access_key_id,
            secret_access_key.expose(),
            session_token.as_ref().map(|token| token.expose().to_owned()),
            None,
            "rehearse",
        )
        .into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("lambda")
            .time(signing_time())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = [("content-type", "application/json"), ("x-amz-invocation-type", "Event")];
        let signable =
            SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body))?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        let mut request = http::Request::builder().method("POST").uri(url).body(())?;
        instructions.apply_to_request_http1x(&mut request);
        let mut headers = request.headers().clone();
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        headers.insert("x-amz-invocation-type", http::HeaderValue::from_static("Event"));
        Ok(headers)
    }
}

/// A signature holds for five minutes around the real time, never around business time.
#[expect(clippy::disallowed_methods, reason = "signatures are bound to the machine's clock")]
fn signing_time() -> SystemTime {
    SystemTime::now()
}

/// Percent-encodes what a function's name or ARN may hold besides unreserved characters.
fn encoded(function: &str) -> String {
    function.replace(':', "%3A").replace('$', "%24").replace('/', "%2F")
}

#[async_trait]
impl BackgroundWorker for LambdaWorker {
    async fn start(&self, task: &BackgroundTask) -> Result<(), BoxError> {
        let body = serde_json::to_vec(&task.to_json())?;
        let url = self.url();
        let headers = self.signed(&url, &body)?;
        let request = self.http.post(url).headers(headers).body(body);
        let response = request.timeout(self.settings.timeout).send().await?;
        match response.status() {
            StatusCode::ACCEPTED => Ok(()),
            status => Err(NotStarted(status).into()),
        }
    }
}
