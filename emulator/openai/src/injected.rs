//! What a fault of a whole endpoint does to its requests.

use bytes::Bytes;
use serde_json::Value;

use super::{error::ApiError, respond::ResponseAction, script::CutPoint};
use rehearse_core::faults::{Cut, Failure};

/// How a fault ends a request before the request has any effect. `not_found` is the endpoint's own 404.
pub(super) fn action_before_effect(
    fault: &Failure,
    request: &Value,
    not_found: Option<&dyn Fn() -> Option<ApiError>>,
) -> Option<ResponseAction> {
    if fault.cut == Some(Cut::Before) {
        return Some(ResponseAction::Disconnect(Bytes::new()));
    }
    fault.status.map(|status| {
        let model = request["model"].as_str().unwrap_or("unknown");
        let code = fault.code.as_deref();
        let mut error = match (status, code, not_found) {
            (404, None, Some(not_found)) => not_found().unwrap_or_else(|| {
                ApiError::invalid("The requested resource was not found.").status(404)
            }),
            _ => ApiError::failure(status, code, model),
        };
        error.retry_after = fault.retry_after;
        ResponseAction::Error(error)
    })
}

/// What a fault makes of the response to a request that took effect.
pub(super) fn action_after_effect(fault: &Failure, action: ResponseAction) -> ResponseAction {
    match (fault.cut, action) {
        (Some(Cut::After), action) => ResponseAction::Disconnect(match action {
            ResponseAction::Complete(body, _)
            | ResponseAction::Truncate(body, ..)
            | ResponseAction::Disconnect(body) => body,
            ResponseAction::Error(_) | ResponseAction::SendMalformed => Bytes::new(),
        }),
        (Some(Cut::MidStream), ResponseAction::Complete(body, events)) => {
            ResponseAction::Truncate(body, events, CutPoint::MidStream)
        }
        (_, ResponseAction::Complete(..)) if fault.malformed => ResponseAction::SendMalformed,
        (_, action) => action,
    }
}
