//! The errors that faults inject, in DynamoDB's own format.

use bytes::Bytes;
use http::{StatusCode, header::CONTENT_LENGTH};
use http_body_util::Full;
use serde_json::{Value, json};

use super::wire::{self, EngineRequest};
use rehearse_core::faults::{DatabaseFault, Fault, TouchedRow};

/// Status and body of the error that a fault injects; `None` for faults that let the call reach
/// the engine.
pub(super) fn error_response(
    fault: &Fault,
    operation: &str,
    touched: &[TouchedRow],
) -> Option<(StatusCode, Value)> {
    let failure = &fault.failure;
    if failure.database_fault == Some(DatabaseFault::Conflict) {
        return Some((StatusCode::BAD_REQUEST, conflict(fault, operation, touched)));
    }
    let status = failure.status.or_else(|| failure.code.as_ref().map(|_| 400))?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = failure.code.as_deref().unwrap_or(match status.as_u16() {
        400..=499 => "ThrottlingException",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    });
    Some((status, wire::error_body(code, "Injected by rehearse.")))
}

/// The request as DynamoDB would treat it after its `ClientRequestToken` has expired: with a new
/// random token. Unchanged if it has no token.
pub(super) fn with_fresh_token(outgoing: EngineRequest, mut request: Value) -> EngineRequest {
    let Some(token) = request.get_mut("ClientRequestToken") else { return outgoing };
    *token = uuid::Uuid::new_v4().to_string().into();
    let (mut parts, _) = outgoing.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    EngineRequest::from_parts(parts, Full::new(Bytes::from(request.to_string())))
}

/// The error of a call whose row another transaction holds. A transaction gets a reason for each
/// of its items; a single write gets an error type of its own.
fn conflict(fault: &Fault, operation: &str, touched: &[TouchedRow]) -> Value {
    let message = "Transaction is ongoing for the item";
    if !operation.starts_with("Transact") {
        return wire::error_body("TransactionConflictException", message);
    }
    // A fault without table or key conflicts on the first item.
    let targeted = fault.target.table.is_some() || !fault.target.key.is_empty();
    let conflicts =
        |index: usize, row| if targeted { fault.target.matches_row(row) } else { index == 0 };
    let reasons: Vec<Value> = touched
        .iter()
        .enumerate()
        .map(|(index, row)| match conflicts(index, row) {
            true => json!({ "Code": "TransactionConflict", "Message": message }),
            false => json!({ "Code": "None" }),
        })
        .collect();
    wire::transaction_canceled(&reasons)
}
