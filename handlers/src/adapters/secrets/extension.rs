//! One request to the extension.

use std::time::Duration;

use http::StatusCode;
use reqwest::Url;
use serde::Deserialize;

use crate::domain::secret::Secret;

/// Proves to the extension that the request comes from inside the function.
const TOKEN_HEADER: &str = "X-Aws-Parameters-Secrets-Token";
/// Time for one request, including the extension's own request to the store.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Characters of an error response that reach the log.
const MAX_LOGGED_CHARS: usize = 200;

/// Which secret, and where the extension is.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The variable that the secret stands for, for the log.
    pub variable: &'static str,
    /// The store that holds it.
    pub store: StoreKind,
    /// Its name in the store, or its ARN.
    pub name: &'a str,
    /// The extension's port on localhost.
    pub port: u16,
    /// The function's own session token.
    pub session_token: &'a str,
}

/// A store of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Parameter Store of Systems Manager.
    ParameterStore,
    /// Secrets Manager.
    SecretsManager,
}

pub(super) struct Extension {
    http: reqwest::Client,
    url: Result<Url, url::ParseError>,
    session_token: String,
    store: StoreKind,
}

/// Why a secret was not fetched. Holds nothing of its value.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(
        "the secrets extension cannot be reached on localhost port {port}: its layer must be \
         attached to the function"
    )]
    Unreachable {
        port: u16,
        #[source]
        source: reqwest::Error,
    },
    #[error("the secrets extension answered {status}: {text}")]
    Refused { status: StatusCode, text: String },
    #[error("the secrets extension answered something else than a secret")]
    Unreadable,
    #[error("the secret is empty")]
    Empty,
    #[error("the secrets extension has no such URL")]
    Url,
}

impl FetchError {
    /// Whether another attempt may succeed: the extension may be starting, the store may be busy.
    pub(super) fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => !source.is_timeout(),
            // The extension answers 400 while it starts, when the store is busy, when the name does
            // not exist and when a permission is missing.
            Self::Refused { .. } => true,
            Self::Unreadable | Self::Empty | Self::Url => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter: ParameterValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterValue {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: String,
}

impl Extension {
    pub(super) fn new(http: reqwest::Client, settings: &Settings<'_>) -> Self {
        let Settings { store, name, port, session_token, .. } = *settings;
        let base = format!("http://localhost:{port}");
        let url = match store {
            StoreKind::ParameterStore => Url::parse_with_params(
                &format!("{base}/systemsmanager/parameters/get"),
                [("name", name), ("withDecryption", "true")],
            ),
            StoreKind::SecretsManager => {
                Url::parse_with_params(&format!("{base}/secretsmanager/get"), [("secretId", name)])
            }
        };
        Self { http, url, session_token: session_token.to_owned(), store }
    }

    pub(super) async fn fetch(&self) -> Result<Secret, FetchError> {
        let Ok(url) = self.url.clone() else { return Err(FetchError::Url) };
        let port = url.port_or_known_default().unwrap_or_default();
        let unreachable = |source| FetchError::Unreachable { port, source };
        let request = self.http.get(url).header(TOKEN_HEADER, &self.session_token).timeout(TIMEOUT);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if !status.is_success() {
            let text: String =
                String::from_utf8_lossy(&body).chars().take(MAX_LOGGED_CHARS).collect();
            return Err(FetchError::Refused { status, text });
        }
        let value = match self.store {
            StoreKind::ParameterStore => {
                serde_json::from_slice::<Parameter>(&body).map(|body| body.parameter.value)
            }
            StoreKind::SecretsManager => {
                serde_json::from_slice::<SecretValue>(&body).map(|body| body.secret_string)
            }
        };
        // A value that was stored from a file ends with a line feed.
        let value = value.map_err(|_| FetchError::Unreadable)?.trim().to_owned();
        if value.is_empty() { Err(FetchError::Empty) } else { Ok(Secret::new(value)) }
    }
}
