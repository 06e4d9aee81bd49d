//! Calling a running world's control API.

use std::time::Duration;

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    Endpoints, ErrorBody, Items, JournalPage, JournalQuery, Messages, PutItems, Ready, SmsRequest,
    SmsResponse, Written,
};

/// For a call that the world answers at once.
const SOON: Duration = Duration::from_secs(10);
/// For many rows.
const ROWS: Duration = Duration::from_secs(60);
/// Longer than a webhook with all its retries and its fallback may take.
const DELIVERY: Duration = Duration::from_secs(120);

/// A client of one world.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there.
    #[error("no world is running at {base}")]
    NotRunning {
        /// The URL that was tried.
        base: String,
    },
    /// Somebody listens who is not the control API.
    #[error("{base} is not the control API of a world")]
    NotControl {
        /// The URL that was tried.
        base: String,
    },
    /// The API refused.
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
    /// The connection broke or the client could not be made.
    #[error("failed to call {base}")]
    Transport {
        /// The URL that was tried.
        base: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

/// A name as a part of a path.
fn segment(name: &str) -> String {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// An HTTP client for this machine alone: no proxy, no certificates.
pub fn loopback_client() -> reqwest::Result<reqwest::Client> {
    // A client wants a provider even if it never speaks TLS; a second install is refused, and fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).build()
}

impl Client {
    /// A client of the world at this URL.
    ///
    /// # Errors
    /// When the system refuses to make a client.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/').to_owned();
        let http = loopback_client()
            .map_err(|source| ClientError::Transport { base: base.clone(), source })?;
        Ok(Self { base, http })
    }

    /// Whether the world answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ready(&self) -> Result<Ready, ClientError> {
        self.call(Method::GET, "/ready", None::<&()>, SOON).await
    }

    /// Where the parts listen.
    ///
    /// # Errors
    /// When the world does not answer.
    pub async fn endpoints(&self) -> Result<Endpoints, ClientError> {
        self.call(Method::GET, "/endpoints", None::<&()>, SOON).await
    }

    /// Sends a person's text and waits for what becomes of it.
    ///
    /// # Errors
    /// When the world does not answer or knows no such person.
    pub async fn sms(&self, request: &SmsRequest) -> Result<SmsResponse, ClientError> {
        self.call(Method::POST, "/sms", Some(request), DELIVERY).await
    }

    /// Every text.
    ///
    /// # Errors
    /// When the world does not answer.
    pub async fn messages(&self) -> Result<Messages, ClientError> {
        self.call(Method::GET, "/messages", None::<&()>, SOON).await
    }

    /// A page of the journal.
    ///
    /// # Errors
    /// When the world does not answer.
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
    /// When the world does not answer or knows no such table.
    pub async fn items(&self, table: &str) -> Result<Items, ClientError> {
        let path = format!("/tables/{}/items", segment(table));
        self.call(Method::GET, &path, None::<&()>, ROWS).await
    }

    /// Writes rows in DynamoDB's own format, or only checks them.
    ///
    /// # Errors
    /// When the world does not answer, knows no such table, or a row does not fit it.
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
    /// When the world does not answer.
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
