//! A router of this process as a function, by `lambda_http`'s own conversions. What is
//! `#[doc(hidden)]` in that crate is used in this file alone.

use rehearse_core::{errors::panic_message, journal::Journal};
use std::{
    panic::AssertUnwindSafe,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, StatusCode},
};
use futures::{FutureExt, future::BoxFuture};
use http_body_util::BodyExt as _;
use lambda_http::{Adapter, Context, LambdaEvent, request::LambdaRequest, tower::Service};
use serde_json::Value;

use super::{
    Instances,
    invoke::{EventSource, Invocation, InvokeError, RunFunction},
    lambda::MAX_PAYLOAD_BYTES,
};

/// How many characters of a body an error repeats.
const LONGEST_ERROR: usize = 500;

/// What to do about a router that takes no events but those of an API.
const NO_ROUTE: &str = " (a function in this process gets such an event as POST /events: give its router that \
                        route, or run it with --target lambda)";

/// A function that runs in this process.
pub(super) struct InProcess {
    /// The function's ARN, of which it is told as on AWS.
    arn: String,
    routers: Routers,
}

/// The routers of a function.
enum Routers {
    /// One for all events.
    One(Router),
    /// One for each event that is worked on, and what the emulator knows of the calls that they make.
    Each { function: String, instances: Instances, journal: Journal },
}

impl InProcess {
    /// A function with one router for all events.
    pub(super) fn new(arn: String, router: Router) -> Self {
        Self { arn, routers: Routers::One(router) }
    }

    /// The function with this logical id and these instances.
    pub(super) fn of(
        arn: String,
        function: String,
        instances: Instances,
        journal: Journal,
    ) -> Self {
        Self { arn, routers: Routers::Each { function, instances, journal } }
    }

    async fn run(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        match &self.routers {
            Routers::One(router) => self.run_on(router, invocation).await,
            Routers::Each { function, instances, journal } => {
                let instance = instances.take()?;
                let _running = journal.callers().begin(
                    Some(function),
                    instance.name.as_deref(),
                    invocation.cause,
                    invocation.caused_by,
                );
                self.run_on(&instance.router, invocation).await
            }
        }
    }

    async fn run_on(&self, router: &Router, invocation: Invocation) -> Result<Value, InvokeError> {
        let (timeout, time) = (invocation.timeout, invocation.time.clone());
        // The conversion itself panics on some input, so it is caught as well.
        let call: BoxFuture<'_, _> = match invocation.source {
            EventSource::Api => Box::pin(self.call(router, invocation)),
            EventSource::Other => Box::pin(self.post(router, invocation)),
        };
        let call = AssertUnwindSafe(call).catch_unwind();
        match time.timeout(timeout, call).await {
            Some(Ok(result)) => result,
            Some(Err(panic)) => Err(InvokeError::Panicked(panic_message(panic.as_ref()))),
            None => Err(InvokeError::TimedOut(timeout)),
        }
    }

    /// Gives the router an event that is no HTTP request: posts it to `/events`, as the AWS Lambda Web
    /// Adapter does. A status of success is the function's success, and the body its result.
    async fn post(&self, router: &Router, invocation: Invocation) -> Result<Value, InvokeError> {
        let failed = |message: String| InvokeError::Failed(message);
        let mut request = Request::post("/events")
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", &*invocation.request_id)
            .header("lambda-runtime-deadline-ms", deadline(&invocation).to_string())
            .header("lambda-runtime-trace-id", invocation.trace_id)
            .body(Body::from(invocation.event))
            .map_err(|error| failed(error.to_string()))?;
        // Left out as behind the Runtime API, if the function's name cannot stand in a header.
        if let Ok(arn) = HeaderValue::try_from(&self.arn) {
            request.headers_mut().insert("lambda-runtime-invoked-function-arn", arn);
        }
        let response = match router.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| failed(error.to_string()))?.to_bytes();
        if body.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::TooLarge { what: "answer", limit: MAX_PAYLOAD_BYTES });
        }
        let text = String::from_utf8_lossy(&body);
        if !status.is_success() {
            let start: String = text.chars().take(LONGEST_ERROR).collect();
            let hint = match status {
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => NO_ROUTE,
                _ => "",
            };
            return Err(failed(format!("it answered {status} to its event: {start}{hint}")));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned())))
    }

    async fn call(&self, router: &Router, invocation: Invocation) -> Result<Value, InvokeError> {
        let failed = |e: serde_json::Error| InvokeError::Failed(e.to_string());
        let payload: LambdaRequest = serde_json::from_str(&invocation.event).map_err(failed)?;
        let mut context = Context::default();
        context.deadline = deadline(&invocation);
        context.invoked_function_arn.clone_from(&self.arn);
        context.request_id = invocation.request_id.to_string();
        context.xray_trace_id = Some(invocation.trace_id);
        // `call`, not `oneshot`, whose future is not `Send`; a router is always ready.
        let call = Adapter::from(router.clone()).call(LambdaEvent::new(payload, context));
        let answer = match call.await {
            Ok(answer) => answer,
            Err(never) => match never {},
        };
        serde_json::to_value(answer).map_err(failed)
    }
}

/// When the invocation's time is up, in milliseconds since 1970.
fn deadline(invocation: &Invocation) -> u64 {
    (SystemTime::now() + invocation.timeout)
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

impl RunFunction for InProcess {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(self.run(invocation))
    }
}
