mod bad_input;
mod browsers;
mod events;
mod failures;
mod fake;
mod responses;
mod rest;
mod samples;
mod stages;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, OriginalUri, Query},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
    routing::{any, get, post},
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};

use super::{
    FunctionCode, Gateway,
    handler::{GatewayFunction, Handler, Timeouts},
    invoke::{Invocation, InvokeError, RunFunction},
    server::stages,
};
use crate::template::{self, Cors, Domain, Function, Origins, Payload, Route, Throttle};
use rehearse_core::{
    clock::Clock,
    journal::{Exchange, ExchangeDetail, Journal},
};

/// `2020-03-12T19:03:58Z`, the time of AWS's sample.
const NOW: Timestamp = Timestamp::constant(1_584_039_838, 0);

fn clock() -> Clock {
    Clock::stopped(NOW)
}

fn function(id: &str, routes: Vec<Route>) -> Function {
    Function { timeout: Duration::from_secs(10), routes, ..Function::new(id) }
}

fn listener() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A gateway and what it records.
struct TestGateway {
    server: Gateway,
    journal: Journal,
}

impl TestGateway {
    /// One function, `F`, under every path.
    fn start(router: Router) -> Self {
        Self::with(function("F", vec![Route::new("ANY", "$default")]), router)
    }

    fn with(function: Function, router: Router) -> Self {
        let apis = [template::Api::http("ServerlessHttpApi")];
        let journal = Journal::new(clock());
        let functions = vec![(function, FunctionCode::Router(router))];
        let server =
            Gateway::start(listener(), &apis, functions, journal.clone(), clock()).unwrap();
        Self { server, journal }
    }

    /// A function of the test's own under these routes of the implicit HTTP API.
    fn custom(routes: &[Route], function: impl RunFunction + 'static) -> Self {
        Self::behind(template::Api::http("ServerlessHttpApi"), routes, function)
    }

    /// A function of the test's own under these routes of one API.
    fn behind(api: template::Api, routes: &[Route], invoke: impl RunFunction + 'static) -> Self {
        Self::waiting(Timeouts::default(), api, routes, invoke)
    }

    /// The same, with other patience.
    fn waiting(
        timeouts: Timeouts,
        api: template::Api,
        routes: &[Route],
        invoke: impl RunFunction + 'static,
    ) -> Self {
        let routes = routes.iter().map(|route| Route { api: api.id.clone(), ..route.clone() });
        let function = function("F", routes.collect());
        let journal = Journal::new(clock());
        let target = GatewayFunction::new("F".into(), Duration::from_secs(10), invoke);
        let stages = stages(&[api], [function].iter());
        let mut api = Handler::new(stages, vec![target], journal.clone(), clock());
        api.timeouts = timeouts;
        Self { server: Gateway::serve(listener(), api).unwrap(), journal }
    }

    fn address(&self) -> String {
        self.server.url().replace("http://", "")
    }

    /// Sends bytes and reads the one answer.
    async fn raw(&self, request: impl AsRef<[u8]>) -> HttpResponse {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        HttpResponse::read(&mut stream).await
    }

    async fn get(&self, path: &str) -> HttpResponse {
        let host = self.address();
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    }

    async fn send(&self, head: &str, body: &str) -> HttpResponse {
        let host = self.address();
        let length = body.len();
        self.raw(format!(
            "{head}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    /// How the last call ended.
    fn outcome(&self) -> rehearse_core::journal::Outcome {
        self.http().pop().unwrap().outcome.unwrap()
    }

    fn http(&self) -> Vec<Exchange> {
        let exchanges = self.journal.since(0).into_iter();
        exchanges.filter(|e| matches!(e.detail, ExchangeDetail::Http { .. })).collect()
    }
}

#[derive(Debug)]
struct HttpResponse {
    status: u16,
    /// Lower case.
    head: String,
    body: Vec<u8>,
}

impl HttpResponse {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: {}\n{}", self.head, String::from_utf8_lossy(&self.body))
        })
    }
}

/// A function that hands its events to the test, and answers always the same.
struct Recorder {
    events: mpsc::UnboundedSender<Value>,
    answer: Value,
}

impl Recorder {
    fn answering(answer: Value) -> (Self, mpsc::UnboundedReceiver<Value>) {
        let (events, received) = mpsc::unbounded_channel();
        (Self { events, answer }, received)
    }
}

impl RunFunction for Recorder {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        let event = serde_json::from_str(&invocation.event).unwrap();
        // The test may have heard enough.
        let _ = self.events.send(event);
        Box::pin(async { Ok(self.answer.clone()) })
    }
}

/// A function that waits until it is told to end.
struct Waiting(Arc<Notify>);

impl RunFunction for Waiting {
    fn invoke(&self, _: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(async {
            self.0.notified().await;
            Ok(json!({ "statusCode": 200, "body": "late" }))
        })
    }
}

/// A function that fails.
struct Failing;

impl RunFunction for Failing {
    fn invoke(&self, _: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(async { Err(InvokeError::Failed("on purpose".into())) })
    }
}

/// The patience of these tests where it is to end.
fn hasty() -> Timeouts {
    let short = Duration::from_millis(50);
    Timeouts { http: short, rest: short, ..Timeouts::default() }
}
