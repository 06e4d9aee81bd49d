//! HTTP: routes, API keys, bodies, headers, and the entries in the journal.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use super::{
    azure::{self, Target},
    conversations::ConversationLock,
    error::ApiError,
    ids,
    model_list::models,
    operation::Operation,
    respond::{
        Endpoint, PreparedResponse, ResponseAction, prepare, prepare_operation, record_refusal,
    },
    script::StreamPace,
    sending::{self, Pieces},
    state::ServerState,
};
use rehearse_core::{
    faults::{Cut, Failure},
    journal::{ExchangeDetail, Outcome, PendingExchange, callers, caused_by},
};

/// Largest request body that is read, in bytes.
const MAX_BODY: usize = 16 << 20;

pub(super) type Body = Either<Full<Bytes>, Pieces>;

/// The connection is closed without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut as the script asks")]
pub(super) struct ConnectionClosed;

/// Handles one request.
///
/// # Errors
/// A script or fault closes the connection, or the client did before it sent the whole request.
pub(super) async fn handle(
    server: Arc<ServerState>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, ConnectionClosed> {
    let started = Instant::now();
    let count = server.count_request();
    let cause = callers::take_caller(request.uri_mut(), server.journal.callers());
    let mut response = caused_by(cause, route(&server, request)).await?;
    let headers = response.headers_mut();
    let fixed = [
        ("openai-version", "2020-10-01"),
        ("openai-organization", "org-rehearse"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-reset-requests", "6ms"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let exhausted = response.status() == StatusCode::TOO_MANY_REQUESTS;
    let (requests, tokens) = if exhausted { ("0", "0") } else { ("9999", "1999000") };
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-remaining-requests", HeaderValue::from_static(requests));
    headers.insert("x-ratelimit-remaining-tokens", HeaderValue::from_static(tokens));
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    headers.insert("openai-processing-ms", took.into());
    if let Ok(id) = HeaderValue::from_str(&ids::request(count)) {
        headers.insert("x-request-id", id);
    }
    Ok(response)
}

/// A request as it came.
struct Received {
    headers: HeaderMap,
    body: Bytes,
    target: Target,
}

/// Whether the provider has this path and the fake does not.
fn is_not_reproduced(path: &str) -> bool {
    const FAMILIES: [&str; 16] = [
        "responses",
        "chat",
        "completions",
        "conversations",
        "embeddings",
        "moderations",
        "files",
        "uploads",
        "batches",
        "images",
        "audio",
        "videos",
        "realtime",
        "vector_stores",
        "fine_tuning",
        "assistants",
    ];
    let family = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    family.is_some_and(|family| FAMILIES.contains(&family))
}

async fn route(
    server: &Arc<ServerState>,
    request: Request<Incoming>,
) -> Result<Response<Body>, ConnectionClosed> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let path = uri.path();
    let target = match azure::target(path.strip_suffix('/').unwrap_or(path), uri.query()) {
        Ok(target) => target,
        Err(error) => {
            record_refusal(server, &error);
            return Ok(error_response(&error));
        }
    };
    let (get, post) = (method == Method::GET, method == Method::POST);
    match target.path.as_str() {
        "/v1/responses" if post => generate(server, Endpoint::Responses, request, target).await,
        "/v1/chat/completions" if post => generate(server, Endpoint::Chat, request, target).await,
        "/v1/models" if get => Ok(models(server, request.headers(), target.azure, None)),
        path if let Some(operation) = Operation::of(method.as_str(), path) => {
            operate(server, &operation, request, target).await
        }
        path @ ("/v1/responses"
        | "/v1/chat/completions"
        | "/v1/models"
        | "/v1/embeddings"
        | "/v1/moderations"
        | "/v1/conversations") => {
            let error = ApiError::invalid(format!("Not allowed to {method} on {path}."));
            Ok(error_response(&error.status(405).code("method_not_supported")))
        }
        path => match path.strip_prefix("/v1/models/") {
            Some(id) if get => Ok(models(server, request.headers(), target.azure, Some(id))),
            _ => {
                let error = if is_not_reproduced(path) {
                    ApiError::ours(format!("{method} {path} is not reproduced"))
                } else {
                    ApiError::invalid(format!("Invalid URL ({method} {path})"))
                };
                note_not_reproduced(server, &method, path);
                Ok(error_response(&error.status(404)))
            }
        },
    }
}

/// Records a request that the fake has no answer to, with what to do about it.
fn note_not_reproduced(server: &ServerState, method: &Method, path: &str) {
    let family = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    let message = match family.filter(|_| is_not_reproduced(path)) {
        Some(_) => format!(
            "rehearse does not reproduce {method} {path} of OpenAI: give the client that calls it the URL of a \
             stand-in of yours, or let the backend do without it there (docs/openai.md says what there is)"
        ),
        None => {
            let advice = match path.starts_with("/v1/") {
                true => "look the path up",
                false => "a base URL ends with /v1, as OPENAI_BASE_URL does",
            };
            format!("OpenAI has no {method} {path}: {advice}")
        }
    };
    tracing::warn!("{message}");
    let (method, path) = (method.to_string(), path.to_owned());
    let detail = ExchangeDetail::OpenAi { method, path, request: Value::Null };
    let outcome = Outcome::status(404, Value::String(message));
    server.journal.begin("openai.unknown", detail).end(outcome.with_error(Outcome::NOT_REPRODUCED));
}

/// Why a request could not be read.
enum Unread {
    TooLarge,
    /// The client closed the connection while it sent.
    Closed,
}

impl Unread {
    fn answer(self) -> Result<Response<Body>, ConnectionClosed> {
        let Self::TooLarge = self else { return Err(ConnectionClosed) };
        let message = format!("Request body too large. The limit is {MAX_BODY} bytes.");
        Ok(error_response(&ApiError::invalid(message).status(413)))
    }
}

/// Reads the whole request.
async fn receive(request: Request<Incoming>, target: Target) -> Result<Received, Unread> {
    let (parts, body) = request.into_parts();
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Ok(Received { headers: parts.headers, body: body.to_bytes(), target }),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Closed),
    }
}

/// A request to the model.
async fn generate(
    server: &Arc<ServerState>,
    endpoint: Endpoint,
    request: Request<Incoming>,
    target: Target,
) -> Result<Response<Body>, ConnectionClosed> {
    let received = match receive(request, target).await {
        Ok(received) => received,
        Err(unread) => return unread.answer(),
    };
    let mut request = serde_json::from_slice::<Value>(&received.body);
    let refusal = check_api_key(server, &received.headers, received.target.azure)
        .and_then(|()| check_type(&received.headers))
        .and_then(|()| deploy(server, &received.target, request.as_mut().ok()))
        .err();
    let (mut fault, mut pending) = (None, None);
    let prepared = match (refusal, &request) {
        (Some(error), _) => error.into(),
        (None, Err(_)) => ApiError::not_json().into(),
        (None, Ok(request)) => {
            fault = server.faults.next_failure(endpoint.name());
            // What may be held is in the journal meanwhile, where its client can hang up.
            if server.holding.is_on() {
                let exchange = ExchangeDetail::Model { request: request.clone(), script: None };
                pending = Some(server.journal.begin(endpoint.name(), exchange));
            }
            let exchange = pending.as_ref().map(PendingExchange::cause);
            prepare(server, endpoint, request, &received.body, fault.as_ref(), exchange).await
        }
    };
    if let Some(pending) = pending {
        if let Some(script) = &prepared.script {
            pending.answered_by(script);
        }
        return end(server, pending, prepared, fault.as_ref()).await;
    }
    // The request is moved into the journal, never copied.
    let request = request.unwrap_or(Value::Null);
    let script = prepared.script.clone();
    let exchange = ExchangeDetail::Model { request, script };
    answer(server, endpoint.name(), exchange, prepared, fault.as_ref()).await
}

/// A request that asks no model.
async fn operate(
    server: &Arc<ServerState>,
    operation: &Operation,
    request: Request<Incoming>,
    target: Target,
) -> Result<Response<Body>, ConnectionClosed> {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let received = match receive(request, target).await {
        Ok(received) => received,
        Err(unread) => return unread.answer(),
    };
    let is_bare = received.body.is_empty() && !operation.needs_body();
    let mut request =
        if is_bare { Ok(Value::Null) } else { serde_json::from_slice::<Value>(&received.body) };
    let refusal = check_api_key(server, &received.headers, received.target.azure)
        .and_then(|()| if is_bare { Ok(()) } else { check_type(&received.headers) })
        .and_then(|()| deploy(server, &received.target, request.as_mut().ok()))
        .err();
    let mut fault = None;
    let prepared = match (refusal, &request) {
        (Some(error), _) => error.into(),
        (None, Ok(request)) if is_bare || request.is_object() => {
            fault = server.faults.next_failure(operation.name());
            let body = &received.body;
            prepare_operation(server, operation, &uri, request, body, fault.as_ref())
        }
        (None, _) => ApiError::not_json().into(),
    };
    let path = uri.path_and_query().map_or(uri.path(), |p| p.as_str()).to_owned();
    let request = request.unwrap_or(Value::Null);
    let exchange = ExchangeDetail::OpenAi { method, path, request };
    answer(server, operation.name(), exchange, prepared, fault.as_ref()).await
}

/// Makes the deployment in an Azure URL the model of the request.
fn deploy(
    server: &ServerState,
    target: &Target,
    request: Option<&mut Value>,
) -> Result<(), ApiError> {
    match (&target.deployment, request) {
        (Some(deployment), Some(request)) => azure::deploy(deployment, request, &server.options)
            .inspect_err(|error| {
                record_refusal(server, error);
            }),
        _ => Ok(()),
    }
}

/// Records an exchange and sends its answer.
async fn answer(
    server: &Arc<ServerState>,
    name: &str,
    exchange: ExchangeDetail,
    prepared: PreparedResponse,
    fault: Option<&Failure>,
) -> Result<Response<Body>, ConnectionClosed> {
    end(server, server.journal.begin(name, exchange), prepared, fault).await
}

/// Sends the answer of an exchange that has begun.
async fn end(
    server: &Arc<ServerState>,
    pending: PendingExchange,
    prepared: PreparedResponse,
    fault: Option<&Failure>,
) -> Result<Response<Body>, ConnectionClosed> {
    let PreparedResponse { script: _, delay, pace, action, lock } = prepared;
    if let Some(fault) = fault {
        pending.injected(fault);
    }
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let (response, outcome, body) = response_of(action, pace, server.options.pace, lock);
    pending.end_with(outcome, body);
    if let Some(fault) = fault {
        for here in [Cut::Before, Cut::After] {
            server.faults.crash_if_requested(fault, here).await;
        }
    }
    response
}

/// The response of an action, with its outcome and the body for the journal. A stream has the lock until its
/// last piece.
fn response_of(
    action: ResponseAction,
    pace: StreamPace,
    between: Option<Duration>,
    lock: Option<ConversationLock>,
) -> (Result<Response<Body>, ConnectionClosed>, Outcome, Bytes) {
    let outcome = |status| Outcome::status(status, Value::Null);
    match action {
        ResponseAction::Error(error) => {
            let code = error.code.clone().unwrap_or_else(|| error.kind.into());
            let body = error.body().to_string().into();
            (Ok(error_response(&error)), outcome(error.status).with_error(code), body)
        }
        ResponseAction::Complete(body, events) => {
            let response = match events {
                None => json_response(200, body.clone()),
                Some(events) => event_stream(sending::events(events, pace, between, None, lock)),
            };
            (Ok(response), outcome(200), body)
        }
        ResponseAction::Truncate(body, events, cut) => {
            let response = match events {
                Some(events) => {
                    event_stream(sending::events(events, pace, between, Some(cut), lock))
                }
                None => response(200, "application/json", Either::Right(sending::half(&body, cut))),
            };
            (Ok(response), outcome(200).with_error("cut"), body)
        }
        ResponseAction::Disconnect(body) => (Err(ConnectionClosed), Outcome::cut(), body),
        ResponseAction::SendMalformed => {
            let body = Bytes::from_static(b"{\"id\": \"resp_0\", \"object\": \"resp");
            (Ok(json_response(200, body)), outcome(200).with_error("malformed"), Bytes::new())
        }
    }
}

/// Checks the key. Azure's stands in a header of its own, or in that of OpenAI.
pub(super) fn check_api_key(
    server: &ServerState,
    headers: &HeaderMap,
    azure: bool,
) -> Result<(), ApiError> {
    if azure {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
        let key = text(header::HeaderName::from_static("api-key")).or(bearer);
        let right = key.is_some_and(|key| key.trim() == server.options.api_key);
        return if right { Ok(()) } else { Err(azure::access_denied()) };
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    match given.and_then(|v| v.strip_prefix("Bearer ")).map(str::trim) {
        None | Some("") => Err(ApiError::no_key()),
        Some(key) if key == server.options.api_key => Ok(()),
        Some(key) => Err(ApiError::wrong_key(key)),
    }
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Unsupported content type: '{essence}'. This API method only accepts 'application/json' requests, but you specified the header 'Content-Type: {given}'. Please try again after setting the 'Content-Type' header to 'application/json'."
    ))
    .code("unsupported_content_type"))
}

pub(super) fn error_response(error: &ApiError) -> Response<Body> {
    let mut response = value_response(error.status, &error.body());
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

pub(super) fn value_response(status: u16, body: &Value) -> Response<Body> {
    json_response(status, serde_json::to_vec(body).unwrap_or_default().into())
}

fn json_response(status: u16, body: Bytes) -> Response<Body> {
    response(status, "application/json", Either::Left(Full::new(body)))
}

fn event_stream(pieces: Pieces) -> Response<Body> {
    response(200, "text/event-stream; charset=utf-8", Either::Right(pieces))
}

fn response(status: u16, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
