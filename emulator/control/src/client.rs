//! A client of the control API.

use std::time::Duration;

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Endpoints, ErrorBody, Items, JournalPage, JournalQuery, PutItems, Ready, SmsRequest,
    SmsResponse, Written,
};

/// Timeout of a call to which the world responds at once.
const SOON: Duration = Duration::from_secs(10);
/// Timeout of a call that reads or writes many rows.
const ROWS: Duration = Duration::from_secs(60);
/// Timeout of a delivery: longer than a webhook may take with all its retries and its fallback.
const DELIVERY: Duration = Duration::from_secs(120);

/// A client of one running world. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens at the URL.
    #[error("no world is running at {base}")]
    NotRunning {
        /// The URL that was tried.
        base: String,
    },
    /// What listens at the URL is not the control API.
    #[error("{base} is not the control API of a world")]
    NotControl {
        /// The URL that was tried.
        base: String,
    },
    /// The response was an error.
    #[error("{error}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What is wrong.
        error: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The journal has dropped the exchanges that were asked for.
    #[error("the journal no longer has the exchanges before position {first}")]
    Dropped {
        /// Position of the first exchange that it still has.
        first: u64,
    },
    /// The connection broke, the call took too long, or the client could not be created.
    #[error("failed to call {base}")]
    Transport {
        /// The URL that was tried.
        base: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// Encodes a name as one segment of a path.
fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An HTTP client for URLs of this machine: it uses no proxy and trusts no certificate.
///
/// # Errors
/// When the client cannot be created.
pub fn loopback_client() -> reqwest::Result<reqwest::Client> {
    // The client needs a TLS provider even if it never uses TLS. A second installation fails, which
    // does not matter.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build()
}

impl Client {
    /// A client of the world at this URL, `http://127.0.0.1:4040`. Makes no request.
    ///
    /// # Errors
    /// When the client cannot be created.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let http = loopback_client()
            .map_err(|source| ClientError::Transport { base: base.clone(), source })?;
        Ok(Self { base, http })
    }

    /// Succeeds when the world is ready.
    ///
    /// # Errors
    /// When no world responds at the URL.
    pub async fn ready(&self) -> Result<Ready, ClientError> {
        self.call(Method::GET, "/ready", None::<&()>, SOON).await
    }

    /// Where the parts of the world listen.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn endpoints(&self) -> Result<Endpoints, ClientError> {
        self.call(Method::GET, "/endpoints", None::<&()>, SOON).await
    }

    /// Sends a person's text and waits until it is delivered, up to two minutes.
    ///
    /// # Errors
    /// When no world responds, the world knows no such person, or the text is empty or too long.
    pub async fn sms(&self, request: &SmsRequest) -> Result<SmsResponse, ClientError> {
        self.call(Method::POST, "/sms", Some(request), DELIVERY).await
    }

    /// The exchanges from a position on; waits for a change if the query says so.
    ///
    /// # Errors
    /// [`ClientError::Dropped`] when the journal no longer has the exchange at this position; when no
    /// world responds, or the world knows no such person.
    pub async fn journal(&self, query: &JournalQuery) -> Result<JournalPage, ClientError> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("wait", &query.wait.to_string());
        if let Some(since) = query.since {
            pairs.append_pair("since", &since.to_string());
        }
        if let Some(phone) = &query.phone {
            pairs.append_pair("phone", phone);
        }
        if let Some(changes) = query.changes {
            pairs.append_pair("changes", &changes.to_string());
        }
        let path = format!("/journal?{}", pairs.finish());
        let patience = SOON + Duration::from_millis(query.wait);
        self.call(Method::GET, &path, None::<&()>, patience).await
    }

    /// The rows of a table, by its logical id or its name, in DynamoDB's own format.
    ///
    /// # Errors
    /// When no world responds, or the world knows no such table.
    pub async fn items(&self, table: &str) -> Result<Items, ClientError> {
        let path = format!("/tables/{}/items", segment(table));
        self.call(Method::GET, &path, None::<&()>, ROWS).await
    }

    /// Writes rows in DynamoDB's own format, or only checks them.
    ///
    /// # Errors
    /// When no world responds, the world knows no such table, or a row does not fit the table.
    pub async fn put_items(
        &self,
        table: &str,
        items: &[Map<String, Value>],
        check_only: bool,
    ) -> Result<Written, ClientError> {
        let path = format!("/tables/{}/items", segment(table));
        let request = PutItems { items: items.to_vec(), check_only };
        self.call(Method::PUT, &path, Some(&request), ROWS).await
    }

    /// Puts the world back to its start.
    ///
    /// # Errors
    /// When no world responds, or its tables cannot be emptied.
    pub async fn reset(&self) -> Result<(), ClientError> {
        let _: serde_json::Value = self.call(Method::POST, "/reset", None::<&()>, SOON).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let transport = |source: reqwest::Error| {
            let base = self.base.clone();
            if source.is_connect() {
                ClientError::NotRunning { base }
            } else {
                ClientError::Transport { base, source }
            }
        };
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).timeout(patience);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(transport)?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|_| ClientError::NotControl { base: self.base.clone() });
        }
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(ErrorBody { first: Some(first), .. }) => Err(ClientError::Dropped { first }),
            Ok(body) => Err(ClientError::Refused {
                status: status.as_u16(),
                error: body.error,
                help: body.help,
            }),
            Err(_) => Err(ClientError::NotControl { base: self.base.clone() }),
        }
    }
}
