//! What a failure looks like on DynamoDB's wire.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::faults::Failure;

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
const JSON_1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// The error that a failure answers with; `None` when it only delays or cuts.
pub(super) fn answer(failure: &Failure) -> Option<(StatusCode, Value)> {
    let status = failure.status.or_else(|| failure.code.as_ref().map(|_| 400))?;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = failure.code.as_deref().unwrap_or(match status.as_u16() {
        400..=499 => "ThrottlingException",
        503 => "ServiceUnavailable",
        _ => "InternalServerError",
    });
    let message = "Injected by rehearse.";
    Some((status, json!({ "__type": format!("{NAMESPACE}#{code}"), "message": message })))
}

/// The error as a response.
pub(super) fn response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON_1_0);
    response
}
