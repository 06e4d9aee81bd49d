//! The recording proxy between the backend and the engine.
//!
//! Every connection gets a connection of its own to the engine, driven by the same
//! task, so that a call costs one more hop and no thread switch. Dispatching in
//! process would save the hop and lose the engine's checks of the raw request.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, Uri, header, response};
use http_body_util::{BodyExt, Either, Full};
use hyper::{body::Incoming, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Handle};

use super::{
    fault_response::{self, ProxyBody},
    inject::{InspectedCall, inject},
    replica::Replica,
    request,
    route::{EngineConnection, EngineRoute},
    table::TableSpec,
};
use rehearse_core::{
    faults::Faults,
    journal::{ExchangeDetail, Journal, Outcome, PendingExchange},
    serve::{self, Serving},
};

/// An answer as it came.
pub(super) type RawResponse = (response::Parts, Bytes);
pub(super) type EngineRequest = Request<Full<Bytes>>;
pub(super) type ProxyResponse = Response<ProxyBody>;

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub(super) struct ConnectionCut;

/// A proxy that is serving. Dropping it closes its listener and every connection.
#[derive(Debug)]
pub(super) struct Proxy(Serving);

/// What every connection needs.
pub(super) struct ProxyState {
    route: EngineRoute,
    pub(super) tables: Vec<TableSpec>,
    pub(super) replica: Replica,
    journal: Journal,
    pub(super) faults: Faults,
}

impl Proxy {
    /// Serves `listener` on `runtime`, in front of the engine at the end of `route`.
    pub(super) fn start(
        listener: std::net::TcpListener,
        runtime: &Handle,
        route: EngineRoute,
        tables: &[TableSpec],
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Self> {
        let _context = runtime.enter();
        let replica = Replica::new(tables, runtime);
        let shared = ProxyState { route, tables: tables.to_vec(), replica, journal, faults };
        let shared = Arc::new(shared);
        let connection = move |stream, _| connection(stream, Arc::clone(&shared));
        Ok(Self(Serving::start(serve::on_tokio(listener)?, runtime, connection)?))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Serves one client. An error ends its connection, and there is nobody else to tell.
async fn connection(stream: TcpStream, shared: Arc<ProxyState>) {
    let connection = shared.route.connect();
    let service = service_fn(|request| handle(request, &shared, &connection));
    let front = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = front.await;
}

async fn handle(
    request: Request<Incoming>,
    shared: &ProxyState,
    connection: &EngineConnection,
) -> Result<ProxyResponse, ConnectionCut> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| ConnectionCut)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let (function, rest) = request::function(&path);
    parts.uri = Uri::try_from(rest).map_err(|_| ConnectionCut)?;
    // The connection to the engine is this proxy's own, and the body is no longer chunked.
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::TRANSFER_ENCODING);
    let outgoing = Request::from_parts(parts, Full::new(body.clone()));
    if outgoing.method() != Method::POST {
        return forward(outgoing, connection).await.map(whole);
    }

    let target = outgoing.headers().get("x-amz-target").and_then(|v| v.to_str().ok());
    let operation = request::operation(target);
    let name = format!("dynamodb.{operation}");
    let request = request::json_or_text(&body);
    let watched = shared.faults.any().then(|| request.clone());
    let open = shared.journal.begin(name.as_str(), exchange_detail(function, &operation, request));
    if let Some(request) = watched {
        let function = function.map(str::to_owned);
        let call = InspectedCall { name, operation, function, request, outgoing, open };
        return inject(call, shared, connection).await;
    }
    let (head, body) = forward(outgoing, connection).await?;
    record(open, &head, &body);
    Ok(whole((head, body)))
}

fn exchange_detail(function: Option<&str>, operation: &str, request: Value) -> ExchangeDetail {
    ExchangeDetail::Database {
        function: function.map(str::to_owned),
        tables: request::tables(&request),
        items: request::items(operation, &request),
        operation: operation.to_owned(),
        request,
    }
}

/// The engine's answer, every header and byte as it came.
pub(super) async fn forward(
    request: EngineRequest,
    connection: &EngineConnection,
) -> Result<RawResponse, ConnectionCut> {
    connection.exchange(request).await.map_err(|_| ConnectionCut)
}

/// An answer with all of its body.
pub(super) fn whole((head, body): RawResponse) -> ProxyResponse {
    Response::from_parts(head, Either::Left(Full::new(body)))
}

/// Ends an exchange with the engine's answer.
pub(super) fn record(open: PendingExchange, head: &response::Parts, body: &Bytes) {
    let error = fault_response::code(head.status, body);
    let outcome = Outcome::status(head.status.as_u16(), Value::Null);
    open.end_with(Outcome { error, ..outcome }, body.clone());
}
