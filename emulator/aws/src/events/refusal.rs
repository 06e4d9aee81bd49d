//! Lambda's refusals of a call, as its Invoke API writes them.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode},
};
use rehearse_core::{faults::Failure, journal::Outcome};
use serde_json::{Value, json};

/// A refusal: a status, the type of the error, and the body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: String,
    pub(super) body: Value,
}

impl Refusal {
    fn new(status: u16, kind: &str, body: Value) -> Self {
        Self { status, kind: kind.into(), body }
    }

    /// A refusal of a request that Lambda itself has read.
    fn by_lambda(status: u16, kind: &str, message: &str) -> Self {
        Self::new(status, kind, json!({ "Type": "User", "Message": message }))
    }

    pub(super) fn missing_token() -> Self {
        let body = json!({ "message": "Missing Authentication Token" });
        Self::new(403, "MissingAuthenticationTokenException", body)
    }

    pub(super) fn unrecognized_client() -> Self {
        let body = json!({ "message": "The security token included in the request is invalid." });
        Self::new(403, "UnrecognizedClientException", body)
    }

    pub(super) fn invalid_signature(message: &str) -> Self {
        Self::new(403, "InvalidSignatureException", json!({ "message": message }))
    }

    /// Its status is unverified.
    pub(super) fn incomplete(message: &str) -> Self {
        Self::new(403, "IncompleteSignatureException", json!({ "message": message }))
    }

    pub(super) fn unknown_call() -> Self {
        let message = "the emulator has one call of Lambda: POST \
                       /2015-03-31/functions/{FunctionName}/invocations";
        Self::new(404, "UnknownOperationException", json!({ "message": message }))
    }

    pub(super) fn unknown_function(arn: &str) -> Self {
        let message = format!("Function not found: {arn}");
        Self::by_lambda(404, "ResourceNotFoundException", &message)
    }

    /// The words are unverified.
    pub(super) fn invalid_type(given: &str) -> Self {
        let message = format!(
            "Value '{given}' at 'invocationType' failed to satisfy constraint: Member must satisfy \
             enum value set: [Event, RequestResponse, DryRun]"
        );
        Self::by_lambda(400, "InvalidParameterValueException", &message)
    }

    pub(super) fn no_json(error: &serde_json::Error) -> Self {
        let message = format!(
            "Could not parse request body into json: Could not parse payload into json: {error}"
        );
        Self::by_lambda(400, "InvalidRequestContentException", &message)
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let message =
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
        Self::by_lambda(413, "RequestTooLargeException", &message)
    }

    pub(super) fn throttled() -> Self {
        let body = json!({
            "Reason": "ConcurrentInvocationLimitExceeded",
            "Type": "User",
            "message": "Rate Exceeded.",
        });
        Self::new(429, "TooManyRequestsException", body)
    }

    /// The refusal that a fault asks for, if it asks for one.
    pub(super) fn of_fault(failure: &Failure) -> Option<Self> {
        if failure.status.is_none() && failure.code.is_none() {
            return None;
        }
        let status = failure.status.unwrap_or(500);
        let kind = failure.code.as_deref().unwrap_or(match status {
            400 => "InvalidParameterValueException",
            403 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            413 => "RequestTooLargeException",
            429 => "TooManyRequestsException",
            _ => "ServiceException",
        });
        let kind_of_fault = if status >= 500 { "Service" } else { "User" };
        let body = json!({ "Type": kind_of_fault, "Message": "a fault of the scenario" });
        Some(Self::new(status, kind, body))
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome::status(self.status, self.body.clone()).with_error(self.kind.clone())
    }

    pub(super) fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.to_string()));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if let Ok(kind) = HeaderValue::try_from(self.kind.as_str()) {
            headers.insert("x-amzn-errortype", kind);
        }
        response
    }
}
