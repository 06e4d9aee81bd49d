//! DynamoDB's responses as they go over the wire.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE, response};
use http_body_util::Full;
use hyper::body::{Body, Frame};
use serde_json::{Value, json};

const JSON_1_0: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const CHECKSUM: &str = "x-amz-crc32";

/// A request to an engine, with its whole body.
pub(crate) type EngineRequest = Request<Full<Bytes>>;

/// An engine's response with its whole body, every header and byte as it came.
pub(crate) type EngineResponse = (response::Parts, Bytes);

/// A response with a JSON body and its checksum.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> EngineResponse {
    let body = Bytes::from(body.to_string());
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = status;
    parts.headers.insert(CONTENT_TYPE, JSON_1_0);
    set_checksum(&mut parts.headers, &body);
    (parts, body)
}

/// The body of a DynamoDB error.
pub(crate) fn error_body(code: &str, message: &str) -> Value {
    json!({ "__type": error_type(code), "message": message })
}

/// The body of a canceled transaction, with one reason for each of its items.
pub(crate) fn transaction_canceled(reasons: &[Value]) -> Value {
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    json!({
        "__type": error_type("TransactionCanceledException"),
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        ),
        "CancellationReasons": reasons,
    })
}

/// The error code of a response body: what follows `#` in its `__type`.
pub(crate) fn error_code(body: &Value) -> Option<String> {
    let kind = body["__type"].as_str()?;
    Some(kind.rsplit('#').next().unwrap_or(kind).into())
}

/// A body as JSON, or as a string if it is not JSON.
pub(crate) fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

/// Whether the headers carry a checksum of the body.
pub(crate) fn has_checksum(headers: &HeaderMap) -> bool {
    headers.contains_key(CHECKSUM)
}

/// Sets the checksum header to the checksum of `body`.
pub(crate) fn set_checksum(headers: &mut HeaderMap, body: &[u8]) {
    headers.insert(CHECKSUM, crc32fast::hash(body).into());
}

/// Changes the checksum header so that it no longer matches the body.
pub(crate) fn corrupt_checksum(headers: &mut HeaderMap) {
    let right: u32 = headers.get(CHECKSUM).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    headers.insert(CHECKSUM, HeaderValue::from(right ^ 1));
}

fn error_type(code: &str) -> String {
    format!("com.amazonaws.dynamodb.v20120810#{code}")
}

/// A body that sends its first half and then breaks the connection.
#[derive(Debug)]
pub(crate) struct TruncatedBody {
    half: Option<Bytes>,
    flushed: bool,
}

/// The rest of a response was withheld on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the response was truncated")]
pub(crate) struct TruncatedError;

impl TruncatedBody {
    /// The first half of `body`.
    pub(crate) fn half_of(body: &Bytes) -> Self {
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
            // hyper flushes its buffer only when the body has nothing more to send for now.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(TruncatedError)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_code_is_the_last_part_of_its_type() {
        let body = error_body("ThrottlingException", "slow down");
        assert_eq!(body["__type"], "com.amazonaws.dynamodb.v20120810#ThrottlingException");
        assert_eq!(error_code(&body).as_deref(), Some("ThrottlingException"));
        assert_eq!(error_code(&json!({ "__type": "Plain" })).as_deref(), Some("Plain"));
        assert_eq!(error_code(&json!({})), None);
    }

    #[test]
    fn a_corrupted_checksum_differs_from_the_right_one() {
        let (mut parts, body) = json_response(StatusCode::OK, &json!({ "a": 1 }));
        let right = crc32fast::hash(&body).to_string();
        assert_eq!(parts.headers[CHECKSUM], right);
        corrupt_checksum(&mut parts.headers);
        assert_ne!(parts.headers[CHECKSUM], right);
    }
}
