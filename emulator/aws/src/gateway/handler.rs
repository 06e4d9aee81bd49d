//! The way of a request through the APIs: its route is found, its function run, its result read.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::FutureExt as _;
use http::{HeaderValue, Method, Response, header};
use serde_json::Value;
use tokio::{runtime::Handle as Runtime, sync::oneshot, task::JoinSet};
use tracing::Instrument as _;

use super::{
    cors,
    event::{self, EventContext, IdSource},
    gateway_error::GatewayError,
    invoke::{EventSource, Invocation, InvokeError, RunFunction},
    lambda::MAX_PAYLOAD_BYTES,
    request::{Request, text_or_base64},
    response,
    route::RouteMatch,
    running_invocations::RunningInvocations,
    stage::{Stage, StageMatch, Stages},
};
use crate::template::ApiKind;
use rehearse_core::{
    clock::Clock,
    faults::CrashKind,
    journal::{
        CAUSE_HEADER, Cause, ExchangeDetail, Journal, Outcome, PendingExchange, caused_by,
        with_cause,
    },
};

/// Methods that a route can have.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::OPTIONS,
    Method::HEAD,
    Method::PATCH,
];

/// How long the gateway waits, in real time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// For the head of a request.
    pub(super) head: Duration,
    /// For the body of a request.
    pub(super) body: Duration,
    /// For a function behind an HTTP API.
    pub(super) http: Duration,
    /// For a function behind a REST API.
    pub(super) rest: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(30), body: seconds(30), http: seconds(30), rest: seconds(29) }
    }
}

/// A function behind the APIs.
pub(super) struct GatewayFunction {
    /// Logical id.
    id: String,
    timeout: Duration,
    pub(super) code: Box<dyn RunFunction>,
    pub(super) running: RunningInvocations,
}

impl GatewayFunction {
    pub(super) fn new(id: String, timeout: Duration, code: impl RunFunction + 'static) -> Self {
        Self { id, timeout, code: Box::new(code), running: RunningInvocations::default() }
    }

    /// Runs it once, until it ends or a fault crashes it.
    async fn invoke(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let (_guard, crashed) = self.running.start();
        let work = self.code.invoke(invocation);
        tokio::select! {
            result = work => result,
            Ok(how) = crashed => Err(match how {
                CrashKind::Killed => InvokeError::Crashed,
                CrashKind::TimedOut => InvokeError::TimedOut(self.timeout),
            }),
        }
    }
}

/// The APIs, their functions, and what runs of them.
pub(super) struct Handler {
    pub(super) stages: Stages,
    functions: Vec<GatewayFunction>,
    journal: Journal,
    clock: Clock,
    ids: IdSource,
    pub(super) timeouts: Timeouts,
    /// Requests that go on without their client; `None` once stopped.
    detached: Mutex<Option<JoinSet<()>>>,
}

impl Handler {
    /// Routes know their functions by their positions in `functions`.
    pub(super) fn new(
        stages: Stages,
        functions: Vec<GatewayFunction>,
        journal: Journal,
        clock: Clock,
    ) -> Self {
        let (ids, timeouts) = (IdSource::new(), Timeouts::default());
        let detached = Mutex::new(Some(JoinSet::new()));
        Self { stages, functions, journal, clock, ids, timeouts, detached }
    }

    /// Answers a request. As on AWS, the function goes on when the client has gone away: dropping
    /// the future makes a task of what is left.
    pub(super) async fn handle(self: &Arc<Self>, request: Request) -> Response<Bytes> {
        let (reply, mut response) = oneshot::channel();
        let handler = Arc::clone(self);
        let work = AssertUnwindSafe(async move { handler.respond(request, reply).await });
        let work = Box::pin(work.catch_unwind().map(|_| ()));
        let mut work =
            DetachOnDrop { handler: self, runtime: Runtime::current(), work: Some(work) };
        std::future::poll_fn(|context| {
            if work.work.as_mut().is_some_and(|work| work.as_mut().poll(context).is_ready()) {
                work.work = None;
            }
            Pin::new(&mut response).poll(context).map(|response| {
                // There is none if the work panicked.
                response
                    .unwrap_or_else(|_| GatewayError::Failed.response(self.stages.kind("", "/")))
            })
        })
        .await
    }

    /// The response to something that is not a request, with the ids that every response has.
    pub(super) fn error_response(&self, kind: ApiKind, error: GatewayError) -> Response<Bytes> {
        with_ids(error.response(kind), kind, &self.ids.context(self.clock.now()))
    }

    /// The function with this logical id.
    pub(super) fn function(&self, id: &str) -> Option<&GatewayFunction> {
        self.functions.iter().find(|function| function.id == id)
    }

    /// Stops every invocation that goes on without its client, and every process; takes no more.
    pub(super) fn stop(&self) {
        drop(self.detached().take());
        self.functions.iter().for_each(|function| function.code.stop());
    }

    fn detached(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.detached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, mut request: Request, reply: oneshot::Sender<Response<Bytes>>) {
        // Before an event is made of the request.
        let cause = request.headers.remove(CAUSE_HEADER);
        let cause = cause.as_ref().and_then(|value| Cause::parse(value.to_str().ok()?));
        caused_by(cause, self.respond_to(request, reply)).await;
    }

    async fn respond_to(&self, request: Request, reply: oneshot::Sender<Response<Bytes>>) {
        let context = self.ids.context(self.clock.now());
        let matched = match self.stages.find(&request.host, &request.method, &request.path) {
            Ok(matched) => matched,
            Err((kind, error)) => {
                let exchange = self.begin_exchange(&request, None, None);
                let response = with_ids(error.response(kind), kind, &context);
                return finish(exchange, reply, response, None);
            }
        };
        let kind = matched.stage.api.kind;
        let with_ids = |response| with_ids(response, kind, &context);
        let failed = |error| with_ids(error_with_cors(&matched, &request, error));
        if let Some(response) = preflight(&matched, &request) {
            let exchange = self.begin_exchange(&request, None, None);
            return finish(exchange, reply, with_ids(response), None);
        }
        let route = matched.stage.routes.find(&request.method, matched.path());
        let function = route.as_ref().and_then(|route| self.functions.get(route.function()));
        let exchange = self.begin_exchange(&request, route.as_ref(), function);
        let (Some(route), Some(function)) = (route, function) else {
            let is_known = METHODS.contains(&request.method);
            let error = if is_known { GatewayError::NoRoute } else { GatewayError::NoMethod };
            return finish(exchange, reply, failed(error), None);
        };
        if !route.admit(Instant::now()) {
            return finish(exchange, reply, failed(GatewayError::Throttled), Some("throttled"));
        }
        let request_id: Arc<str> = context.invocation_id.as_str().into();
        let invocation = Invocation {
            request_id: Arc::clone(&request_id),
            trace_id: context.trace_id.clone(),
            event: event::build(&request, &matched, &route, &context),
            timeout: function.timeout,
            time: self.clock.elapsed().clone(),
            source: EventSource::Api,
            cause: exchange.cause(),
            caused_by: exchange.caused_by(),
        };
        if invocation.event.len() > MAX_PAYLOAD_BYTES {
            let size = invocation.event.len();
            let line = format!("the event is {size} bytes; Lambda takes {MAX_PAYLOAD_BYTES}");
            self.log(function, &request_id, line);
            let response = failed(GatewayError::EventTooLarge);
            return finish(exchange, reply, response, Some("payload_too_large"));
        }
        let timeout = route.timeout().unwrap_or(match kind {
            ApiKind::Http => self.timeouts.http,
            ApiKind::Rest => self.timeouts.rest,
        });
        let cause = Some(exchange.cause());
        let log = |line| with_cause(cause, || self.log(function, &request_id, line));
        let work = function.invoke(invocation).instrument(exchange.span().clone());
        let mut work = std::pin::pin!(caused_by(cause, work));
        let Some(result) = self.clock.elapsed().timeout(timeout, &mut work).await else {
            let response = failed(GatewayError::TooLong);
            finish(exchange, reply, response, Some("integration_timeout"));
            // The function runs on to its own timeout; its result is discarded.
            if let Err(error) = work.await {
                log(error.to_string());
            }
            return;
        };
        let response = result.map_err(|error| {
            log(error.to_string());
            (GatewayError::from_invoke_error(&error), error.code())
        });
        let response = response.and_then(|result| {
            read_result(&matched, &request, &route, &result).map_err(|(line, code)| {
                log(line);
                (GatewayError::Unreadable, code)
            })
        });
        match response {
            Ok(response) => finish(exchange, reply, with_ids(response), None),
            Err((error, code)) => finish(exchange, reply, failed(error), Some(code)),
        }
    }

    /// Runs a function once with an event that no API brought, until it ends or a fault crashes it.
    pub(super) async fn invoke(
        &self,
        function: &str,
        request_id: Arc<str>,
        event: String,
        exchange: &PendingExchange,
    ) -> Result<Value, InvokeError> {
        let (cause, caused_by) = (exchange.cause(), exchange.caused_by());
        let unknown = || InvokeError::Failed(format!("the world has no function {function}"));
        let function = self.function(function).ok_or_else(unknown)?;
        let invocation = Invocation {
            cause,
            caused_by,
            request_id: Arc::clone(&request_id),
            trace_id: self.ids.context(self.clock.now()).trace_id,
            event,
            timeout: function.timeout,
            time: self.clock.elapsed().clone(),
            source: EventSource::Other,
        };
        let result = function.invoke(invocation).await;
        if let Err(error) = &result {
            self.log(function, &request_id, error.to_string());
        }
        result
    }

    fn begin_exchange(
        &self,
        request: &Request,
        route: Option<&RouteMatch<'_>>,
        function: Option<&GatewayFunction>,
    ) -> PendingExchange {
        let path = route.map_or(request.path.as_str(), RouteMatch::path);
        let detail = ExchangeDetail::Http {
            function: function.map(|function| function.id.clone()),
            method: request.method.to_string(),
            path: request.path_and_query(),
            body: text_or_base64(&request.body),
            headers: request.kept_headers(),
        };
        self.journal.begin(format!("http.{} {path}", request.method), detail)
    }

    /// Notes a line in the function's log.
    fn log(&self, function: &GatewayFunction, request_id: &str, line: String) {
        let function = function.id.clone();
        // `up` shows it at once.
        tracing::warn!(function, "{line}");
        let name = format!("log.{function}");
        let request_id = Some(request_id.to_owned());
        self.journal.note(name, ExchangeDetail::Log { function, request_id, line });
    }
}

/// The work on a request, which goes on as a task if this is dropped before it is done.
struct DetachOnDrop<'a> {
    handler: &'a Handler,
    runtime: Runtime,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Drop for DetachOnDrop<'_> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        if let Some(detached) = self.handler.detached().as_mut() {
            while detached.try_join_next().is_some() {}
            detached.spawn_on(work, &self.runtime);
        }
    }
}

/// The response that a function's result means, or what is wrong with it and the journal's code
/// for that.
fn read_result(
    matched: &StageMatch<'_>,
    request: &Request,
    route: &RouteMatch<'_>,
    result: &Value,
) -> Result<Response<Bytes>, (String, &'static str)> {
    let size = size(result);
    if size > MAX_PAYLOAD_BYTES {
        let line = format!("the answer is {size} bytes; Lambda takes {MAX_PAYLOAD_BYTES}");
        return Err((line, "payload_too_large"));
    }
    let api = &matched.stage.api;
    let decodes = api.kind == ApiKind::Http || request.accepts_bytes(&api.binary_types);
    let response = response::from_result(route.payload(), result, decodes);
    let mut response = response.map_err(|wrong| (wrong.to_string(), "malformed_response"))?;
    add_cors(matched, request, &mut response);
    Ok(response)
}

/// A response of the API's own, with its CORS headers.
fn error_with_cors(
    matched: &StageMatch<'_>,
    request: &Request,
    error: GatewayError,
) -> Response<Bytes> {
    let mut response = error.response(matched.stage.api.kind);
    add_cors(matched, request, &mut response);
    response
}

fn finish(
    exchange: PendingExchange,
    reply: oneshot::Sender<Response<Bytes>>,
    response: Response<Bytes>,
    error: Option<&'static str>,
) {
    let (status, error) = (response.status().as_u16(), error.map(str::to_owned));
    let body = response.body();
    let text = if body.is_empty() { None } else { std::str::from_utf8(body).ok() };
    if is_json(&response) && text.is_some() {
        // The journal parses it if somebody looks.
        let outcome = Outcome { error, ..Outcome::status(status, Value::Null) };
        exchange.end_with(outcome, body.clone());
    } else {
        let body = Value::String(text_or_base64(body));
        exchange.end(Outcome { error, ..Outcome::status(status, body) });
    }
    // The client may have gone away.
    let _ = reply.send(response);
}

fn is_json(response: &Response<Bytes>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// Adds the ids under which the API's logs have this request.
fn with_ids(
    mut response: Response<Bytes>,
    kind: ApiKind,
    context: &EventContext,
) -> Response<Bytes> {
    let ids: &[(&'static str, &String)] = match kind {
        ApiKind::Http => &[("apigw-requestid", &context.request_id)],
        ApiKind::Rest => &[
            ("x-amzn-requestid", &context.uuid),
            ("x-amz-apigw-id", &context.request_id),
            ("x-amzn-trace-id", &context.trace_id),
        ],
    };
    for (name, id) in ids {
        if let Ok(id) = HeaderValue::try_from(*id) {
            response.headers_mut().insert(*name, id);
        }
    }
    response
}

fn preflight(matched: &StageMatch<'_>, request: &Request) -> Option<Response<Bytes>> {
    let Stage { api, routes } = matched.stage;
    cors::preflight(api.kind, api.cors.as_ref()?, request, || routes.methods(matched.path()))
}

/// Replaces the function's CORS headers with an HTTP API's.
fn add_cors(matched: &StageMatch<'_>, request: &Request, response: &mut Response<Bytes>) {
    let api = &matched.stage.api;
    if let Some(cors) = api.cors.as_ref().filter(|_| api.kind == ApiKind::Http) {
        cors::replace(cors, request, response);
    }
}

/// The size of a result as JSON. Most are far below the limit, and need no exact count.
fn size(result: &Value) -> usize {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, str::len);
    let least = text(Some(result)).max(text(result.get("body")));
    if least * 6 < MAX_PAYLOAD_BYTES && result.get("body").is_some() {
        return least;
    }
    serde_json::to_vec(result).map_or(usize::MAX, |bytes| bytes.len())
}
