//! All APIs: a request in, its route's function run, its answer out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    cors,
    event::{self, EventContext},
    gateway_error::GatewayError,
    invoke::{Invocation, InvokeError, RunFunction},
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
    journal::{ExchangeDetail, Journal, Outcome, PendingExchange},
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

/// How long it waits, in real time.
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

/// A function behind the API.
pub(super) struct GatewayFunction {
    pub(super) id: String,
    pub(super) timeout: Duration,
    pub(super) function: Box<dyn RunFunction>,
    pub(super) running: RunningInvocations,
}

impl GatewayFunction {
    pub(super) fn new(id: String, timeout: Duration, function: impl RunFunction + 'static) -> Self {
        Self { id, timeout, function: Box::new(function), running: RunningInvocations::default() }
    }

    /// Runs it once, unless a scenario ends it at an exchange.
    async fn invoke(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let (_guard, ended) = self.running.start();
        let work = self.function.invoke(invocation);
        tokio::select! {
            result = work => result,
            Ok(how) = ended => Err(match how {
                CrashKind::Killed => InvokeError::Crashed,
                CrashKind::TimedOut => InvokeError::TimedOut(self.timeout),
            }),
        }
    }
}

/// APIs, functions, and what is running.
pub(super) struct Handler {
    pub(super) stages: Stages,
    targets: Vec<GatewayFunction>,
    journal: Journal,
    clock: Clock,
    pub(super) timeouts: Timeouts,
    /// Invocations under way; `None` once stopped.
    running: Mutex<Option<JoinSet<()>>>,
}

impl Handler {
    pub(super) fn new(
        stages: Stages,
        targets: Vec<GatewayFunction>,
        journal: Journal,
        clock: Clock,
    ) -> Self {
        let timeouts = Timeouts::default();
        let running = Mutex::new(Some(JoinSet::new()));
        Self { stages, targets, journal, clock, timeouts, running }
    }

    /// Answers a request. The work is a task of its own: as on AWS, it goes on
    /// when the caller has gone away.
    pub(super) async fn handle(self: &Arc<Self>, request: Request) -> Response<Bytes> {
        let kind = self.stages.kind(&request.host, &request.path);
        let (reply, answered) = oneshot::channel();
        let api = Arc::clone(self);
        if let Some(running) = self.running().as_mut() {
            while running.try_join_next().is_some() {}
            running.spawn(async move { api.answer(request, reply).await });
        }
        answered.await.unwrap_or_else(|_| GatewayError::Failed.answer(kind))
    }

    /// Answers what is refused before it is a request.
    pub(super) fn refuse(&self, kind: ApiKind, gateway_error: GatewayError) -> Response<Bytes> {
        with_ids(gateway_error.answer(kind), kind, &EventContext::new(self.clock.now()))
    }

    /// A function by its logical id.
    pub(super) fn target(&self, id: &str) -> Option<&GatewayFunction> {
        self.targets.iter().find(|target| target.id == id)
    }

    /// Stops every invocation where it stands, and takes no more.
    pub(super) fn stop(&self) {
        drop(self.running().take());
    }

    fn running(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request, reply: oneshot::Sender<Response<Bytes>>) {
        let context = EventContext::new(self.clock.now());
        let place = match self.stages.place(&request.host, &request.method, &request.path) {
            Ok(place) => place,
            Err((kind, gateway_error)) => {
                let open = self.open(&request, None, None);
                let answer = with_ids(gateway_error.answer(kind), kind, &context);
                return finish(open, reply, answer, None);
            }
        };
        let kind = place.stage.api.kind;
        let answered = |answer| with_ids(answer, kind, &context);
        if let Some(answer) = preflight(&place, &request) {
            return finish(self.open(&request, None, None), reply, answered(answer), None);
        }
        let route = place.stage.routes.find(&request.method, place.path());
        let target = route.as_ref().and_then(|route| self.targets.get(route.function));
        let open = self.open(&request, route.as_ref(), target);
        let (Some(route), Some(target)) = (route, target) else {
            let known = METHODS.contains(&request.method);
            let gateway_error = if known { GatewayError::NoRoute } else { GatewayError::NoMethod };
            return finish(
                open,
                reply,
                answered(self.refused(&place, &request, gateway_error)),
                None,
            );
        };
        if !place.stage.routes.admit(&route, Instant::now()) {
            let answer = self.refused(&place, &request, GatewayError::Throttled);
            return finish(open, reply, answered(answer), Some("throttled"));
        }
        let invocation = Invocation {
            request_id: uuid::Uuid::new_v4().to_string(),
            trace_id: context.trace_id.clone(),
            event: event::build(&request, &place, &route, &context).to_string(),
            timeout: target.timeout,
        };
        let lambda_id = invocation.request_id.clone();
        if invocation.event.len() > MAX_PAYLOAD_BYTES {
            let size = invocation.event.len();
            let line = format!("the event is {size} bytes; Lambda takes {MAX_PAYLOAD_BYTES}");
            self.log_line(target, lambda_id, line);
            let answer = self.refused(&place, &request, GatewayError::EventTooLarge);
            return finish(open, reply, answered(answer), Some("payload_too_large"));
        }
        let patience = route.timeout.unwrap_or(match kind {
            ApiKind::Http => self.timeouts.http,
            ApiKind::Rest => self.timeouts.rest,
        });
        let mut work = Box::pin(target.invoke(invocation));
        let result = tokio::select! {
            result = &mut work => result,
            () = tokio::time::sleep(patience) => {
                let answer = self.refused(&place, &request, GatewayError::TooLong);
                finish(open, reply, answered(answer), Some("integration_timeout"));
                // The function runs on to its own timeout; nobody hears its answer.
                if let Err(error) = work.await {
                    self.log(target, lambda_id, &error);
                }
                return;
            }
        };
        let read = result.map_err(|error| {
            self.log(target, lambda_id.clone(), &error);
            (GatewayError::of(&error), error.code())
        });
        let read = read.and_then(|answer| {
            self.read(&place, &request, &route, &answer).map_err(|(line, code)| {
                self.log_line(target, lambda_id, line);
                (GatewayError::Unreadable, code)
            })
        });
        let (answer, code) = match read {
            Ok(answer) => (answer, None),
            Err((gateway_error, code)) => {
                (self.refused(&place, &request, gateway_error), Some(code))
            }
        };
        finish(open, reply, answered(answer), code);
    }

    /// A function's answer, or what is wrong with it and the journal's code for that.
    fn read(
        &self,
        place: &StageMatch<'_>,
        request: &Request,
        route: &RouteMatch,
        answer: &Value,
    ) -> Result<Response<Bytes>, (String, &'static str)> {
        let size = size(answer);
        if size > MAX_PAYLOAD_BYTES {
            let line = format!("the answer is {size} bytes; Lambda takes {MAX_PAYLOAD_BYTES}");
            return Err((line, "payload_too_large"));
        }
        let api = &place.stage.api;
        let bytes = api.kind == ApiKind::Http || request.accepts_bytes(&api.binary_types);
        let read = response::response(route.payload, answer, bytes);
        let mut response = read.map_err(|wrong| (wrong.to_string(), "malformed_response"))?;
        with_cors(place, request, &mut response);
        Ok(response)
    }

    /// An answer of the API's own, which has its CORS headers too.
    fn refused(
        &self,
        place: &StageMatch<'_>,
        request: &Request,
        gateway_error: GatewayError,
    ) -> Response<Bytes> {
        let mut response = gateway_error.answer(place.stage.api.kind);
        with_cors(place, request, &mut response);
        response
    }

    fn open(
        &self,
        request: &Request,
        route: Option<&RouteMatch>,
        target: Option<&GatewayFunction>,
    ) -> PendingExchange {
        let path = route.map_or(request.path.as_str(), |route| route.path.as_str());
        let name = format!("http.{} {path}", request.method);
        let exchange = ExchangeDetail::Http {
            function: target.map(|target| target.id.clone()),
            method: request.method.to_string(),
            path: request.path_and_query(),
            body: text_or_base64(&request.body),
        };
        self.journal.begin(name, exchange)
    }

    /// What a function wrote as it failed.
    fn log(&self, target: &GatewayFunction, request_id: String, error: &InvokeError) {
        self.log_line(target, request_id, error.to_string());
    }

    fn log_line(&self, target: &GatewayFunction, request_id: String, line: String) {
        let function = target.id.clone();
        let name = format!("log.{function}");
        self.journal
            .note(name, ExchangeDetail::Log { function, request_id: Some(request_id), line });
    }
}

fn finish(
    open: PendingExchange,
    reply: oneshot::Sender<Response<Bytes>>,
    response: Response<Bytes>,
    error: Option<&'static str>,
) {
    let outcome = Outcome::status(response.status().as_u16(), journal_body(&response));
    open.end(Outcome { error: error.map(str::to_owned), ..outcome });
    // The caller may have gone away.
    let _ = reply.send(response);
}

fn journal_body(response: &Response<Bytes>) -> Value {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    let parsed = if json { serde_json::from_slice(response.body()).ok() } else { None };
    parsed.unwrap_or_else(|| Value::String(text_or_base64(response.body())))
}

/// The ids under which the API's logs have this request.
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

fn preflight(place: &StageMatch<'_>, request: &Request) -> Option<Response<Bytes>> {
    let Stage { api, routes } = place.stage;
    cors::preflight(api.kind, api.cors.as_ref()?, request, || routes.methods(place.path()))
}

/// An HTTP API's CORS headers go before the function's.
fn with_cors(place: &StageMatch<'_>, request: &Request, response: &mut Response<Bytes>) {
    let api = &place.stage.api;
    if let Some(cors) = api.cors.as_ref().filter(|_| api.kind == ApiKind::Http) {
        cors::replace(cors, request, response);
    }
}

/// Bytes of an answer as JSON. Most are far below the limit, and need no exact count.
fn size(answer: &Value) -> usize {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map_or(0, str::len);
    let least = text(Some(answer)).max(text(answer.get("body")));
    if least * 6 < MAX_PAYLOAD_BYTES && answer.get("body").is_some() {
        return least;
    }
    serde_json::to_vec(answer).map_or(usize::MAX, |bytes| bytes.len())
}
