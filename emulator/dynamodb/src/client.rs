//! An engine of another process, spoken to as a client speaks to it.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::{
    http_connection::{HttpConnection, SendError},
    namespace::TableNamespace,
    request,
    table::TableSpec,
    tables::create_table_request,
};

/// An access key, date and signature that nobody looks at; a namespace brings its own key.
const UNSIGNED: HeaderValue = HeaderValue::from_static(
    "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, \
     SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
);
/// Between two looks at a table that is being made or deleted.
const PAUSE: Duration = Duration::from_millis(20);
/// Looks at a table before it is given up: half a minute.
const LOOKS: usize = 1500;

/// Tables of one world on an engine elsewhere.
pub(super) struct EngineClient {
    http_connection: HttpConnection,
    namespace: TableNamespace,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("the database does not answer")]
    Send(#[source] SendError),
    #[error("{message} ({code})")]
    Refused { code: String, message: String },
    #[error("what answers there is no DynamoDB: status {0}")]
    NotDynamoDb(StatusCode),
    #[error("table {0} does not become ready")]
    NotReady(String),
}

impl ClientError {
    /// Whether the engine says so.
    pub(super) fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == expected)
    }
}

impl EngineClient {
    pub(super) fn new(address: SocketAddr, namespace: TableNamespace) -> Self {
        Self { http_connection: HttpConnection::new(address), namespace }
    }

    /// Carries out an operation; names of tables are the template's.
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
        let body = self.namespace.outgoing(headers, Bytes::from(request.to_string()));
        *call.body_mut() = Full::new(body);
        let (mut parts, body) = self.http_connection.send(call).await.map_err(ClientError::Send)?;
        let body = self.namespace.incoming(&mut parts.headers, body);
        let not_dynamodb = || ClientError::NotDynamoDb(parts.status);
        let answer: Value = serde_json::from_slice(&body).map_err(|_| not_dynamodb())?;
        if parts.status.is_success() {
            return Ok(answer);
        }
        let code = request::error_code(&answer).ok_or_else(not_dynamodb)?;
        let message = answer["message"].as_str().or(answer["Message"].as_str());
        Err(ClientError::Refused { code, message: message.unwrap_or_default().into() })
    }

    /// Makes a table and waits until it is there. Its rows never expire by
    /// themselves: the engine would go by the machine's clock, not by the world's.
    pub(super) async fn create(&self, table: &TableSpec) -> Result<(), ClientError> {
        let made = self.call("CreateTable", &create_table_request(table)).await?;
        let mut status = made["TableDescription"]["TableStatus"].clone();
        for _ in 0..LOOKS {
            if status == "ACTIVE" {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
            let seen = self.call("DescribeTable", &json!({ "TableName": table.name })).await?;
            status = seen["Table"]["TableStatus"].clone();
        }
        Err(ClientError::NotReady(table.name.clone()))
    }

    /// Deletes a table and waits until it is gone.
    pub(super) async fn delete(&self, name: &str) -> Result<(), ClientError> {
        let request = json!({ "TableName": name });
        let gone = |error: &ClientError| error.is("ResourceNotFoundException");
        match self.call("DeleteTable", &request).await {
            Err(error) if gone(&error) => return Ok(()),
            result => result?,
        };
        for _ in 0..LOOKS {
            match self.call("DescribeTable", &request).await {
                Err(error) if gone(&error) => return Ok(()),
                result => result?,
            };
            tokio::time::sleep(PAUSE).await;
        }
        Err(ClientError::NotReady(name.into()))
    }

    /// Names of all tables, of this namespace and of others.
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
    pub(super) async fn put(
        &self,
        table: &TableSpec,
        item: &Map<String, Value>,
    ) -> Result<(), ClientError> {
        self.call("PutItem", &json!({ "TableName": table.name, "Item": item })).await.map(drop)
    }

    /// All items of a table, in no order.
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
