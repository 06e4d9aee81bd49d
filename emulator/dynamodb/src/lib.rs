//! A fake DynamoDB for tests: a real engine behind a proxy that records every call and injects
//! faults.
//!
//! [`FakeDynamoDb`] is the easy way in: one value with tables, a URL for any AWS SDK, a journal and
//! faults.
//!
//! ```
//! use rehearse_dynamodb::{FakeDynamoDb, table::{AttributeKind, TableSpec}};
//! use serde_json::json;
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let notes = TableSpec::new("Notes").partition_key("id", AttributeKind::String);
//! let dynamodb = FakeDynamoDb::start([notes]).await?;
//! dynamodb.put("Notes", json!({ "id": "n1", "text": "Hello" })).await?;
//!
//! // Any client can read the row at `dynamodb.url()`; here without an SDK.
//! let body = r#"{"TableName":"Notes","Key":{"id":{"S":"n1"}}}"#;
//! let request = format!(
//!     "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
//!      X-Amz-Target: DynamoDB_20120810.GetItem\r\nX-Amz-Date: 20260101T000000Z\r\n\
//!      Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\
//!      Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, \
//!      SignedHeaders=host, Signature=0\r\n\r\n{body}",
//!     body.len(),
//! );
//! let mut stream = tokio::net::TcpStream::connect(dynamodb.url().replace("http://", "")).await?;
//! stream.write_all(request.as_bytes()).await?;
//! let mut response = String::new();
//! stream.read_to_string(&mut response).await?;
//! assert!(response.contains(r#""text":{"S":"Hello"}"#), "{response}");
//!
//! assert_eq!(dynamodb.rows("Notes").await?, [json!({ "id": "n1", "text": "Hello" })]);
//! assert_eq!(dynamodb.journal().exchanges().named("dynamodb.GetItem").count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Parts
//!
//! - [`table::TableSpec`] describes a table: names, keys, indexes, TTL.
//! - [`Service`] holds the tables of all worlds of a process. [`EngineChoice`] selects an embedded
//!   engine for each world, one container with DynamoDB Local for all, or an endpoint of the user's.
//! - [`Database`] is the database of one world: its tables on that engine, and the proxy.
//! - The proxy passes bytes and headers through unchanged, checksums included. It records every call
//!   in the [journal], injects [faults], and makes the calls of a rendezvous wait for each other.
//! - [`fixture`] reads files of rows; [`row`] checks a row against its table.
//!
//! # Features
//!
//! - `embedded` (default): the engine inside the process, dynoxide. Stale reads need it with every
//!   engine, because it holds the copy of the rows that they are served from.
//! - `docker`: DynamoDB Local in a container.
//!
//! Choosing an engine whose feature is missing returns [`ServiceError::NotBuilt`].

mod client;
mod database;
mod delayed;
#[cfg(feature = "docker")]
mod docker;
mod embedded;
mod endpoint;
mod engine;
mod fake;
mod fault_response;
pub mod fixture;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod hostile;
mod http_connection;
mod item;
mod namespace;
mod number;
mod other_service;
mod partiql;
mod proxy;
mod replica;
mod request;
mod route;
pub mod row;
mod service;
mod service_error;
mod strict;
mod supervisor;
mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod user_endpoint;
mod wire;

pub use rehearse_core::{faults, journal, table};

pub use self::{
    database::{Database, DatabaseError, StartError},
    endpoint::{Endpoint, EndpointError},
    engine::EngineError,
    fake::FakeDynamoDb,
    service::{DEFAULT_IMAGE, EngineChoice, Service, ServiceOptions},
    service_error::ServiceError,
    supervisor::CloseReport,
};
