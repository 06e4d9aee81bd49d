//! The Lambda Runtime API for one process, as HTTP.
//!
//! AWS documents four calls under `/2018-06-01/runtime/`: `invocation/next`,
//! `invocation/ID/response`, `invocation/ID/error` and `init/error`. Each process has a port of its
//! own, so the protocol needs no word for which process a call is from. What the calls do is for
//! [`RuntimeCalls`] to say.

use std::{convert::Infallible, io, sync::Arc, time::SystemTime};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use super::MAX_PAYLOAD_BYTES;
use crate::gateway::invoke::InvokeError;
use rehearse_core::serve::Serving;

type RuntimeResponse = Response<Full<Bytes>>;

/// One event for a process.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: Arc<str>,
    pub(super) trace_id: String,
    /// `None` if the function's name cannot stand in a header.
    pub(super) function_arn: Option<HeaderValue>,
    pub(super) body: Bytes,
    /// When the process will be killed.
    pub(super) deadline: SystemTime,
}

/// What the calls of one process do.
pub(super) trait RuntimeCalls: Send + Sync + 'static {
    /// The process asks for its next event. It waits for as long as the receiver is open.
    fn next(&self) -> oneshot::Receiver<Event>;

    /// The process reports what came of an event.
    ///
    /// # Errors
    /// When the report is not accepted.
    fn complete(
        &self,
        request_id: &str,
        result: Result<Bytes, InvokeError>,
    ) -> Result<(), Rejected>;

    /// The process says why it cannot start.
    fn init_error(&self, message: String);
}

/// Why a report is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rejected {
    /// The process works on no such event.
    UnknownRequest(String),
    /// The function is being stopped.
    Stopped,
}

/// Serves one process on its own listener, on the current runtime.
pub(super) fn serve(listener: TcpListener, calls: impl RuntimeCalls) -> io::Result<Serving> {
    let calls = Arc::new(calls);
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    Serving::start(listener, &runtime, move |stream, _| {
        let calls = Arc::clone(&calls);
        async move {
            let service = service_fn(|request| {
                let response = respond(&*calls, request);
                async move { Ok::<_, Infallible>(response.await) }
            });
            // A process that hangs up is no error here: the pool finds out by itself.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    })
}

async fn respond(calls: &impl RuntimeCalls, request: Request<Incoming>) -> RuntimeResponse {
    let (parts, body) = request.into_parts();
    let call = parts.uri.path().strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
    let mut segments = call.split('/');
    let call = [segments.next(), segments.next(), segments.next(), segments.next()];
    match (&parts.method, call) {
        (&Method::GET, [Some("invocation"), Some("next"), None, _]) => match calls.next().await {
            Ok(event) => event_response(event),
            Err(_) => refused(StatusCode::GONE, "Runtime.Stopped", "there is no further event"),
        },
        (&Method::POST, [Some("invocation"), Some(id), Some("response"), None]) => {
            match read(body).await {
                Ok(Some(body)) => complete(calls, id, Ok(body)),
                Ok(None) => {
                    let what = "answer";
                    let error = InvokeError::TooLarge { what, limit: MAX_PAYLOAD_BYTES };
                    let message = error.to_string();
                    complete(calls, id, Err(error));
                    refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
                }
                // The process broke off within its report; the pool finds out what became of it.
                Err(_) => refused(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off"),
            }
        }
        (&Method::POST, [Some("invocation"), Some(id), Some("error"), None]) => {
            let error = InvokeError::Failed(reported_error(&parts.headers, body).await);
            complete(calls, id, Err(error))
        }
        (&Method::POST, [Some("init"), Some("error"), None, _]) => {
            calls.init_error(reported_error(&parts.headers, body).await);
            accepted()
        }
        _ => refused(StatusCode::NOT_FOUND, "InvalidPath", "the Runtime API has no such call"),
    }
}

fn complete(
    calls: &impl RuntimeCalls,
    id: &str,
    result: Result<Bytes, InvokeError>,
) -> RuntimeResponse {
    match calls.complete(id, result) {
        Ok(()) => accepted(),
        Err(Rejected::UnknownRequest(message)) => {
            refused(StatusCode::BAD_REQUEST, "InvalidRequestID", &message)
        }
        Err(Rejected::Stopped) => {
            refused(StatusCode::GONE, "Runtime.Stopped", "the function is being stopped")
        }
    }
}

fn event_response(event: Event) -> RuntimeResponse {
    let deadline = event.deadline.duration_since(SystemTime::UNIX_EPOCH);
    let deadline = u64::try_from(deadline.map_or(0, |d| d.as_millis())).unwrap_or(u64::MAX);
    let mut response = Response::new(Full::new(event.body));
    let headers = response.headers_mut();
    headers.reserve(5);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline));
    if let Some(arn) = event.function_arn {
        headers.insert("lambda-runtime-invoked-function-arn", arn);
    }
    if let Ok(id) = HeaderValue::from_str(&event.request_id) {
        headers.insert("lambda-runtime-aws-request-id", id);
    }
    if let Ok(id) = HeaderValue::try_from(event.trace_id) {
        headers.insert("lambda-runtime-trace-id", id);
    }
    response
}

/// Reads a body; `None` when it has more bytes than Lambda takes. The rest of such a body is read
/// and dropped, so that a process which writes before it reads sees the response.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if total == 0 && body.is_end_stream() && data.len() <= MAX_PAYLOAD_BYTES {
            // All in one piece, as most are.
            return Ok(Some(data));
        }
        total += data.len();
        if total <= MAX_PAYLOAD_BYTES {
            bytes.extend_from_slice(&data);
        }
    }
    Ok((total <= MAX_PAYLOAD_BYTES).then(|| bytes.freeze()))
}

/// The error that a process reports: `Error: no such table`.
async fn reported_error(headers: &http::HeaderMap, body: Incoming) -> String {
    let header = headers.get("lambda-runtime-function-error-type");
    let header = header.and_then(|value| value.to_str().map(str::to_owned).ok());
    let body = read(body).await.ok().flatten().unwrap_or_default();
    error_text(header, &body)
}

/// The error of a report's body, with the type of its header where the body names none.
pub(crate) fn error_text(header: Option<String>, body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = member("errorType").or(header);
    match (kind, member("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(only)) | (Some(only), None) => only,
        (None, None) => "it does not say why".into(),
    }
}

fn accepted() -> RuntimeResponse {
    json_response(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#))
}

fn refused(status: StatusCode, kind: &str, message: &str) -> RuntimeResponse {
    let body = json!({ "errorType": kind, "errorMessage": message });
    json_response(status, Bytes::from(body.to_string()))
}

fn json_response(status: StatusCode, body: Bytes) -> RuntimeResponse {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
