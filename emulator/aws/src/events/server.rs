//! Lambda's Invoke API as an HTTP server: `POST /2015-03-31/functions/{FunctionName}/invocations`.
//!
//! As at the fake DynamoDB, a URL may begin with `/fn/` and a function's logical id, which then is the
//! caller; otherwise the session token tells. Log results (`X-Amz-Log-Type`), client contexts, versions
//! and aliases are not emulated.

use std::{fmt, io, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri},
};
use percent_encoding::percent_decode_str;
use rehearse_core::{
    clock::Clock,
    faults::{Cut, Failure, FaultableCall, Faults},
    journal::{
        ExchangeDetail, Journal, Outcome, PendingExchange, callers::split_caller, caused_by,
    },
    serve::Serving,
};
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    Credentials, Events, caller,
    queue::error_payload,
    refusal::Refusal,
    signature::{self, SignedRequest},
};
use crate::{
    gateway::{Invoker, invoke::InvokeError},
    template::Function,
};

/// Most bytes of a synchronous invocation's payload.
pub(super) const MAX_SYNC: usize = 6_291_456;
/// Most bytes of an asynchronous one's: 1 MB since October 2025, 256 KB before.
const MAX_ASYNC: usize = 1_048_576;

/// The name of a call in the journal.
const NAME: &str = "lambda.invoke";

/// What is invoked, and by whom.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The functions, with their schedules.
    pub functions: Vec<Function>,
    /// The keys that are valid.
    pub credentials: Vec<Credentials>,
    /// What runs the functions.
    pub invoker: Invoker,
}

/// The running Invoke API and the events of its world. Dropping it stops both.
#[derive(Debug)]
pub struct Server {
    events: Events,
    serving: Serving,
}

struct Api {
    events: Events,
    credentials: Vec<Credentials>,
    faults: Faults,
}

/// A call of the Invoke API.
struct Call<'r> {
    headers: &'r HeaderMap,
    body: &'r [u8],
    /// The function's name as given.
    name: String,
    /// The version or alias that is asked for.
    qualifier: Option<String>,
    /// The caller that the URL names.
    caller: Option<String>,
}

impl Server {
    /// Serves on `listener`, on the current tokio runtime, until the result is dropped.
    ///
    /// # Errors
    /// When the listener has no address, or there is no current tokio runtime.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
    ) -> io::Result<Self> {
        let Options { functions, credentials, invoker } = options;
        tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
        let events = Events::new(functions, invoker, journal, clock);
        let api = Api { events: events.clone(), credentials, faults };
        let router = Router::new().fallback(respond).with_state(Arc::new(api));
        let serving = Serving::router(listener, router)?;
        Ok(Self { events, serving })
    }

    /// The events of the world.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Its base URL without a slash at the end.
    pub fn url(&self) -> String {
        self.serving.url()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.stop();
        self.events.stop();
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

async fn respond(State(api): State<Arc<Api>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let id = Uuid::new_v4().to_string();
    // More than is taken, so that a refusal can be in the journal.
    let Ok(body) = axum::body::to_bytes(body, 2 * MAX_SYNC).await else {
        return Refusal::too_large(MAX_SYNC).response();
    };
    let Some((caller, name)) = called(&parts.method, &parts.uri) else {
        return Refusal::unknown_call().response();
    };
    let query = parts.uri.query().unwrap_or_default();
    let mut query = form_urlencoded::parse(query.as_bytes());
    let qualifier = query.find(|(key, _)| key == "Qualifier").map(|(_, value)| value.into_owned());
    let call = Call { headers: &parts.headers, body: &body, name, qualifier, caller };
    let signed = SignedRequest {
        method: &parts.method,
        uri: &parts.uri,
        headers: &parts.headers,
        body: &body,
    };
    let (instance, _) = split_caller(parts.uri.path());
    let callers = api.events.0.journal.callers();
    let cause = callers.cause_of(instance, call.caller.as_deref());
    let mut response = caused_by(cause, api.call(&call, &signed, &id)).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

/// The caller and the function that a URL names; `None` if it is not a call of the Invoke API.
fn called(method: &Method, uri: &Uri) -> Option<(Option<String>, String)> {
    let path = split_caller(uri.path()).1;
    let (caller, path) = match path.strip_prefix("/fn/") {
        Some(rest) => {
            let (caller, _) = rest.split_once('/')?;
            (Some(caller).filter(|caller| !caller.is_empty()), &rest[caller.len()..])
        }
        None => (None, path),
    };
    let name = path.strip_prefix("/2015-03-31/functions/")?.strip_suffix("/invocations")?;
    let name = percent_decode_str(name).decode_utf8().ok()?.into_owned();
    (*method == Method::POST).then(|| (caller.map(str::to_owned), name))
}

impl Api {
    async fn call(&self, call: &Call<'_>, signed: &SignedRequest<'_>, id: &str) -> Response<Body> {
        let verified = signature::verify(signed, &self.credentials, call.caller.as_deref());
        let by_key = verified.as_ref().ok().and_then(|credentials| credentials.function.clone());
        let caller = by_key.or_else(|| call.caller.clone());
        let exchange = self.begin(call, caller.clone());
        let verified = verified.and_then(|credentials| {
            // On AWS a function's keys are nobody's without its session token.
            let foreign = call.caller.is_some() && credentials.function != call.caller;
            if foreign { Err(Refusal::unrecognized_client()) } else { Ok(()) }
        });
        if let Err(refusal) = verified {
            return refused(exchange, &refusal);
        }
        let faultable = FaultableCall { function: caller.as_deref(), ..FaultableCall::named(NAME) };
        let failure = self.faults.next_fault(&faultable).map(|fault| fault.failure);
        let failure = failure.unwrap_or_default();
        exchange.injected(&failure);
        self.faults.crash_if_requested(&failure, Cut::Before).await;
        if !failure.delay().is_zero() {
            tokio::time::sleep(failure.delay()).await;
        }
        if failure.cut == Some(Cut::Before) {
            drop(exchange);
            return cut();
        }
        if let Some(refusal) = Refusal::of_fault(&failure) {
            return refused(exchange, &refusal);
        }
        let invoked = self.invoke(call, caller.as_deref(), id);
        match caused_by(Some(exchange.cause()), invoked).await {
            Err(refusal) => refused(exchange, &refusal),
            Ok(invoked) => self.answer(exchange, &failure, invoked).await,
        }
    }

    /// Responds to a call that took effect, unless a fault withholds the response.
    async fn answer(
        &self,
        exchange: PendingExchange,
        failure: &Failure,
        Invoked { status, error, body }: Invoked,
    ) -> Response<Body> {
        self.faults.crash_if_requested(failure, Cut::After).await;
        if failure.cut == Some(Cut::After) {
            drop(exchange);
            return cut();
        }
        exchange.end(Outcome::status(status.as_u16(), body.clone().unwrap_or_default()));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let mut set = |name: &'static str, value: &'static str| {
            let name = HeaderName::from_static(name);
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        };
        set("content-type", "application/json");
        if status == StatusCode::OK {
            set("x-amz-executed-version", "$LATEST");
        }
        if error {
            set("x-amz-function-error", "Unhandled");
        }
        response
    }

    fn begin(&self, call: &Call<'_>, caller: Option<String>) -> PendingExchange {
        let target = self.events.function(&call.name);
        let payload = serde_json::from_slice(call.body);
        let text = || Value::String(String::from_utf8_lossy(call.body).into_owned());
        let detail = ExchangeDetail::Invoke {
            function: caller,
            target: target.map_or_else(|| call.name.clone(), |function| function.id.clone()),
            target_name: target.map_or_else(|| call.name.clone(), |function| function.name.clone()),
            invocation_type: call.invocation_type().into(),
            payload: payload.unwrap_or_else(|_| text()),
        };
        self.events.0.journal.begin(NAME, detail)
    }

    /// Does what a call asks for.
    async fn invoke(
        &self,
        call: &Call<'_>,
        caller: Option<&str>,
        id: &str,
    ) -> Result<Invoked, Refusal> {
        let kind = call.invocation_type();
        let limit = match kind {
            "RequestResponse" | "DryRun" => MAX_SYNC,
            "Event" => MAX_ASYNC,
            other => return Err(Refusal::invalid_type(other)),
        };
        let function = self.events.function(&call.name);
        // Versions and aliases are not emulated, so no other qualifier exists.
        let latest = call.qualifier.as_deref().is_none_or(|qualifier| qualifier == "$LATEST");
        let function = function.filter(|_| latest);
        let unknown = || Refusal::unknown_function(&arn(&call.name, call.qualifier.as_deref()));
        let function = function.ok_or_else(unknown)?;
        if call.body.len() > limit {
            return Err(Refusal::too_large(limit));
        }
        // Without a payload the event is an empty object.
        let body = if call.body.is_empty() { &b"{}"[..] } else { call.body };
        let payload = serde_json::from_slice(body).map_err(|error| Refusal::no_json(&error))?;
        let cause = match caller {
            Some(caller) => format!("{NAME} of {caller}"),
            None => NAME.into(),
        };
        match kind {
            "DryRun" => Ok(Invoked { status: StatusCode::NO_CONTENT, error: false, body: None }),
            "Event" => {
                let text = String::from_utf8_lossy(call.body);
                let after = caller::answered(&self.events.0.journal, caller, &text);
                self.events.accept(&function.id, payload, cause, id.into(), after);
                Ok(Invoked { status: StatusCode::ACCEPTED, error: false, body: None })
            }
            _ => match self.events.invoke(&function.id, payload, cause, id.into()).await {
                Ok(result) => {
                    Ok(Invoked { status: StatusCode::OK, error: false, body: Some(result) })
                }
                Err(InvokeError::Throttled { .. }) => Err(Refusal::throttled()),
                Err(error) => {
                    let body = Some(error_payload(&error));
                    Ok(Invoked { status: StatusCode::OK, error: true, body })
                }
            },
        }
    }
}

/// A call that took effect.
struct Invoked {
    status: StatusCode,
    /// Whether the function failed.
    error: bool,
    body: Option<Value>,
}

impl Call<'_> {
    fn invocation_type(&self) -> &str {
        let given = self.headers.get("x-amz-invocation-type");
        given.and_then(|given| given.to_str().ok()).unwrap_or("RequestResponse")
    }
}

/// The ARN that a name means.
fn arn(name: &str, qualifier: Option<&str>) -> String {
    let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
    if name.starts_with("arn:") {
        return format!("{name}{qualifier}");
    }
    format!("arn:aws:lambda:us-east-1:123456789012:function:{name}{qualifier}")
}

fn refused(exchange: PendingExchange, refusal: &Refusal) -> Response<Body> {
    exchange.end(refusal.outcome());
    refusal.response()
}

/// A response whose connection is cut before its body ends.
fn cut() -> Response<Body> {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    let body = futures::stream::once(async { Err::<Bytes, _>(error) });
    Response::new(Body::from_stream(body))
}
