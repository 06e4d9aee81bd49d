//! What a failure looks like on DynamoDB's wire.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame};
use serde_json::{Value, json};

use super::{proxy::RawResponse, request};
use rehearse_core::faults::{DatabaseFault, Fault, TouchedRow};

const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
const JSON_1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const CRC: &str = "x-amz-crc32";

/// The body of an answer, whole or cut off in the middle.
pub(super) type ProxyBody = Either<Full<Bytes>, TruncatedBody>;

/// The error that a fault answers with; `None` when it answers with none of its own.
pub(super) fn answer(
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
    let message = "Injected by rehearse.";
    Some((status, json!({ "__type": format!("{NAMESPACE}#{code}"), "message": message })))
}

/// A transaction names the rows that another one holds; a single write has an error of its own.
fn conflict(fault: &Fault, operation: &str, touched: &[TouchedRow]) -> Value {
    let message = "Transaction is ongoing for the item";
    if !operation.starts_with("Transact") {
        let code = format!("{NAMESPACE}#TransactionConflictException");
        return json!({ "__type": code, "message": message });
    }
    // Aimed at nothing in particular, it is the first row.
    let aimed = fault.target.table.is_some() || !fault.target.key.is_empty();
    let held = |index: usize, row| if aimed { fault.target.matches_row(row) } else { index == 0 };
    let reasons: Vec<Value> = touched
        .iter()
        .enumerate()
        .map(|(index, row)| match held(index, row) {
            true => json!({ "Code": "TransactionConflict", "Message": message }),
            false => json!({ "Code": "None" }),
        })
        .collect();
    canceled(&reasons)
}

/// A transaction that was canceled, with a reason for each of its items.
pub(super) fn canceled(reasons: &[Value]) -> Value {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    json!({
        "__type": format!("{NAMESPACE}#TransactionCanceledException"),
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        ),
        "CancellationReasons": reasons,
    })
}

/// The error as a response.
pub(super) fn response(status: StatusCode, body: &Value) -> RawResponse {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON_1_0);
    (response.into_parts().0, body.to_string().into())
}

/// Makes the checksum that of another body.
pub(super) fn wrong_crc(headers: &mut HeaderMap) {
    let right: u32 = headers.get(CRC).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    headers.insert(CRC, HeaderValue::from(right ^ 1));
}

/// The request as it would come after its token has expired: with a token never seen before.
pub(super) fn with_fresh_token(mut request: Value) -> Option<Bytes> {
    let token = request.get_mut("ClientRequestToken")?;
    *token = uuid::Uuid::new_v4().to_string().into();
    Some(Bytes::from(request.to_string()))
}

/// The error that an answer tells of.
pub(super) fn code(status: StatusCode, body: &[u8]) -> Option<String> {
    if status.is_success() { None } else { request::error_code(&request::json_or_text(body)) }
}

/// Half of a body; then the connection breaks.
#[derive(Debug)]
pub(super) struct TruncatedBody {
    half: Option<Bytes>,
    flushed: bool,
}

/// The rest of an answer was withheld.
#[derive(Debug, thiserror::Error)]
#[error("the answer was truncated")]
pub(super) struct TruncatedError;

impl TruncatedBody {
    /// The first half of a body.
    pub(super) fn half_of(body: &Bytes) -> Self {
        Self { half: Some(body.slice(..body.len() / 2)), flushed: false }
    }
}

impl Body for TruncatedBody {
    type Data = Bytes;
    type Error = TruncatedError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TruncatedError>>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.flushed {
            // What was sent leaves the buffer only when there is nothing more to send for now.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(TruncatedError)))
    }
}
