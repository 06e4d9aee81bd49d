//! The HTTP server in front of an API: connections, limits, a valid Host.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use bytes::{Bytes, BytesMut};
use http::{Request as HttpRequest, Response, StatusCode, header, request::Parts, uri::Authority};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, runtime::Handle};
use url::Url;

use super::{
    api::{Api, Target},
    in_process::InProcess,
    lambda::{Lambda, Pool},
    request::Request,
    respond,
    route::Routes,
    running::End,
};
use crate::{
    clock::Clock,
    function::Executable,
    journal::Journal,
    serve::{self, Serving},
    template::Function,
};

const MAX_BODY_BYTES: usize = 10 << 20;
/// Nobody's mistake is larger than this.
const MAX_DRAINED_BYTES: usize = 64 << 20;
/// Request line and all headers.
const MAX_HEAD_BYTES: usize = 10_240;
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How a function is run.
pub enum Code {
    /// As a router of this process.
    Router(Router),
    /// As processes of its own.
    Lambda(Box<Lambda>),
}

/// An API that is serving. Dropping it stops the server and every invocation.
pub struct Gateway {
    serving: Serving,
    api: Arc<Api>,
}

impl Gateway {
    /// Serves these functions' routes on `listener`, inside the current runtime.
    ///
    /// # Errors
    /// When the listener cannot be served.
    pub fn start(
        listener: TcpListener,
        functions: Vec<(Function, Code)>,
        journal: Journal,
        clock: Clock,
    ) -> io::Result<Self> {
        let mut routes = Routes::default();
        let mut targets = Vec::new();
        for (at, (function, code)) in functions.into_iter().enumerate() {
            function.routes.iter().for_each(|route| routes.add(route, at));
            let (id, timeout) = (function.id, function.timeout);
            targets.push(match code {
                Code::Router(router) => {
                    Target::new(id.clone(), timeout, InProcess::new(id, router))
                }
                Code::Lambda(lambda) => Target::new(id, timeout, Pool::new(*lambda)),
            });
        }
        Self::serve(listener, Api::new(routes, targets, journal, clock))
    }

    pub(super) fn serve(listener: TcpListener, api: Api) -> io::Result<Self> {
        let api = Arc::new(api);
        let shared = Arc::clone(&api);
        let connection = move |stream, client| connection(stream, client, Arc::clone(&shared));
        let serving = Serving::start(serve::on_tokio(listener)?, &Handle::current(), connection)?;
        Ok(Self { serving, api })
    }

    /// Ends the oldest invocation of a function that is under way.
    pub fn end(&self, function: &str, how: End) {
        self.ender()(function, how);
    }

    /// What ends invocations, for those who must not hold the gateway.
    pub fn ender(&self) -> impl Fn(&str, End) + Send + Sync + 'static {
        let api = Arc::downgrade(&self.api);
        move |function, how| {
            let api = api.upgrade();
            if let Some(target) = api.as_ref().and_then(|api| api.target(function)) {
                target.running.end_oldest(how);
            }
        }
    }

    /// From now on a function's events go to this executable.
    pub fn swap(&self, function: &str, executable: Executable) {
        if let Some(target) = self.api.target(function) {
            target.function.swap(executable);
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

/// Serves one client. An error ends its connection, and there is nobody else to tell.
async fn connection(stream: TcpStream, client: SocketAddr, api: Arc<Api>) {
    let port = stream.local_addr().map_or(0, |address| address.port());
    let service = service_fn(|request| handle(request, client, port, &api));
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn handle(
    request: HttpRequest<Incoming>,
    client: SocketAddr,
    port: u16,
    api: &Arc<Api>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = match read(request, client, port).await {
        Ok(request) => api.handle(request).await,
        // In AWS's words, which are not always HTTP's.
        Err(StatusCode::PAYLOAD_TOO_LARGE) => {
            respond::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        }
        Err(refused) => {
            let reason = refused.canonical_reason().unwrap_or("Bad Request");
            respond::message(refused, reason)
        }
    };
    Ok(response.map(Full::new))
}

/// Reads a request whole, or says why it is refused before any route sees it.
async fn read(
    request: HttpRequest<Incoming>,
    client: SocketAddr,
    port: u16,
) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    if head_bytes(&parts) > MAX_HEAD_BYTES {
        return Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let host = host(&parts).ok_or(StatusCode::BAD_REQUEST)?;
    let body = read_body(body).await?;
    Ok(Request {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        method: parts.method,
        version: parts.version,
        headers: parts.headers,
        host,
        body,
        client,
        port,
    })
}

/// The whole body. Of one that is too large the rest is read and thrown away,
/// so that a client which writes before it reads still gets its answer.
async fn read_body(mut body: Incoming) -> Result<Bytes, StatusCode> {
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        total += data.len();
        if total <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if total > MAX_DRAINED_BYTES {
            break;
        }
    }
    if total > MAX_BODY_BYTES { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(bytes.freeze()) }
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
