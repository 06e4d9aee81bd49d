//! One API: a request in, its route's function run, its answer out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    event::{self, Moment},
    invoke::{Invocation, Invoke, InvokeError},
    request::{Request, text_or_base64},
    respond,
    route::{Match, Routes},
    running::{End, Running},
};
use crate::{
    clock::Clock,
    journal::{Crossing, Journal, Open, Outcome},
    template::Payload,
};

/// What API Gateway waits for a function at most, in real time.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// A function behind the API.
pub(super) struct Target {
    pub(super) id: String,
    pub(super) timeout: Duration,
    pub(super) function: Box<dyn Invoke>,
    pub(super) running: Running,
}

impl Target {
    pub(super) fn new(id: String, timeout: Duration, function: impl Invoke + 'static) -> Self {
        Self { id, timeout, function: Box::new(function), running: Running::default() }
    }

    /// Runs it once, unless a scenario ends it at a crossing.
    async fn invoke(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let (_begun, ended) = self.running.begin();
        let work = self.function.invoke(invocation);
        tokio::select! {
            result = work => result,
            Ok(how) = ended => Err(match how {
                End::Crash => InvokeError::Crashed,
                End::Timeout => InvokeError::TimedOut(self.timeout),
            }),
        }
    }
}

/// Routes, functions, and what is running.
pub(super) struct Api {
    routes: Routes,
    targets: Vec<Target>,
    journal: Journal,
    clock: Clock,
    integration_timeout: Duration,
    /// Invocations under way; `None` once stopped.
    running: Mutex<Option<JoinSet<()>>>,
}

impl Api {
    pub(super) fn new(
        routes: Routes,
        targets: Vec<Target>,
        journal: Journal,
        clock: Clock,
    ) -> Self {
        let integration_timeout = INTEGRATION_TIMEOUT;
        let running = Mutex::new(Some(JoinSet::new()));
        Self { routes, targets, journal, clock, integration_timeout, running }
    }

    #[cfg(test)]
    pub(super) fn set_integration_timeout(&mut self, timeout: Duration) {
        self.integration_timeout = timeout;
    }

    /// Answers a request. The work is a task of its own: as on AWS, it goes on
    /// when the caller has gone away.
    pub(super) async fn handle(self: &Arc<Self>, request: Request) -> Response<Bytes> {
        let (reply, answered) = oneshot::channel();
        let api = Arc::clone(self);
        if let Some(running) = self.running().as_mut() {
            while running.try_join_next().is_some() {}
            running.spawn(async move { api.answer(request, reply).await });
        }
        answered.await.unwrap_or_else(|_| internal_server_error())
    }

    /// A function by its logical id.
    pub(super) fn target(&self, id: &str) -> Option<&Target> {
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
        let route = self.routes.find(&request.method, &request.path);
        let target = route.as_ref().and_then(|route| self.targets.get(route.function));
        let open = self.open(&request, route.as_ref(), target);
        let (Some(route), Some(target)) = (route, target) else {
            let answer = respond::message(StatusCode::NOT_FOUND, "Not Found");
            finish(open, reply, answer, None);
            return;
        };
        let moment = Moment::new(self.clock.now());
        let invocation = Invocation {
            request_id: uuid::Uuid::new_v4().to_string(),
            trace_id: moment.trace_id.clone(),
            event: event::build(&request, &route, &moment).to_string(),
            timeout: target.timeout,
        };
        drop(request);
        let lambda_id = invocation.request_id.clone();
        let mut work = Box::pin(target.invoke(invocation));
        let result = tokio::select! {
            result = &mut work => result,
            () = tokio::time::sleep(self.integration_timeout) => {
                let answer = service_unavailable();
                let answer = with_request_id(answer, &moment);
                finish(open, reply, answer, Some("integration_timeout"));
                // The function runs on to its own timeout; nobody hears its answer.
                if let Err(error) = work.await {
                    self.log(target, lambda_id, &error);
                }
                return;
            }
        };
        let (answer, code) = match result {
            Ok(answer) => self.read(target, route.payload, lambda_id, &answer),
            Err(error) => {
                let code = error.code();
                self.log(target, lambda_id, &error);
                (internal_server_error(), Some(code))
            }
        };
        finish(open, reply, with_request_id(answer, &moment), code);
    }

    fn read(
        &self,
        target: &Target,
        payload: Payload,
        request_id: String,
        answer: &Value,
    ) -> (Response<Bytes>, Option<&'static str>) {
        match respond::response(payload, answer) {
            Ok(response) => (response, None),
            Err(malformed) => {
                self.log_line(target, request_id, malformed.to_string());
                (internal_server_error(), Some("malformed_response"))
            }
        }
    }

    fn open(&self, request: &Request, route: Option<&Match>, target: Option<&Target>) -> Open {
        let path = route.map_or(request.path.as_str(), |route| route.path.as_str());
        let name = format!("http.{} {path}", request.method);
        let crossing = Crossing::Http {
            function: target.map(|target| target.id.clone()),
            method: request.method.to_string(),
            path: request.path_and_query(),
            body: text_or_base64(&request.body),
        };
        self.journal.begin(name, crossing)
    }

    /// What a function wrote as it failed.
    fn log(&self, target: &Target, request_id: String, error: &InvokeError) {
        self.log_line(target, request_id, error.to_string());
    }

    fn log_line(&self, target: &Target, request_id: String, line: String) {
        let function = target.id.clone();
        let name = format!("log.{function}");
        self.journal.note(name, Crossing::Log { function, request_id: Some(request_id), line });
    }
}

fn finish(
    open: Open,
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

fn with_request_id(mut response: Response<Bytes>, moment: &Moment) -> Response<Bytes> {
    if let Ok(id) = HeaderValue::try_from(&moment.request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

fn internal_server_error() -> Response<Bytes> {
    respond::message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn service_unavailable() -> Response<Bytes> {
    respond::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
}
