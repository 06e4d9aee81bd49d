//! Serves the extension of one world.

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
    faults::{Cut, Faults},
    journal::{ExchangeDetail, Journal, Outcome, PendingExchange},
    serve::Serving,
};

/// Shows that the caller is inside the function.
const TOKEN: &str = "x-aws-parameters-secrets-token";
/// What the extension says of every failure of a store.
const FAILED: &str = "an unexpected error occurred while executing request";

/// What the extension is to know.
#[derive(Clone, Default)]
pub struct Options {
    /// Values by name, of both stores.
    pub values: BTreeMap<String, String>,
    /// Functions by the session tokens that they show.
    pub sessions: BTreeMap<String, Session>,
}

/// A handle on the stores of one world. Clones share them.
#[derive(Clone)]
pub struct Secrets(Arc<SecretsInner>);

/// Keeps the extension serving; dropping it stops it.
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
    /// What the extension of each session token fetched, and when.
    fetched: BTreeMap<(String, SecretRequest), (String, Instant)>,
}

impl Secrets {
    /// Serves on `listener`, inside the current runtime, until the returned guard is dropped.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Server> {
        let Options { values, sessions } = options;
        let state = Mutex::new(StoreState { values, ..StoreState::default() });
        let secrets = Self(Arc::new(SecretsInner { sessions, journal, faults, state }));
        let router = Router::new().fallback(answer).with_state(secrets.clone());
        let serving = Serving::router(listener, router)?;
        Ok(Server { secrets, serving })
    }

    /// Puts a value into the stores, as an operator who rotates a secret does.
    pub fn put(&self, name: impl Into<String>, value: impl Into<String>) {
        self.state().values.insert(name.into(), value.into());
    }

    fn state(&self) -> MutexGuard<'_, StoreState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value that the function sees: what its extension kept, or what the store has now.
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
    /// Ends the extension before it is dropped: calls are refused from then on.
    pub fn stop(&self) {
        self.serving.stop();
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

async fn answer(
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
    let exchange = ExchangeDetail::Secret {
        function,
        operation: request.operation().into(),
        name: request.plain_name().into(),
    };
    let name = request.exchange_detail();
    let open = secrets.0.journal.begin(name.as_str(), exchange);
    if let Some(failure) = secrets.0.faults.next_failure(&name) {
        if !failure.delay().is_zero() {
            tokio::time::sleep(failure.delay()).await;
        }
        if matches!(failure.cut, Some(Cut::Before | Cut::After)) {
            drop(open);
            return cut();
        }
        if let Some((status, code)) = request::failure(&failure) {
            return refused(open, status, &code);
        }
    }
    match secrets.value(token, &request) {
        Some(value) => {
            open.end(Outcome::status(200, Value::Null));
            let mut answer = Response::new(Body::from(request.answer(&value).to_string()));
            let json = axum::http::HeaderValue::from_static("application/json");
            answer.headers_mut().insert(CONTENT_TYPE, json);
            answer
        }
        None => refused(open, 400, request.not_found()),
    }
}

fn refused(open: PendingExchange, status: u16, code: &str) -> Response<Body> {
    open.end(Outcome::status(status, Value::Null).with_error(code));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    text(status, FAILED)
}

/// An answer that ends before its body does.
fn cut() -> Response<Body> {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    Response::new(Body::from_stream(futures::stream::once(async { Err::<String, _>(error) })))
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(Body::from(text.to_owned()));
    *answer.status_mut() = status;
    answer
}
