//! A client of an engine, for the emulator's own calls.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{
    http_connection::{HttpConnection, SendError},
    namespace::TableNamespace,
    table::TableSpec,
    tables::create_table_request,
    wire,
};

/// Credentials that local engines accept without verifying them. A namespace replaces the key.
const UNSIGNED: HeaderValue = HeaderValue::from_static(
    "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
);
/// How long the engine may take to respond to one call. Without a limit, an engine that hangs
/// would keep this process from ending.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause between two checks of a table that is being created or deleted.
const PAUSE: Duration = Duration::from_millis(20);
/// Checks of a table before giving up: half a minute.
const MAX_CHECKS: usize = 1500;

/// Calls one engine in one namespace. It opens a connection with its first call.
pub(super) struct EngineClient {
    http: HttpConnection,
    namespace: TableNamespace,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("the database does not answer")]
    Send(#[source] SendError),
    #[error("the database does not answer within {} s", CALL_TIMEOUT.as_secs())]
    Timeout,
    #[error("{message} ({code})")]
    Refused { code: String, message: String },
    #[error("the server at that address is not DynamoDB: it answered with status {0}")]
    NotDynamoDb(StatusCode),
    #[error("table {0} does not become ready")]
    NotReady(String),
}

impl ClientError {
    /// Whether the engine refused the call with this error code.
    pub(super) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == expected)
    }
}

impl EngineClient {
    /// A client of the engine at `address`; nothing is connected yet.
    pub(super) fn new(address: SocketAddr, namespace: TableNamespace) -> Self {
        Self { http: HttpConnection::new(address), namespace }
    }

    /// Carries out an operation; table names in `request` are those of the template.
    ///
    /// # Errors
    /// When the engine does not respond, refuses the call, or is no DynamoDB.
    pub(super) async fn call(
        &self,
        operation: &str,
        request: &Value,
    ) -> Result<Value, ClientError> {
        let mut call = Request::post("/").body(Full::default()).unwrap_or_default();
        let headers = call.headers_mut();
        headers.insert(HOST, HeaderValue::from_static("localhost"));
        headers.insert(AUTHORIZATION, UNSIGNED);
        headers.insert("x-amz-date", HeaderValue::from_static("20260101T000000Z"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
        if let Ok(target) = HeaderValue::try_from(format!("DynamoDB_20120810.{operation}")) {
            headers.insert("x-amz-target", target);
        }
        let body = self.namespace.rewrite_request(headers, Bytes::from(request.to_string()));
        *call.body_mut() = Full::new(body);
        let (mut parts, body) = timeout(CALL_TIMEOUT, self.http.send(call))
            .await
            .map_err(|_| ClientError::Timeout)?
            .map_err(ClientError::Send)?;
        let body = self.namespace.rewrite_response(&mut parts.headers, body);
        let not_dynamodb = || ClientError::NotDynamoDb(parts.status);
        let response: Value = serde_json::from_slice(&body).map_err(|_| not_dynamodb())?;
        if parts.status.is_success() {
            return Ok(response);
        }
        let code = wire::error_code(&response).ok_or_else(not_dynamodb)?;
        let message = response["message"].as_str().or(response["Message"].as_str());
        Err(ClientError::Refused { code, message: message.unwrap_or_default().into() })
    }

    /// Creates a table and waits until it is active. TTL stays off: the engine would delete rows by
    /// the machine's clock, not by the world's.
    ///
    /// # Errors
    /// As [`EngineClient::call`], or when the table is not active after half a minute.
    pub(super) async fn create(&self, table: &TableSpec) -> Result<(), ClientError> {
        let made = self.call("CreateTable", &create_table_request(table)).await?;
        let mut status = made["TableDescription"]["TableStatus"].clone();
        for _ in 0..MAX_CHECKS {
            if status == "ACTIVE" {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            let seen = self.call("DescribeTable", &json!({ "TableName": table.name })).await?;
            status = seen["Table"]["TableStatus"].clone();
        }
        Err(ClientError::NotReady(table.name.clone()))
    }

    /// Deletes a table, if it exists, and waits until it is gone.
    ///
    /// # Errors
    /// As [`EngineClient::call`], or when the table still exists after half a minute.
    pub(super) async fn delete(&self, name: &str) -> Result<(), ClientError> {
        let request = json!({ "TableName": name });
        let gone = |error: &ClientError| error.is("ResourceNotFoundException");
        match self.call("DeleteTable", &request).await {
            Err(error) if gone(&error) => return Ok(()),
            result => result?,
        };
        for _ in 0..MAX_CHECKS {
            match self.call("DescribeTable", &request).await {
                Err(error) if gone(&error) => return Ok(()),
                result => result?,
            };
            tokio::time::sleep(PAUSE).await;
        }
        Err(ClientError::NotReady(name.into()))
    }

    /// The names of all tables that the engine lists, with the prefixes of other namespaces.
    ///
    /// # Errors
    /// As [`EngineClient::call`].
    pub(super) async fn table_names(&self) -> Result<Vec<String>, ClientError> {
        let mut names: Vec<String> = Vec::new();
        let mut request = json!({});
        loop {
            let page = self.call("ListTables", &request).await?;
            let page_names = page["TableNames"].as_array().into_iter().flatten();
            names.extend(page_names.filter_map(|name| name.as_str().map(str::to_owned)));
            match page.get("LastEvaluatedTableName") {
                Some(Value::String(last)) => request = json!({ "ExclusiveStartTableName": last }),
                _ => return Ok(names),
            }
        }
    }

    /// Writes one item.
    ///
    /// # Errors
    /// As [`EngineClient::call`].
    pub(super) async fn put(
        &self,
        table: &TableSpec,
        item: &Map<String, Value>,
    ) -> Result<(), ClientError> {
        self.call("PutItem", &json!({ "TableName": table.name, "Item": item })).await.map(drop)
    }

    /// Deletes the item with this key, and says whether there was one.
    ///
    /// # Errors
    /// As [`EngineClient::call`].
    pub(super) async fn delete_item(
        &self,
        table: &TableSpec,
        key: &Map<String, Value>,
    ) -> Result<bool, ClientError> {
        let request = json!({ "TableName": table.name, "Key": key, "ReturnValues": "ALL_OLD" });
        let response = self.call("DeleteItem", &request).await?;
        Ok(response["Attributes"].is_object())
    }

    /// All items of a table, unordered. Reads page by page.
    ///
    /// # Errors
    /// As [`EngineClient::call`].
    pub(super) async fn scan(
        &self,
        table: &TableSpec,
    ) -> Result<Vec<Map<String, Value>>, ClientError> {
        let mut request = json!({ "TableName": table.name, "ConsistentRead": true });
        let mut items = Vec::new();
        loop {
            let mut page = self.call("Scan", &request).await?;
            if let Value::Array(found) = page["Items"].take() {
                items.extend(found.into_iter().filter_map(|item| match item {
                    Value::Object(item) => Some(item),
                    _ => None,
                }));
            }
            match page.get("LastEvaluatedKey") {
                Some(last @ Value::Object(_)) => request["ExclusiveStartKey"] = last.clone(),
                _ => return Ok(items),
            }
        }
    }
}
