//! A client of the control API.

use std::time::Duration;

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use rehearse_scenario::record::{RecordRequest, RecordedScenario};

use super::{
    ArmedFault, ArmedFaults, ClockRequest, ClockResponse, DeleteItems, DeletedItems, Disarmed,
    Endpoints, ErrorBody, Faults, Items, JournalPage, JournalQuery, PutItems, Ready, ScriptReport,
    Scripts, SmsRequest, SmsResponse, SnapshotInfo, SnapshotRequest, Snapshots, Written,
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
    /// When no world responds, the world knows no such person, the account has no such number, or the text is
    /// too long.
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
        for (name, value) in
            [("changes", query.changes), ("after", query.after), ("limit", query.limit)]
        {
            if let Some(value) = value {
                pairs.append_pair(name, &value.to_string());
            }
        }
        if let Some(name) = &query.name {
            pairs.append_pair("name", name);
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

    /// Deletes rows by their keys in DynamoDB's own format.
    ///
    /// # Errors
    /// When no world responds, the world knows no such table, or a key does not fit the table.
    pub async fn delete_items(
        &self,
        table: &str,
        keys: &[Map<String, Value>],
    ) -> Result<DeletedItems, ClientError> {
        let path = format!("/tables/{}/items", segment(table));
        let request = DeleteItems { keys: keys.to_vec() };
        self.call(Method::DELETE, &path, Some(&request), ROWS).await
    }

    /// Puts the world back to its start.
    ///
    /// # Errors
    /// When no world responds, or its tables cannot be emptied.
    pub async fn reset(&self) -> Result<(), ClientError> {
        let _: serde_json::Value = self.call(Method::POST, "/reset", None::<&()>, SOON).await?;
        Ok(())
    }

    /// What happened, as the text of a scenario.
    ///
    /// # Errors
    /// When no world responds, there is nothing to record, or the rows before it are not known.
    pub async fn record(&self, request: &RecordRequest) -> Result<RecordedScenario, ClientError> {
        self.call(Method::POST, "/scenarios", Some(request), ROWS).await
    }

    /// Business time.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn clock(&self) -> Result<ClockResponse, ClientError> {
        self.call(Method::GET, "/clock", None::<&()>, SOON).await
    }

    /// Moves business time, and waits for what becomes due by it, up to two minutes.
    ///
    /// # Errors
    /// When no world responds, the move is refused, or something does not end.
    pub async fn move_clock(&self, request: &ClockRequest) -> Result<ClockResponse, ClientError> {
        self.call(Method::POST, "/clock", Some(request), DELIVERY).await
    }

    /// The armed faults, and how often each struck.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn faults(&self) -> Result<Faults, ClientError> {
        self.call(Method::GET, "/faults", None::<&()>, SOON).await
    }

    /// Arms faults, in the words of scenarios: YAML or JSON.
    ///
    /// # Errors
    /// When no world responds, or the faults are wrong.
    pub async fn arm_faults(&self, text: &str) -> Result<ArmedFaults, ClientError> {
        self.text("/faults", text).await
    }

    /// Disarms one fault.
    ///
    /// # Errors
    /// When no world responds, or no such fault is armed.
    pub async fn disarm_fault(&self, id: u64) -> Result<ArmedFault, ClientError> {
        self.call(Method::DELETE, &format!("/faults/{id}"), None::<&()>, SOON).await
    }

    /// Disarms all faults.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn disarm_faults(&self) -> Result<Disarmed, ClientError> {
        self.call(Method::DELETE, "/faults", None::<&()>, SOON).await
    }

    /// The scripts of the model, and what is unmet.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn scripts(&self) -> Result<Scripts, ClientError> {
        self.call(Method::GET, "/scripts", None::<&()>, SOON).await
    }

    /// Arms the model's rounds for a text, in the words of scenarios: YAML or JSON.
    ///
    /// # Errors
    /// When no world responds, or the script is wrong.
    pub async fn arm_script(&self, text: &str) -> Result<ScriptReport, ClientError> {
        self.text("/scripts", text).await
    }

    /// Removes one script and returns what is unmet of it.
    ///
    /// # Errors
    /// When no world responds, or no such script is armed.
    pub async fn remove_script(&self, id: u64) -> Result<ScriptReport, ClientError> {
        self.call(Method::DELETE, &format!("/scripts/{id}"), None::<&()>, SOON).await
    }

    /// Removes all scripts and returns what is unmet of them.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn remove_scripts(&self) -> Result<Scripts, ClientError> {
        self.call(Method::DELETE, "/scripts", None::<&()>, SOON).await
    }

    /// The snapshots that are kept.
    ///
    /// # Errors
    /// When no world responds.
    pub async fn snapshots(&self) -> Result<Snapshots, ClientError> {
        self.call(Method::GET, "/snapshots", None::<&()>, SOON).await
    }

    /// Remembers rows, business time and opt-outs.
    ///
    /// # Errors
    /// When no world responds, something is under way, or as many are kept as can be.
    pub async fn take_snapshot(
        &self,
        request: &SnapshotRequest,
    ) -> Result<SnapshotInfo, ClientError> {
        self.call(Method::POST, "/snapshots", Some(request), ROWS).await
    }

    /// Goes back to a snapshot.
    ///
    /// # Errors
    /// When no world responds, something is under way, or there is no such snapshot.
    pub async fn restore_snapshot(&self, name: &str) -> Result<SnapshotInfo, ClientError> {
        let path = format!("/snapshots/{}/restore", segment(name));
        self.call(Method::POST, &path, None::<&()>, ROWS).await
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    /// When no world responds, or there is no such snapshot.
    pub async fn remove_snapshot(&self, name: &str) -> Result<SnapshotInfo, ClientError> {
        let path = format!("/snapshots/{}", segment(name));
        self.call(Method::DELETE, &path, None::<&()>, SOON).await
    }

    /// Posts a text that the world reads as YAML.
    async fn text<T: DeserializeOwned>(&self, path: &str, text: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(url).timeout(SOON).body(text.to_owned());
        self.send(request.header("content-type", "application/yaml")).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        patience: Duration,
    ) -> Result<T, ClientError> {
        let mut request =
            self.http.request(method, format!("{}{path}", self.base)).timeout(patience);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, ClientError> {
        let transport = |source: reqwest::Error| {
            let base = self.base.clone();
            if source.is_connect() {
                ClientError::NotRunning { base }
            } else {
                ClientError::Transport { base, source }
            }
        };
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
