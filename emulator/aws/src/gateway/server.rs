//! The HTTP server in front of the APIs: connections, limits, a valid Host.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use axum::Router;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request as HttpRequest, Response, header, request::Parts, uri::Authority};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, runtime::Handle};
use url::Url;

use super::{
    client_stream::ClientStream,
    error_override::ErrorOverride,
    gateway_error::GatewayError,
    handler::{GatewayFunction, Handler},
    header_case::HeaderCase,
    in_process::InProcess,
    lambda::{LambdaConfig, ProcessPool},
    request::Request,
    route::Routes,
    stage::{Stage, Stages},
};
use crate::{
    function::Executable,
    template::{self, ApiKind, Function},
};
use rehearse_core::{
    clock::Clock,
    faults::CrashKind,
    journal::Journal,
    serve::{self, Serving},
};

const MAX_BODY_BYTES: usize = 10 << 20;
/// Nobody's mistake is larger than this.
const MAX_DRAINED_BYTES: usize = 64 << 20;
/// Request line and all headers.
const MAX_HEAD_BYTES: usize = 10_240;
/// Only the bytes are limited, and no header is shorter than `a:` and the end of its line.
const MAX_HEADERS: usize = MAX_HEAD_BYTES / 4;

/// How a function is run.
pub enum FunctionCode {
    /// As a router of this process.
    Router(Router),
    /// As processes of its own.
    Lambda(Box<LambdaConfig>),
}

/// An API that is serving. Dropping it stops the server and every invocation.
pub struct Gateway {
    serving: Serving,
    api: Arc<Handler>,
}

impl Gateway {
    /// Serves these APIs and their functions on `listener`, inside the current runtime.
    ///
    /// # Errors
    /// When the listener cannot be served.
    pub fn start(
        listener: TcpListener,
        apis: &[template::Api],
        functions: Vec<(Function, FunctionCode)>,
        journal: Journal,
        clock: Clock,
    ) -> io::Result<Self> {
        let stages = stages(apis, functions.iter().map(|(function, _)| function));
        let target = |(function, code): (Function, FunctionCode)| {
            let (id, timeout) = (function.id, function.timeout);
            match code {
                FunctionCode::Router(router) => {
                    GatewayFunction::new(id.clone(), timeout, InProcess::new(id, router))
                }
                FunctionCode::Lambda(lambda) => {
                    GatewayFunction::new(id, timeout, ProcessPool::new(*lambda))
                }
            }
        };
        let targets = functions.into_iter().map(target).collect();
        Self::serve(listener, Handler::new(stages, targets, journal, clock))
    }

    pub(super) fn serve(listener: TcpListener, api: Handler) -> io::Result<Self> {
        let api = Arc::new(api);
        let shared = Arc::clone(&api);
        let connection = move |stream, client| connection(stream, client, Arc::clone(&shared));
        let serving = Serving::start(serve::on_tokio(listener)?, &Handle::current(), connection)?;
        Ok(Self { serving, api })
    }

    /// Ends the oldest invocation of a function that is under way.
    pub fn crash(&self, function: &str, how: CrashKind) {
        self.crash_handler()(function, how);
    }

    /// What ends invocations, for those who must not hold the gateway.
    pub fn crash_handler(&self) -> impl Fn(&str, CrashKind) + Send + Sync + 'static {
        let api = Arc::downgrade(&self.api);
        move |function, how| {
            let api = api.upgrade();
            if let Some(target) = api.as_ref().and_then(|api| api.target(function)) {
                target.running.crash_oldest(how);
            }
        }
    }

    /// From now on a function's events go to this executable.
    pub fn replace_executable(&self, function: &str, executable: Executable) {
        if let Some(target) = self.api.target(function) {
            target.function.replace_executable(executable);
        }
    }

    /// Where it is, `http://127.0.0.1:4000`.
    pub fn url(&self) -> String {
        self.serving.url()
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.stop();
        self.api.stop();
    }
}

/// The APIs with the routes of these functions, which stand in this order.
pub(super) fn stages<'a>(
    apis: &[template::Api],
    functions: impl Iterator<Item = &'a Function> + Clone,
) -> Stages {
    let stage = |api: &template::Api| {
        let mut routes = Routes::new(api.kind);
        for (at, function) in functions.clone().enumerate() {
            for route in function.routes.iter().filter(|route| route.api == api.id) {
                routes.add(route, api.throttling.of_route(route), at);
            }
        }
        Stage { api: api.clone(), routes }
    };
    Stages::new(apis.iter().map(stage).collect())
}

/// Serves one client. An error ends its connection.
async fn connection(stream: TcpStream, client: SocketAddr, api: Arc<Handler>) {
    let port = stream.local_addr().map_or(0, |address| address.port());
    let header_case = HeaderCase::new(api.stages.any(ApiKind::Rest));
    let speech = ErrorOverride::default();
    let service = service_fn(|request| {
        speech.begin();
        let answer = handle(request, &header_case, client, port, &api);
        async { Ok::<_, Infallible>(answer.await.map(|bytes| speech.body(bytes))) }
    });
    let wire = ClientStream::new(stream, header_case.clone(), speech.clone());
    let mut serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(api.timeouts.head)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(wire), service);
    let Err(error) = (&mut serving).await else { return };
    let parts = serving.into_parts();
    // A client that began to speak hears why it is not heard out; one that is idle needs no word.
    let gateway_error = if error.is_timeout() && !parts.read_buf.is_empty() {
        Some(GatewayError::TooSlow)
    } else if !speech.was_kept_back() {
        None
    } else if error.is_parse_too_large() {
        Some(GatewayError::HeadTooLarge)
    } else {
        Some(GatewayError::Malformed)
    };
    if let Some(gateway_error) = gateway_error {
        let response = api.refuse(api.stages.kind("", "/"), gateway_error);
        let mut stream = parts.io.into_inner().into_inner();
        let _ = stream.write_all(&written(&response)).await;
        let _ = stream.shutdown().await;
    }
}

/// An answer as it goes over a wire that hyper has given up.
fn written(response: &Response<Bytes>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {}\r\n", response.status());
    for (name, value) in response.headers() {
        text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let length = response.body().len();
    text.push_str(&format!("connection: close\r\ncontent-length: {length}\r\n\r\n"));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(response.body());
    bytes
}

async fn handle(
    request: HttpRequest<Incoming>,
    header_case: &HeaderCase,
    client: SocketAddr,
    port: u16,
    api: &Arc<Handler>,
) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let names = header_case.take(&parts.headers);
    let host = host(&parts);
    let kind = api.stages.kind(host.as_deref().unwrap_or_default(), parts.uri.path());
    let read = match host {
        Some(_) if head_bytes(&parts) > MAX_HEAD_BYTES => Err(GatewayError::HeadTooLarge),
        Some(host) => {
            let body = tokio::time::timeout(api.timeouts.body, read_body(body)).await;
            body.unwrap_or(Err(GatewayError::TooSlow)).map(|body| (host, body))
        }
        None => Err(GatewayError::Malformed),
    };
    let response = match read {
        Ok((host, body)) => {
            let request = Request {
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                method: parts.method,
                version: parts.version,
                headers: parts.headers,
                header_case: names,
                host,
                body,
                client,
                port,
            };
            api.handle(request).await
        }
        Err(gateway_error) => {
            let mut response = api.refuse(kind, gateway_error);
            if matches!(gateway_error, GatewayError::TooSlow | GatewayError::Malformed) {
                // What else comes on this connection may be the rest of that request.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        }
    };
    header_case.resume();
    response
}

/// The whole body. Of one that is too large the rest is read and thrown away,
/// so that a client which writes before it reads still gets its answer.
async fn read_body(mut body: Incoming) -> Result<Bytes, GatewayError> {
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| GatewayError::Malformed)?.into_data() else { continue };
        total += data.len();
        if total <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if total > MAX_DRAINED_BYTES {
            break;
        }
    }
    if total > MAX_BODY_BYTES { Err(GatewayError::BodyTooLarge) } else { Ok(bytes.freeze()) }
}

fn head_bytes(parts: &Parts) -> usize {
    let line = parts.method.as_str().len() + parts.uri.to_string().len() + "  HTTP/1.1\r\n".len();
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    line + parts.headers.iter().map(field).sum::<usize>()
}

/// The one Host, if a URL can be made of it: Twilio signs that URL, and handlers rebuild it.
fn host(parts: &Parts) -> Option<String> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    let valid = hosts.next().is_none()
        && !host.contains('@')
        && host.parse::<Authority>().is_ok()
        && Url::parse(&format!("http://{host}/")).is_ok();
    valid.then(|| host.to_owned())
}
