//! The recording proxy between the backend and the engine.
//!
//! Every connection gets one of its own to the engine, driven by the same
//! task, so that a call costs one more hop and no thread switch. Dispatching in
//! process would save the hop and lose the engine's checks of the raw request.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Handle, sync::Mutex};

use super::{call, fault};
use crate::{
    faults::{Cut, Faults},
    journal::{Crossing, Journal, Open, Outcome},
    serve::{self, Serving},
};

type Upstream = Mutex<client::conn::http1::SendRequest<Full<Bytes>>>;
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
    upstream: SocketAddr,
    journal: Journal,
    faults: Faults,
}

impl Proxy {
    /// Serves `listener` on `runtime`, in front of `upstream`.
    pub(super) fn start(
        listener: std::net::TcpListener,
        runtime: &Handle,
        upstream: SocketAddr,
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Self> {
        let _context = runtime.enter();
        let shared = Arc::new(Shared { upstream, journal, faults });
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
    let Ok(upstream) = TcpStream::connect(shared.upstream).await else { return };
    let _ = upstream.set_nodelay(true);
    let Ok((sender, driver)) = client::conn::http1::handshake(TokioIo::new(upstream)).await else {
        return;
    };
    let upstream = Upstream::new(sender);
    let service = service_fn(|request| handle(request, &shared, &upstream));
    let front = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut front = std::pin::pin!(front);
    let mut driver = std::pin::pin!(driver);
    let mut driving = true;
    loop {
        tokio::select! {
            _ = &mut front => return,
            _ = &mut driver, if driving => driving = false,
        }
    }
}

async fn handle(
    request: Request<Incoming>,
    shared: &Shared,
    upstream: &Upstream,
) -> Result<Answer, CutOff> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| CutOff)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let (function, rest) = call::function(&path);
    parts.uri = Uri::try_from(rest).map_err(|_| CutOff)?;
    // The connection to the engine is this proxy's own, and the body is no longer chunked.
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::TRANSFER_ENCODING);
    let outgoing = Request::from_parts(parts, Full::new(body.clone()));
    if outgoing.method() != Method::POST {
        return forward(outgoing, upstream).await.map(|(answer, _)| answer);
    }

    let target = outgoing.headers().get("x-amz-target").and_then(|v| v.to_str().ok());
    let operation = call::operation(target);
    let name = format!("dynamodb.{operation}");
    let request = json_or_text(&body);
    let crossing = Crossing::Database {
        function: function.map(str::to_owned),
        tables: call::tables(&request),
        items: call::items(&operation, &request),
        operation,
        request,
    };
    let open = shared.journal.begin(name.as_str(), crossing);
    let Some(failure) = shared.faults.take(&name) else {
        let (answer, body) = forward(outgoing, upstream).await?;
        record(open, &answer, body);
        return Ok(answer);
    };

    if !failure.delay().is_zero() {
        tokio::time::sleep(failure.delay()).await;
    }
    match failure.cut {
        Some(Cut::Before) => return Err(CutOff),
        Some(Cut::After) => {
            let (_, body) = forward(outgoing, upstream).await?;
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
    let (answer, body) = forward(outgoing, upstream).await?;
    record(open, &answer, body);
    Ok(answer)
}

/// The engine's answer, every header and byte as it came.
async fn forward(
    request: Request<Full<Bytes>>,
    upstream: &Upstream,
) -> Result<(Answer, Bytes), CutOff> {
    let mut sender = upstream.lock().await;
    sender.ready().await.map_err(|_| CutOff)?;
    let answer = sender.send_request(request).await.map_err(|_| CutOff)?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_| CutOff)?.to_bytes();
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
