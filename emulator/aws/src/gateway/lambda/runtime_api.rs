//! The Lambda Runtime API for one process.
//!
//! AWS documents it as four calls: `invocation/next`, `invocation/ID/response`,
//! `invocation/ID/error` and `init/error`, under `/2018-06-01/runtime/`.

use std::{
    convert::Infallible,
    io,
    sync::{Arc, Weak},
    time::UNIX_EPOCH,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use super::{
    MAX_PAYLOAD_BYTES,
    pool::PoolInner,
    process::{Event, Process},
};
use crate::gateway::{
    event::{ACCOUNT, REGION},
    invoke::InvokeError,
};
use rehearse_core::serve::Serving;

type RuntimeResponse = Response<Full<Bytes>>;

/// Serves a process on its own listener.
pub(super) fn serve(
    listener: TcpListener,
    pool: &Arc<PoolInner>,
    process: &Arc<Process>,
) -> io::Result<Serving> {
    let endpoint = RuntimeApi { pool: Arc::downgrade(pool), process: Arc::clone(process) };
    let endpoint = Arc::new(endpoint);
    let runtime = Handle::try_current().map_err(io::Error::other)?;
    Serving::start(listener, &runtime, move |stream, _| {
        let endpoint = Arc::clone(&endpoint);
        async move {
            let service = service_fn(|request| {
                let endpoint = Arc::clone(&endpoint);
                async move { Ok::<_, Infallible>(endpoint.handle(request).await) }
            });
            // A process that hangs up is no error of the endpoint; the pool hears of it otherwise.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    })
}

struct RuntimeApi {
    pool: Weak<PoolInner>,
    process: Arc<Process>,
}

impl RuntimeApi {
    async fn handle(&self, request: Request<Incoming>) -> RuntimeResponse {
        let path = request.uri().path().to_owned();
        let call = path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        let parts: Vec<&str> = call.split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.response(id, request).await,
            (&Method::POST, ["invocation", id, "error"]) => {
                let error = InvokeError::Failed(reported(request).await);
                self.answer(id, Err(error))
            }
            (&Method::POST, ["init", "error"]) => {
                self.process.cannot_start(reported(request).await);
                accepted()
            }
            _ => refused(StatusCode::NOT_FOUND, "InvalidPath", "the Runtime API has no such call"),
        }
    }

    /// Waits for an event, for as long as it takes.
    async fn next(&self) -> RuntimeResponse {
        let (event_sender, event) = oneshot::channel();
        self.process.polled();
        match self.pool.upgrade() {
            Some(pool) => pool.polled(&self.process, event_sender),
            None => drop(event_sender),
        }
        match event.await {
            Ok(event) => given(&self.pool, event),
            Err(_) => refused(StatusCode::GONE, "Runtime.Stopped", "there is no further event"),
        }
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> RuntimeResponse {
        match read(request).await {
            Ok(Some(body)) => self.answer(id, Ok(body)),
            Ok(None) => {
                let what = "answer";
                let error = InvokeError::TooLarge { what, limit: MAX_PAYLOAD_BYTES };
                let message = error.to_string();
                self.answer(id, Err(error));
                refused(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
            }
            // It broke off within its answer; what becomes of the event is the pool's to find out.
            Err(_) => refused(StatusCode::BAD_REQUEST, "InvalidRequest", "the body broke off"),
        }
    }

    fn answer(&self, id: &str, answer: Result<Bytes, InvokeError>) -> RuntimeResponse {
        let Some(pool) = self.pool.upgrade() else {
            return refused(StatusCode::GONE, "Runtime.Stopped", "the function is being stopped");
        };
        if pool.answered(&self.process, id, answer) {
            return accepted();
        }
        let message = format!("request {id} is not under way: it was answered or ended before");
        pool.remark(&message, id);
        refused(StatusCode::BAD_REQUEST, "InvalidRequestID", &message)
    }
}

fn given(pool: &Weak<PoolInner>, event: Event) -> RuntimeResponse {
    let function = pool.upgrade().map(|pool| pool.lambda.name.clone()).unwrap_or_default();
    let deadline = event.deadline.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let mut response = Response::new(Full::new(event.body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"),
        ),
        ("lambda-runtime-trace-id", event.trace_id),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

/// The body, or nothing when it has more bytes than Lambda takes; the rest is read and dropped,
/// so that a process which writes before it reads hears of it.
async fn read(request: Request<Incoming>) -> Result<Option<Bytes>, hyper::Error> {
    let mut body = request.into_body();
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        total += data.len();
        if total <= MAX_PAYLOAD_BYTES {
            bytes.extend_from_slice(&data);
        }
    }
    Ok((total <= MAX_PAYLOAD_BYTES).then(|| bytes.freeze()))
}

/// What a runtime says went wrong: `Error: no such table`.
async fn reported(request: Request<Incoming>) -> String {
    let header = request.headers().get("lambda-runtime-function-error-type").cloned();
    let header = header.and_then(|value| value.to_str().map(str::to_owned).ok());
    let body = read(request).await.ok().flatten().unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let member = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = member("errorType").or(header);
    match (kind, member("errorMessage")) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (None, Some(only)) | (Some(only), None) => only,
        (None, None) => "it does not say why".into(),
    }
}

fn accepted() -> RuntimeResponse {
    answer(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn refused(status: StatusCode, kind: &str, message: &str) -> RuntimeResponse {
    answer(status, &json!({ "errorType": kind, "errorMessage": message }))
}

fn answer(status: StatusCode, body: &Value) -> RuntimeResponse {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
