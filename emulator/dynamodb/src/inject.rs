//! A call while something is armed: it may have to wait, and it may fail.

use http::{Response, header};
use http_body_util::{Either, Full};
use serde_json::Value;

use super::{
    fault_response::{self, TruncatedBody},
    proxy::{
        ConnectionCut, EngineRequest, ProxyResponse, ProxyState, RawResponse, forward, record,
        whole,
    },
    request,
    route::EngineConnection,
};
use rehearse_core::{
    faults::{Cut, DatabaseFault, FaultableCall},
    journal::{Outcome, PendingExchange},
};

/// A call that faults or a meeting may be aimed at.
pub(super) struct InspectedCall {
    /// The exchange's name.
    pub(super) name: String,
    pub(super) operation: String,
    /// Who makes it, when its URL says so.
    pub(super) function: Option<String>,
    pub(super) request: Value,
    pub(super) outgoing: EngineRequest,
    /// Its entry in the journal.
    pub(super) open: PendingExchange,
}

/// Lets a call through in its turn, or plays the fault that strikes it.
pub(super) async fn inject(
    watched: InspectedCall,
    shared: &ProxyState,
    connection: &EngineConnection,
) -> Result<ProxyResponse, ConnectionCut> {
    let InspectedCall { name, operation, function, request, outgoing, open } = watched;
    let ProxyState { tables, replica, faults, .. } = shared;
    let touched = || request::touched(&request, tables);
    let eventually_consistent = request::eventual(&operation, &request);
    let call = FaultableCall {
        name: &name,
        touched: &touched,
        eventually_consistent,
        function: function.as_deref(),
    };

    // Kept until this call has its answer: only then does the next one of a meeting go on.
    let mut ticket = faults.join_rendezvous(&call, || identity(&request));
    if let Some(ticket) = &mut ticket {
        ticket.turn().await;
    }
    let moment = faults.latest_stale();
    let outgoing = match moment.filter(|_| request::writes(&operation)) {
        Some(moment) => {
            let (like, body) = outgoing.into_parts();
            replica.freeze(moment, &like, connection).await?;
            EngineRequest::from_parts(like, body)
        }
        None => outgoing,
    };
    let Some(fault) = faults.next_fault(&call) else {
        let (head, body) = forward(outgoing, connection).await?;
        record(open, &head, &body);
        return Ok(whole((head, body)));
    };

    let failure = &fault.failure;
    if !failure.delay().is_zero() {
        tokio::time::sleep(failure.delay()).await;
    }
    if failure.cut == Some(Cut::Before) {
        drop(open);
        faults.crash_if_requested(failure, Cut::Before).await;
        return Err(ConnectionCut);
    }
    if let Some((status, body)) = fault_response::answer(&fault, &operation, &touched()) {
        let (head, body) = fault_response::response(status, &body);
        record(open, &head, &body);
        return Ok(whole((head, body)));
    }
    let (mut head, body) = match failure.database_fault {
        Some(DatabaseFault::ExpiredToken) => {
            forward(fresh(outgoing, request.clone()), connection).await?
        }
        Some(DatabaseFault::Stale) => {
            let copy = match moment {
                Some(moment) => replica.answer(moment, &outgoing).await,
                None => None,
            };
            match copy {
                Some(answer) => answer?,
                // Nothing was written since: the rows of a moment ago are those of now.
                None => forward(outgoing, connection).await?,
            }
        }
        _ => forward(outgoing, connection).await?,
    };
    if failure.cut == Some(Cut::After) {
        // The caller sees nothing; the journal keeps what was lost.
        open.end_with(Outcome::cut(), body);
        faults.crash_if_requested(failure, Cut::After).await;
        return Err(ConnectionCut);
    }
    match failure.database_fault {
        Some(DatabaseFault::Truncated) => {
            let half = TruncatedBody::half_of(&body);
            spoiled(open, &(head.clone(), body), "truncated");
            Ok(Response::from_parts(head, Either::Right(half)))
        }
        Some(DatabaseFault::WrongCrc) => {
            fault_response::wrong_crc(&mut head.headers);
            spoiled(open, &(head.clone(), body.clone()), "wrong-crc");
            Ok(whole((head, body)))
        }
        Some(DatabaseFault::Stale) => {
            spoiled(open, &(head.clone(), body.clone()), "stale");
            Ok(whole((head, body)))
        }
        _ => {
            record(open, &head, &body);
            Ok(whole((head, body)))
        }
    }
}

/// The same text for the same request: clients write maps in any order.
fn identity(request: &Value) -> String {
    let mut sorted = request.clone();
    sorted.sort_all_objects();
    sorted.to_string()
}

/// Ends an exchange whose answer was right until it was spoiled on its way.
fn spoiled(open: PendingExchange, (head, body): &RawResponse, how: &str) {
    let outcome = Outcome::status(head.status.as_u16(), Value::Null).with_error(how);
    open.end_with(outcome, body.clone());
}

/// The request with a token that the engine has never seen; as it was when it has none.
fn fresh(outgoing: EngineRequest, request: Value) -> EngineRequest {
    let Some(body) = fault_response::with_fresh_token(request) else { return outgoing };
    let (mut parts, _) = outgoing.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    EngineRequest::from_parts(parts, Full::new(body))
}
