//! A call while something is armed: it may have to wait, and it may fail.

use http::{Response, header};
use http_body_util::{Either, Full};
use serde_json::Value;

use super::{
    call,
    fault::{self, Truncated},
    link::Line,
    proxy::{Answer, CutOff, Outgoing, Raw, Shared, forward, record, whole},
};
use rehearse_core::{
    faults::{Cut, DatabaseFault, FaultableCall},
    journal::{Outcome, PendingExchange},
};

/// A call that faults or a meeting may be aimed at.
pub(super) struct Watched {
    /// The exchange's name.
    pub(super) name: String,
    pub(super) operation: String,
    /// Who makes it, when its URL says so.
    pub(super) function: Option<String>,
    pub(super) request: Value,
    pub(super) outgoing: Outgoing,
    /// Its entry in the journal.
    pub(super) open: PendingExchange,
}

/// Lets a call through in its turn, or plays the fault that strikes it.
pub(super) async fn play(watched: Watched, shared: &Shared, line: &Line) -> Result<Answer, CutOff> {
    let Watched { name, operation, function, request, outgoing, open } = watched;
    let Shared { tables, replica, faults, .. } = shared;
    let touched = || call::touched(&request, tables);
    let eventually_consistent = call::eventual(&operation, &request);
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
    let outgoing = match moment.filter(|_| call::writes(&operation)) {
        Some(moment) => {
            let (like, body) = outgoing.into_parts();
            replica.freeze(moment, &like, line).await?;
            Outgoing::from_parts(like, body)
        }
        None => outgoing,
    };
    let Some(fault) = faults.next_fault(&call) else {
        let (head, body) = forward(outgoing, line).await?;
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
        return Err(CutOff);
    }
    if let Some((status, body)) = fault::answer(&fault, &operation, &touched()) {
        let (head, body) = fault::response(status, &body);
        record(open, &head, &body);
        return Ok(whole((head, body)));
    }
    let (mut head, body) = match failure.database_fault {
        Some(DatabaseFault::ExpiredToken) => {
            forward(fresh(outgoing, request.clone()), line).await?
        }
        Some(DatabaseFault::Stale) => {
            let copy = match moment {
                Some(moment) => replica.answer(moment, &outgoing).await,
                None => None,
            };
            match copy {
                Some(answer) => answer?,
                // Nothing was written since: the rows of a moment ago are those of now.
                None => forward(outgoing, line).await?,
            }
        }
        _ => forward(outgoing, line).await?,
    };
    if failure.cut == Some(Cut::After) {
        // The caller sees nothing; the journal keeps what was lost.
        open.end_with(Outcome::cut(), body);
        faults.crash_if_requested(failure, Cut::After).await;
        return Err(CutOff);
    }
    match failure.database_fault {
        Some(DatabaseFault::Truncated) => {
            let half = Truncated::half_of(&body);
            spoiled(open, &(head.clone(), body), "truncated");
            Ok(Response::from_parts(head, Either::Right(half)))
        }
        Some(DatabaseFault::WrongCrc) => {
            fault::wrong_crc(&mut head.headers);
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
fn spoiled(open: PendingExchange, (head, body): &Raw, how: &str) {
    let outcome = Outcome::status(head.status.as_u16(), Value::Null).with_error(how);
    open.end_with(outcome, body.clone());
}

/// The request with a token that the engine has never seen; as it was when it has none.
fn fresh(outgoing: Outgoing, request: Value) -> Outgoing {
    let Some(body) = fault::with_fresh_token(request) else { return outgoing };
    let (mut parts, _) = outgoing.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Outgoing::from_parts(parts, Full::new(body))
}
