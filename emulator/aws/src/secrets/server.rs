//! The extension as an HTTP server.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header::CONTENT_TYPE},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{Session, request, request::SecretRequest};
use rehearse_core::{
    faults::{Cut, Fault, FaultableCall, Faults},
    journal::{ExchangeDetail, Journal, Outcome, PendingExchange, with_cause},
    serve::Serving,
};

/// The header that proves that the client is the function itself.
const TOKEN: &str = "x-aws-parameters-secrets-token";
/// The text of the extension's response to every failure of a store.
const FAILED: &str = "an unexpected error occurred while executing request";

/// Options of the extension.
#[derive(Clone, Default)]
pub struct Options {
    /// Values by name, of both stores.
    pub values: BTreeMap<String, String>,
    /// Functions by their session tokens.
    pub sessions: BTreeMap<String, Session>,
}

/// The stores of secrets of one world. Clones share them.
#[derive(Clone)]
pub struct Secrets(Arc<SecretsInner>);

/// The running extension. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    secrets: Secrets,
    serving: Serving,
}

struct SecretsInner {
    sessions: BTreeMap<String, Session>,
    journal: Journal,
    faults: Faults,
    state: Mutex<StoreState>,
}

#[derive(Default)]
struct StoreState {
    values: BTreeMap<String, String>,
    /// The cache of each session token: values, and when they were fetched.
    fetched: BTreeMap<(String, SecretRequest), (String, Instant)>,
}

impl Secrets {
    /// Serves on `listener`, on the current tokio runtime, until the returned server is dropped.
    ///
    /// # Errors
    /// When the listener has no address, or there is no current tokio runtime.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Server> {
        let Options { values, sessions } = options;
        let state = Mutex::new(StoreState { values, ..StoreState::default() });
        let secrets = Self(Arc::new(SecretsInner { sessions, journal, faults, state }));
        let router = Router::new().fallback(respond).with_state(secrets.clone());
        let serving = Serving::router(listener, router)?;
        Ok(Server { secrets, serving })
    }

    /// Sets a value in both stores, as the rotation of a secret does. Cached values stay.
    pub fn put(&self, name: impl Into<String>, value: impl Into<String>) {
        self.state().values.insert(name.into(), value.into());
    }

    fn state(&self) -> MutexGuard<'_, StoreState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that the function gets: the cached one, or the one in the store now.
    fn value(&self, token: &str, request: &SecretRequest) -> Option<String> {
        let mut state = self.state();
        let ttl = self.0.sessions.get(token).map(|session| session.ttl(request.store));
        let key = (token.to_owned(), request.clone());
        if let (Some(ttl), Some((value, at))) = (ttl, state.fetched.get(&key))
            && at.elapsed() < ttl
        {
            return Some(value.clone());
        }
        let value = state.values.get(request.plain_name())?.clone();
        state.fetched.insert(key, (value.clone(), Instant::now()));
        Some(value)
    }
}

impl Server {
    /// Stops the extension before it is dropped. Once it returns, nobody gets a secret any more.
    pub async fn stop(&self) {
        self.serving.close().await;
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.serving.address().port()
    }
}

impl std::ops::Deref for Server {
    type Target = Secrets;

    fn deref(&self) -> &Secrets {
        &self.secrets
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.values.keys().collect();
        f.debug_struct("Options").field("names", &names).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.state().values.keys().cloned().collect();
        f.debug_struct("Secrets").field("names", &names).finish_non_exhaustive()
    }
}

async fn respond(
    State(secrets): State<Secrets>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if method != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "the extension answers GET alone");
    }
    let request = match SecretRequest::read(uri.path(), uri.query().unwrap_or_default()) {
        Ok(request) => request,
        Err(wrong) => return text(StatusCode::BAD_REQUEST, &wrong),
    };
    let token = headers.get(TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default();
    if token.is_empty() {
        let wrong = "the header X-Aws-Parameters-Secrets-Token must hold AWS_SESSION_TOKEN";
        return text(StatusCode::UNAUTHORIZED, wrong);
    }
    let function = secrets.0.sessions.get(token).map(|session| session.function.clone());
    let detail = ExchangeDetail::Secret {
        function: function.clone(),
        operation: request.operation().into(),
        name: request.plain_name().into(),
    };
    let name = request.exchange_name();
    let cause = secrets.0.journal.callers().cause_of(None, function.as_deref());
    let exchange = with_cause(cause, || secrets.0.journal.begin(name.as_str(), detail));
    let call = FaultableCall { function: function.as_deref(), ..FaultableCall::named(&name) };
    if let Some(Fault { failure, .. }) = secrets.0.faults.next_fault(&call) {
        exchange.injected(&failure);
        secrets.0.faults.crash_if_requested(&failure, Cut::Before).await;
        if !failure.delay().is_zero() {
            tokio::time::sleep(failure.delay()).await;
        }
        if matches!(failure.cut, Some(Cut::Before | Cut::After)) {
            drop(exchange);
            return cut();
        }
        if let Some((status, code)) = request::failure(&failure) {
            return refused(exchange, status, &code);
        }
    }
    match secrets.value(token, &request) {
        Some(value) => {
            exchange.end(Outcome::status(200, Value::Null));
            let mut response = Response::new(Body::from(request.response(&value).to_string()));
            let json = axum::http::HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        None => refused(exchange, 400, request.not_found()),
    }
}

fn refused(exchange: PendingExchange, status: u16, code: &str) -> Response<Body> {
    exchange.end(Outcome::status(status, Value::Null).with_error(code));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    text(status, FAILED)
}

/// A response whose connection is cut before its body ends.
fn cut() -> Response<Body> {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    Response::new(Body::from_stream(futures::stream::once(async { Err::<String, _>(error) })))
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    response
}
