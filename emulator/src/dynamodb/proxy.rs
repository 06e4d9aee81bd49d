//! The recording proxy between the backend and the engine.
//!
//! Every connection gets a line of its own to the engine, driven by the same
//! task, so that a call costs one more hop and no thread switch. Dispatching in
//! process would save the hop and lose the engine's checks of the raw request.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, Uri, header, request::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Handle};

use super::{
    call, fault,
    link::{Line, Link},
};
use crate::{
    faults::{Cut, Faults},
    journal::{Crossing, Journal, Open, Outcome},
    serve::{self, Serving},
};

type Answer = Response<Full<Bytes>>;

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
struct CutOff;

/// A proxy that is serving. Dropping it closes its listener and every connection.
#[derive(Debug)]
pub(super) struct Proxy(Serving);

/// What every connection needs.
struct Shared {
    link: Link,
    journal: Journal,
    faults: Faults,
}

impl Proxy {
    /// Serves `listener` on `runtime`, in front of the engine at the end of `link`.
    pub(super) fn start(
        listener: std::net::TcpListener,
        runtime: &Handle,
        link: Link,
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Self> {
        let _context = runtime.enter();
        let shared = Arc::new(Shared { link, journal, faults });
        let connection = move |stream, _| connection(stream, Arc::clone(&shared));
        Ok(Self(Serving::start(serve::on_tokio(listener)?, runtime, connection)?))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Serves one client. An error ends its connection, and there is nobody else to tell.
async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let line = shared.link.line();
    let service = service_fn(|request| handle(request, &shared, &line));
    let front = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = front.await;
}

async fn handle(
    request: Request<Incoming>,
    shared: &Shared,
    line: &Line,
) -> Result<Answer, CutOff> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| CutOff)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let (function, rest) = call::function(&path);
    parts.uri = Uri::try_from(rest).map_err(|_| CutOff)?;
    // The connection to the engine is this proxy's own, and the body is no longer chunked.
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::TRANSFER_ENCODING);
    let target = parts.headers.get("x-amz-target").and_then(|v| v.to_str().ok());
    let operation = call::operation(target);
    if parts.method != Method::POST {
        return forward(line, &operation, parts, body).await.map(|(answer, _)| answer);
    }

    let name = format!("dynamodb.{operation}");
    let request = json_or_text(&body);
    let crossing = Crossing::Database {
        function: function.map(str::to_owned),
        tables: call::tables(&request),
        items: call::items(&operation, &request),
        operation: operation.clone(),
        request,
    };
    let open = shared.journal.begin(name.as_str(), crossing);
    let Some(failure) = shared.faults.take(&name) else {
        let (answer, body) = forward(line, &operation, parts, body).await?;
        record(open, &answer, body);
        return Ok(answer);
    };

    if !failure.delay().is_zero() {
        tokio::time::sleep(failure.delay()).await;
    }
    match failure.cut {
        Some(Cut::Before) => return Err(CutOff),
        Some(Cut::After) => {
            let (_, body) = forward(line, &operation, parts, body).await?;
            // The caller sees nothing; the journal keeps what was lost.
            open.end_with(Outcome::cut(), body);
            return Err(CutOff);
        }
        None => {}
    }
    if let Some((status, body)) = fault::answer(&failure) {
        let answer = fault::response(status, &body);
        record(open, &answer, body.to_string().into());
        return Ok(answer);
    }
    let (answer, body) = forward(line, &operation, parts, body).await?;
    record(open, &answer, body);
    Ok(answer)
}

/// The engine's answer, every header and byte as it came.
async fn forward(
    line: &Line,
    operation: &str,
    parts: Parts,
    body: Bytes,
) -> Result<(Answer, Bytes), CutOff> {
    let (parts, body) = line.exchange(operation, parts, body).await.map_err(|_| CutOff)?;
    Ok((Response::from_parts(parts, Full::new(body.clone())), body))
}

fn record(open: Open, answer: &Answer, body: Bytes) {
    let outcome = Outcome::status(answer.status().as_u16(), Value::Null);
    let error =
        if answer.status().is_success() { None } else { call::error_code(&json_or_text(&body)) };
    open.end_with(Outcome { error, ..outcome }, body);
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}
