//! Reads of a moment ago: a copy of the rows that stays as it was.
//!
//! DynamoDB answers a read that does not ask for consistency from a replica
//! that may lag. No local engine does, so code that forgets `ConsistentRead`
//! looks right everywhere but in production. Here the replica stops following
//! when a stale read is armed: before the first write after that, all rows are
//! copied into an engine of its own, which answers stale reads, index reads
//! and empty results included, with all of DynamoDB's rules.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderValue, Request, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::client;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, runtime::Handle, sync::Mutex};

use super::{
    embedded::Embedded,
    proxy::{ConnectionCut, RawResponse, forward},
    route::EngineConnection,
    table::TableSpec,
};

/// The copy of one proxy.
pub(super) struct Replica {
    tables: Vec<TableSpec>,
    runtime: Handle,
    frozen: Mutex<Option<FrozenCopy>>,
}

struct FrozenCopy {
    /// When: [`rehearse_core::faults::Faults::frozen`].
    moment: usize,
    engine: Embedded,
}

impl Replica {
    /// No copy yet.
    pub(super) fn new(tables: &[TableSpec], runtime: &Handle) -> Self {
        Self { tables: tables.to_vec(), runtime: runtime.clone(), frozen: Mutex::default() }
    }

    /// Copies all rows, unless they were copied for this moment. To be called before a write
    /// goes on; other writes wait. `like` is a request whose credentials are used.
    pub(super) async fn freeze(
        &self,
        moment: usize,
        like: &Parts,
        connection: &EngineConnection,
    ) -> Result<(), ConnectionCut> {
        let mut frozen = self.frozen.lock().await;
        if frozen.as_ref().is_some_and(|frozen| frozen.moment == moment) {
            return Ok(());
        }
        let engine = Embedded::memory(&self.runtime, &self.tables).map_err(|_| ConnectionCut)?;
        for table in &self.tables {
            let mut from = Value::Null;
            loop {
                let page = scan(table, &from, like, connection).await?;
                for item in page["Items"].as_array().into_iter().flatten() {
                    let item = item.as_object().cloned().unwrap_or_default();
                    engine.put(table, item).map_err(|_| ConnectionCut)?;
                }
                from = page["LastEvaluatedKey"].clone();
                if from.is_null() {
                    break;
                }
            }
        }
        *frozen = Some(FrozenCopy { moment, engine });
        Ok(())
    }

    /// The answer of the copy of this moment; `None` when nothing was written since.
    pub(super) async fn answer(
        &self,
        moment: usize,
        request: &Request<Full<Bytes>>,
    ) -> Option<Result<RawResponse, ConnectionCut>> {
        let address = {
            let frozen = self.frozen.lock().await;
            frozen.as_ref().filter(|frozen| frozen.moment == moment)?.engine.address()
        };
        Some(once(address, request.clone()).await.map_err(|_| ConnectionCut))
    }
}

/// One page of a table, consistent.
async fn scan(
    table: &TableSpec,
    from: &Value,
    like: &Parts,
    connection: &EngineConnection,
) -> Result<Value, ConnectionCut> {
    let mut body = json!({ "TableName": table.name, "ConsistentRead": true });
    if !from.is_null() {
        body["ExclusiveStartKey"] = from.clone();
    }
    let mut parts = like.clone();
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let target = HeaderValue::from_static("DynamoDB_20120810.Scan");
    parts.headers.insert("x-amz-target", target);
    let request = Request::from_parts(parts, Full::new(Bytes::from(body.to_string())));
    let (head, body) = forward(request, connection).await?;
    if !head.status.is_success() {
        return Err(ConnectionCut);
    }
    serde_json::from_slice(&body).map_err(|_| ConnectionCut)
}

/// One call over a connection of its own.
async fn once(address: SocketAddr, request: Request<Full<Bytes>>) -> io::Result<RawResponse> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, driver) =
        client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let call = async {
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        Ok((head, body.collect().await.map_err(io::Error::other)?.to_bytes()))
    };
    let mut call = std::pin::pin!(call);
    let mut driver = std::pin::pin!(driver);
    tokio::select! {
        answer = &mut call => return answer,
        _ = &mut driver => {}
    }
    call.await
}
