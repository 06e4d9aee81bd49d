//! The recording proxy between the backend and the engine.
//!
//! Every client connection gets its own connection to the engine, driven by the same task, so that
//! a call costs one more hop and no switch to another thread. Calling the engine without HTTP would
//! save the hop but skip the engine's checks of the raw request.
//!
//! A call runs through this file from top to bottom: [`serve_connection`], [`handle`], and, while a
//! fault or a rendezvous is armed, [`handle_with_faults`] and [`inject`].

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Either, Full};
use hyper::{body::Incoming, server, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, runtime::Handle};

use super::{
    delayed::DelayedCalls,
    fault_response,
    http_connection::SendError,
    other_service::OtherCall,
    replica::{Replica, ReplicaError},
    request,
    route::{EngineConnection, EngineRoute},
    table::TableSpec,
    wire::{self, EngineRequest, EngineResponse, TruncatedBody},
};
use rehearse_core::{
    errors::with_causes,
    faults::{Cut, DatabaseFault, Fault, FaultHandle, FaultableCall, Faults},
    journal::{
        ExchangeDetail, Journal, Outcome, PendingExchange, callers::split_caller, with_cause,
    },
    serve::{self, Serving},
};

/// A proxy that is serving. Dropping it closes its listener and every connection.
#[derive(Debug)]
pub(super) struct Proxy {
    serving: Serving,
    delayed: Arc<DelayedCalls>,
}

impl Proxy {
    /// Serves `listener` on `runtime` and forwards calls along `route`.
    ///
    /// # Errors
    /// When the listener cannot be used on the runtime.
    pub(super) fn start(
        listener: std::net::TcpListener,
        runtime: &Handle,
        route: EngineRoute,
        tables: &[TableSpec],
        journal: Journal,
        faults: Faults,
    ) -> io::Result<Self> {
        let _context = runtime.enter();
        let replica = Arc::new(Replica::new(route.client(), tables, runtime));
        let (tables, delayed) = (tables.to_vec(), Arc::<DelayedCalls>::default());
        let shared = Arc::clone(&delayed);
        let state =
            Arc::new(ProxyState { route, tables, replica, journal, faults, delayed: shared });
        let connection = move |stream, _| serve_connection(stream, Arc::clone(&state));
        let serving = Serving::start(serve::on_tokio(listener)?, runtime, connection)?;
        Ok(Self { serving, delayed })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// The calls that faults delay.
    pub(super) fn delayed(&self) -> &DelayedCalls {
        &self.delayed
    }
}

/// What all connections of a proxy share.
struct ProxyState {
    route: EngineRoute,
    tables: Vec<TableSpec>,
    replica: Arc<Replica>,
    journal: Journal,
    faults: Faults,
    delayed: Arc<DelayedCalls>,
}

type ProxyResponse = Response<Either<Full<Bytes>, TruncatedBody>>;

/// Closes the client's connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
struct ConnectionCut;

/// A failure of the emulator itself, which is neither the backend's fault nor injected.
#[derive(Debug, thiserror::Error)]
enum EmulatorFailure {
    #[error("the database engine does not respond")]
    Engine(#[from] SendError),
    #[error("the copy of the rows for stale reads failed")]
    Replica(#[from] ReplicaError),
}

/// A call that a fault or a rendezvous may apply to.
struct InspectedCall {
    /// Name of its exchange in the journal.
    name: String,
    operation: String,
    /// The calling function, if the URL names it.
    function: Option<String>,
    request: Value,
    outgoing: EngineRequest,
    exchange: PendingExchange,
}

/// Serves one client until either side closes the connection.
async fn serve_connection(stream: TcpStream, state: Arc<ProxyState>) {
    let connection = state.route.connect();
    let service = service_fn(|request| handle(request, &state, &connection));
    let front = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error closes the connection, which the client sees for itself.
    let _ = front.await;
}

async fn handle(
    request: Request<Incoming>,
    state: &ProxyState,
    connection: &EngineConnection,
) -> Result<ProxyResponse, ConnectionCut> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| ConnectionCut)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let (caller, rest) = split_caller(&path);
    let (function, rest) = request::split_function(rest);
    parts.uri = Uri::try_from(rest).map_err(|_| ConnectionCut)?;
    // These belong to the client's connection; the body is no longer chunked.
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::TRANSFER_ENCODING);
    let cause = state.journal.callers().cause_of(caller, function);
    if let Some(call) = OtherCall::read(&parts.method, &parts.uri, &parts.headers, &body) {
        // The global endpoint of the SDKs leads here, so that no call reaches AWS itself.
        let begin = || state.journal.begin(call.name(), call.detail(function));
        return Ok(whole(call.refuse(with_cause(cause, begin))));
    }
    let outgoing = Request::from_parts(parts, Full::new(body.clone()));
    if outgoing.method() != Method::POST {
        // Not an API call, such as a health check: forwarded, and not recorded.
        return connection.exchange(outgoing).await.map(whole).map_err(|_| ConnectionCut);
    }

    let operation = request::operation(outgoing.headers());
    let name = format!("dynamodb.{operation}");
    let request = wire::json_or_text(&body);
    let inspected = state.faults.any().then(|| request.clone());
    let detail = detail(function, &operation, request);
    let exchange = with_cause(cause, || state.journal.begin(name.as_str(), detail));
    if let Some(request) = inspected {
        let function = function.map(str::to_owned);
        let call = InspectedCall { name, operation, function, request, outgoing, exchange };
        return handle_with_faults(call, state, connection).await;
    }
    let response = connection.exchange(outgoing).await;
    Ok(record(exchange, response.map_err(EmulatorFailure::from)))
}

fn detail(function: Option<&str>, operation: &str, request: Value) -> ExchangeDetail {
    ExchangeDetail::Database {
        function: function.map(str::to_owned),
        tables: request::tables(&request),
        items: request::item_count(operation, &request),
        operation: operation.to_owned(),
        request,
    }
}

/// Waits for a permit if the call takes part in a rendezvous, and injects the fault that is armed for it.
async fn handle_with_faults(
    call: InspectedCall,
    state: &ProxyState,
    connection: &EngineConnection,
) -> Result<ProxyResponse, ConnectionCut> {
    let touched = || request::touched_rows(&call.request, &state.tables);
    let faultable = FaultableCall {
        name: &call.name,
        touched: &touched,
        eventually_consistent: request::is_eventually_consistent(&call.operation, &call.request),
        function: call.function.as_deref(),
    };
    // Held until this call has its response: only then does the next one of a rendezvous go on.
    let mut permit = state.faults.join_rendezvous(&faultable, || canonical_text(&call.request));
    if let Some(permit) = &mut permit {
        permit.granted().await;
    }

    let moment = state.faults.latest_stale();
    if let Some(moment) = moment.filter(|_| request::is_write(&call.operation))
        && let Err(error) = state.replica.freeze(moment).await
    {
        return Ok(record(call.exchange, Err(error.into())));
    }
    match state.faults.next_fault(&faultable) {
        Some(fault) => inject(&fault, call, moment, state, connection).await,
        None => {
            let response = connection.exchange(call.outgoing).await;
            Ok(record(call.exchange, response.map_err(EmulatorFailure::from)))
        }
    }
}

/// Carries out a fault: delay, cut or error before the engine, then the engine's response, then
/// what the fault does to that response. What a call does happens after its delay, with or without
/// its caller. `moment` is the one that stale reads are served from.
async fn inject(
    fault: &Fault,
    call: InspectedCall,
    moment: Option<FaultHandle>,
    state: &ProxyState,
    connection: &EngineConnection,
) -> Result<ProxyResponse, ConnectionCut> {
    let InspectedCall { operation, request, outgoing, exchange, .. } = call;
    let failure = &fault.failure;
    exchange.injected(failure);
    if failure.cut == Some(Cut::Before) {
        wait(failure.delay()).await;
        drop(exchange);
        state.faults.crash_if_requested(failure, Cut::Before).await;
        return Err(ConnectionCut);
    }
    let touched = request::touched_rows(&request, &state.tables);
    if let Some((status, body)) = fault_response::error_response(fault, &operation, &touched) {
        wait(failure.delay()).await;
        return Ok(record(exchange, Ok(wire::json_response(status, &body))));
    }

    let outgoing = match failure.database_fault {
        Some(DatabaseFault::ExpiredToken) => fault_response::with_fresh_token(outgoing, request),
        _ => outgoing,
    };
    let moment = moment.filter(|_| failure.database_fault == Some(DatabaseFault::Stale));
    let response = if failure.delay().is_zero() {
        carry_out(outgoing, moment, &state.replica, connection).await
    } else {
        // A call that DynamoDB has received is carried out, also when its caller stops waiting. The
        // journal has it as cut then, which is all that the caller knows.
        let (replica, engine) = (Arc::clone(&state.replica), state.route.connect());
        let delayed = async move { carry_out(outgoing, moment, &replica, &engine).await };
        let response = state.delayed.begin(failure.delay(), delayed);
        // There is none once the call is abandoned.
        response.await.map_err(|_| ConnectionCut)?
    };
    let (mut head, body) = match response {
        Ok(response) => response,
        failed => return Ok(record(exchange, failed)),
    };

    if failure.cut == Some(Cut::After) {
        // The caller gets no response; the journal keeps the one that was lost.
        exchange.end_with(Outcome::cut(), body);
        state.faults.crash_if_requested(failure, Cut::After).await;
        return Err(ConnectionCut);
    }
    let altered = |how: &str| Outcome::status(head.status.as_u16(), Value::Null).with_error(how);
    match failure.database_fault {
        Some(DatabaseFault::Truncated) => {
            exchange.end_with(altered("truncated"), body.clone());
            let half = TruncatedBody::half_of(&body);
            Ok(Response::from_parts(head, Either::Right(half)))
        }
        Some(DatabaseFault::WrongCrc) => {
            exchange.end_with(altered("wrong-crc"), body.clone());
            wire::corrupt_checksum(&mut head.headers);
            Ok(whole((head, body)))
        }
        Some(DatabaseFault::Stale) => {
            exchange.end_with(altered("stale"), body.clone());
            Ok(whole((head, body)))
        }
        _ => Ok(record(exchange, Ok((head, body)))),
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

/// The engine's response. With a moment it has the rows of then, which are the current ones if nothing
/// was written since.
async fn carry_out(
    outgoing: EngineRequest,
    moment: Option<FaultHandle>,
    replica: &Replica,
    connection: &EngineConnection,
) -> Result<EngineResponse, EmulatorFailure> {
    if let Some(moment) = moment
        && let Some(response) = replica.read(moment, outgoing.clone()).await?
    {
        return Ok(response);
    }
    Ok(connection.exchange(outgoing).await?)
}

/// Records how a call ended, and returns what its caller gets: the engine's response, or an error
/// that says that the emulator failed.
fn record(
    exchange: PendingExchange,
    response: Result<EngineResponse, EmulatorFailure>,
) -> ProxyResponse {
    match response {
        Ok((head, body)) => {
            let error = match head.status.is_success() {
                true => None,
                false => wire::error_code(&wire::json_or_text(&body)),
            };
            let outcome = Outcome::status(head.status.as_u16(), Value::Null);
            exchange.end_with(Outcome { error, ..outcome }, body.clone());
            whole((head, body))
        }
        Err(failure) => {
            let reason = with_causes(&failure);
            exchange.span().in_scope(|| {
                tracing::error!(reason, "the emulator failed to carry out a database call");
            });
            let message = format!("The emulator failed, not the backend: {reason}");
            exchange.end(Outcome::emulator_failure(reason));
            let body = wire::error_body("InternalServerError", &message);
            whole(wire::json_response(StatusCode::INTERNAL_SERVER_ERROR, &body))
        }
    }
}

fn whole((head, body): EngineResponse) -> ProxyResponse {
    Response::from_parts(head, Either::Left(Full::new(body)))
}

/// The same text for the same request, in whatever order the client wrote its maps.
fn canonical_text(request: &Value) -> String {
    let mut sorted = request.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}
