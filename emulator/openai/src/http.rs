//! HTTP: routes, API keys, bodies, headers, and the entries in the journal.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{
    error::ApiError,
    ids,
    respond::{Endpoint, PreparedResponse, ResponseAction, prepare},
    script::StreamPace,
    sending::{self, Pieces},
    state::ServerState,
};
use rehearse_core::{
    faults::Cut,
    journal::{ExchangeDetail, Outcome, callers, caused_by},
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
    let path = request.uri().path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let get = request.method() == Method::GET;
    let post = request.method() == Method::POST;
    match path {
        "/v1/responses" if post => generate(server, Endpoint::Responses, request).await,
        "/v1/chat/completions" if post => generate(server, Endpoint::Chat, request).await,
        "/v1/models" if get => Ok(models(server, request.headers(), None)),
        "/v1/responses" | "/v1/chat/completions" | "/v1/models" => {
            let method = request.method();
            let error = ApiError::invalid(format!("Not allowed to {method} on {path}."));
            Ok(error_response(&error.status(405).code("method_not_supported")))
        }
        _ => match path.strip_prefix("/v1/models/") {
            Some(id) if get => Ok(models(server, request.headers(), Some(id))),
            _ => {
                let method = request.method();
                let error = if is_not_reproduced(path) {
                    ApiError::ours(format!("{method} {path} is not reproduced"))
                } else {
                    ApiError::invalid(format!("Invalid URL ({method} {path})"))
                };
                Ok(error_response(&error.status(404)))
            }
        },
    }
}

/// A request to the model.
async fn generate(
    server: &Arc<ServerState>,
    endpoint: Endpoint,
    request: Request<Incoming>,
) -> Result<Response<Body>, ConnectionClosed> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("Request body too large. The limit is {MAX_BODY} bytes.");
            return Ok(error_response(&ApiError::invalid(message).status(413)));
        }
        // The client closed the connection while it sent.
        Err(_) => return Err(ConnectionClosed),
    };
    let request = serde_json::from_slice::<Value>(&body);
    let refusal =
        check_api_key(server, &parts.headers).and_then(|()| check_type(&parts.headers)).err();
    let mut fault = None;
    let prepared = match (refusal, &request) {
        (Some(error), _) => error.into(),
        (None, Err(_)) => ApiError::not_json().into(),
        (None, Ok(request)) => {
            fault = server.faults.next_failure(endpoint.name());
            prepare(server, endpoint, request, &body, fault.as_ref())
        }
    };
    let PreparedResponse { script, delay, pace, action } = prepared;
    // The request is moved into the journal, never copied.
    let exchange = ExchangeDetail::Model { request: request.unwrap_or(Value::Null), script };
    let pending = server.journal.begin(endpoint.name(), exchange);
    if let Some(fault) = &fault {
        pending.injected(fault);
    }
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let (response, outcome, body) = response_of(action, pace, server.options.pace);
    pending.end_with(outcome, body);
    if let Some(fault) = &fault {
        for here in [Cut::Before, Cut::After] {
            server.faults.crash_if_requested(fault, here).await;
        }
    }
    response
}

/// The response of an action, with its outcome and the body for the journal.
fn response_of(
    action: ResponseAction,
    pace: StreamPace,
    between: Option<Duration>,
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
                Some(events) => event_stream(sending::events(events, pace, between, None)),
            };
            (Ok(response), outcome(200), body)
        }
        ResponseAction::Truncate(body, events, cut) => {
            let response = match events {
                Some(events) => event_stream(sending::events(events, pace, between, Some(cut))),
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

fn check_api_key(server: &ServerState, headers: &HeaderMap) -> Result<(), ApiError> {
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

fn models(server: &ServerState, headers: &HeaderMap, id: Option<&str>) -> Response<Body> {
    if let Err(error) = check_api_key(server, headers) {
        return error_response(&error);
    }
    let model = |id: &str| json!({ "id": id, "object": "model", "created": 1_767_225_600, "owned_by": "openai" });
    match id {
        None => {
            let all: Vec<Value> = server.options.models.iter().map(|id| model(id)).collect();
            value_response(200, &json!({ "object": "list", "data": all }))
        }
        Some(id) if server.options.has_model(id) => value_response(200, &model(id)),
        Some(id) => error_response(
            &ApiError::invalid(format!("The model '{id}' does not exist"))
                .status(404)
                .param("model")
                .code("model_not_found"),
        ),
    }
}

fn error_response(error: &ApiError) -> Response<Body> {
    let mut response = value_response(error.status, &error.body());
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn value_response(status: u16, body: &Value) -> Response<Body> {
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
