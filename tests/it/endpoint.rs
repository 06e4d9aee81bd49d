//! DynamoDB's protocol without an SDK: any body, and the answer as it came.

use std::net::TcpListener;

use jiff::Timestamp;
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal, threads::Threads};
use rehearse_dynamodb::{Database, Service};
use serde_json::{Value, json};

/// An engine that speaks DynamoDB.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: String,
    /// DynamoDB Local keeps a database for each.
    access_key: String,
    web: reqwest::Client,
}

/// DynamoDB Local in a container, which goes when this is dropped.
pub struct Local {
    container: String,
    url: String,
}

/// As `rehearse run --dynamodb docker` uses it.
const IMAGE: &str = "amazon/dynamodb-local:3.1.0";

impl Local {
    /// Starts one; nothing, said aloud, where there is no Docker or no image. With
    /// `REHEARSE_REQUIRE_DOCKER=1` that fails the test.
    pub async fn start() -> Option<Self> {
        let docker = |words: &[&str]| {
            let ran = std::process::Command::new("docker").args(words).output();
            let ran = ran.map_err(|error| error.to_string())?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
            if ran.status.success() { Ok(text(&ran.stdout)) } else { Err(text(&ran.stderr)) }
        };
        // Looked for first: starting would pull it.
        if let Err(why) = docker(&["image", "inspect", "--format", "{{.Id}}", IMAGE]) {
            let required = std::env::var_os("REHEARSE_REQUIRE_DOCKER").is_some_and(|v| v == "1");
            assert!(!required, "Docker with {IMAGE} is required: {why}");
            eprintln!("skipped: no {IMAGE} in Docker ({why})");
            return None;
        }
        let container =
            docker(&["run", "--detach", "--rm", "--publish", "127.0.0.1::8000", IMAGE]).unwrap();
        let mut local = Self { container, url: String::new() };
        let address = docker(&["port", &local.container, "8000/tcp"]).unwrap();
        local.url = format!("http://{address}");
        let endpoint = local.endpoint();
        // Docker's own proxy accepts and hangs up until the engine is there.
        while endpoint.try_call("ListTables", &json!({})).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        Some(local)
    }

    /// A database of its own.
    pub fn endpoint(&self) -> Endpoint {
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Endpoint::new(self.url.clone(), &format!("test{number}"))
    }
}

static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

impl Drop for Local {
    fn drop(&mut self) {
        let mut docker = std::process::Command::new("docker");
        let _ = docker.args(["rm", "--force", &self.container]).output();
    }
}

/// An embedded engine without tables.
pub struct Embedded {
    database: Database,
    _threads: Threads,
}

impl Embedded {
    /// Starts one.
    pub async fn start() -> Self {
        let journal = Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH));
        let threads = Threads::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (service, faults) = (Service::embedded(), Faults::default());
        let database = Database::start(listener, &threads, &service, &[], journal, faults);
        let database = database.await.unwrap();
        Self { database, _threads: threads }
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::new(self.database.url(), "embedded")
    }
}

impl Endpoint {
    /// The engine at a URL.
    pub fn new(url: String, access_key: &str) -> Self {
        // Already installed by another test: fine. A client wants it before it is built.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { url, access_key: access_key.into(), web }
    }

    /// Status and body of an operation.
    pub async fn call(&self, operation: &str, request: &Value) -> (u16, Value) {
        self.try_call(operation, request).await.unwrap()
    }

    async fn try_call(&self, operation: &str, request: &Value) -> reqwest::Result<(u16, Value)> {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260210/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
            self.access_key
        );
        let answer = self
            .web
            .post(&self.url)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("x-amz-date", "20260210T000000Z")
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", authorization)
            .body(request.to_string())
            .send()
            .await?;
        let status = answer.status().as_u16();
        let body = answer.text().await?;
        Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }

    /// Every row of a table, in no order.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut request = json!({ "TableName": table, "ConsistentRead": true });
        loop {
            let (status, mut page) = self.call("Scan", &request).await;
            assert_eq!(status, 200, "{page}");
            rows.extend(page["Items"].as_array().cloned().unwrap_or_default());
            match page.get_mut("LastEvaluatedKey") {
                Some(last) => request["ExclusiveStartKey"] = last.take(),
                None => return rows,
            }
        }
    }

    /// Removes every row of tables whose keys are these.
    pub async fn empty(&self, tables: &[(&str, [&str; 2])]) {
        for (table, keys) in tables {
            for row in self.rows(table).await {
                let key: serde_json::Map<_, _> =
                    keys.iter().map(|name| ((*name).to_owned(), row[*name].clone())).collect();
                let (status, body) =
                    self.call("DeleteItem", &json!({ "TableName": table, "Key": key })).await;
                assert_eq!(status, 200, "{body}");
            }
        }
    }
}
