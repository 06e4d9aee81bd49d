//! The responses that API Gateway gives by itself, by the kind of API.
//!
//! AWS documents those of REST APIs (gateway response types, errors of Lambda integrations) and few
//! of those of HTTP APIs. What no document states is marked unverified.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::{invoke::InvokeError, response};
use crate::template::ApiKind;

/// The header in which a REST API names the error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Why a request gets no response of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GatewayError {
    /// It is not HTTP, or no URL can be made of its Host.
    Malformed,
    /// Its request line and headers are over the limit.
    HeadTooLarge,
    /// It was sent too slowly.
    TooSlow,
    /// Its body is over API Gateway's limit.
    BodyTooLarge,
    /// Its URL names no stage, or no mapping of the custom domain.
    NoStage,
    /// No route has this path and method.
    NoRoute,
    /// No route can have its method.
    NoMethod,
    /// Its route is throttled.
    Throttled,
    /// Its event is over Lambda's limit.
    EventTooLarge,
    /// The function runs as often at once as it may.
    Busy,
    /// The function failed, did not start, or took longer than its own timeout.
    Failed,
    /// The function's result is malformed, or over Lambda's limit.
    Unreadable,
    /// The function took longer than API Gateway waits.
    TooLong,
}

impl GatewayError {
    /// The error as API Gateway sees it.
    pub(super) fn from_invoke_error(error: &InvokeError) -> Self {
        match error {
            InvokeError::Throttled { .. } => Self::Busy,
            InvokeError::TooLarge { what: "event", .. } => Self::EventTooLarge,
            InvokeError::TooLarge { .. } | InvokeError::Malformed(_) => Self::Unreadable,
            InvokeError::WithOutput { error, .. } => Self::from_invoke_error(error),
            InvokeError::Panicked(_)
            | InvokeError::TimedOut(_)
            | InvokeError::Failed(_)
            | InvokeError::Crashed
            | InvokeError::Exited { .. }
            | InvokeError::Init { .. } => Self::Failed,
        }
    }

    /// The response of this kind of API.
    pub(super) fn response(self, kind: ApiKind) -> Response<Bytes> {
        let (status, message, error_type) = match kind {
            ApiKind::Http => {
                let (status, message) = self.http();
                (status, message, None)
            }
            ApiKind::Rest => {
                let (status, message, error_type) = self.rest();
                (status, message, Some(error_type))
            }
        };
        let mut response = response::message(status, message);
        if let Some(error_type) = error_type {
            response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(error_type));
        }
        response
    }

    fn http(self) -> (StatusCode, &'static str) {
        match self {
            // Unverified.
            Self::Malformed => (StatusCode::BAD_REQUEST, "Bad Request"),
            // Unverified.
            Self::HeadTooLarge => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
            }
            // Unverified.
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::NoStage | Self::NoRoute => (StatusCode::NOT_FOUND, "Not Found"),
            // Unverified. For GET where there is only POST it is `NoRoute`.
            Self::NoMethod => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
            Self::Throttled => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
            // Unverified: Lambda itself refuses with 413.
            Self::EventTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            // Unverified: Lambda itself refuses with 429.
            Self::Busy => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
            Self::Failed | Self::Unreadable => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::TooLong => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    fn rest(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "Bad Request", "BadRequestException"),
            // Unverified.
            Self::HeadTooLarge => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
                "BadRequestException",
            ),
            // Unverified.
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "Request Timeout", "BadRequestException")
            }
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long", "RequestTooLongException")
            }
            Self::NoStage => (StatusCode::FORBIDDEN, "Forbidden", "ForbiddenException"),
            // Without a route there is nothing that could say that it needs no token.
            Self::NoRoute => (
                StatusCode::FORBIDDEN,
                "Missing Authentication Token",
                "MissingAuthenticationTokenException",
            ),
            // Unverified.
            Self::NoMethod => {
                (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", "BadRequestException")
            }
            Self::Throttled => {
                (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", "TooManyRequestsException")
            }
            // "If the Lambda API rejects the invocation request, API Gateway returns a 500."
            Self::EventTooLarge | Self::Busy => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal server error",
                "InternalServerErrorException",
            ),
            // "If the function runs but returns an error, or a response in the wrong format: 502."
            Self::Failed | Self::Unreadable => {
                (StatusCode::BAD_GATEWAY, "Internal server error", "InternalServerErrorException")
            }
            Self::TooLong => (
                StatusCode::GATEWAY_TIMEOUT,
                "Endpoint request timed out",
                "InternalServerErrorException",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(kind: ApiKind) -> Vec<(u16, String)> {
        let errors = [
            GatewayError::BodyTooLarge,
            GatewayError::NoStage,
            GatewayError::NoRoute,
            GatewayError::Throttled,
            GatewayError::Busy,
            GatewayError::Failed,
            GatewayError::TooLong,
        ];
        let read = |gateway_error: GatewayError| {
            let response = gateway_error.response(kind);
            let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
            (response.status().as_u16(), body["message"].as_str().unwrap().to_owned())
        };
        errors.into_iter().map(read).collect()
    }

    #[test]
    fn an_http_apis_answers() {
        let expected = [
            (413, "Request Entity Too Large"),
            (404, "Not Found"),
            (404, "Not Found"),
            (429, "Too Many Requests"),
            (429, "Too Many Requests"),
            (500, "Internal Server Error"),
            (503, "Service Unavailable"),
        ];
        assert_eq!(all(ApiKind::Http), expected.map(|(code, text)| (code, text.to_owned())));
    }

    #[test]
    fn a_rest_apis_answers() {
        let expected = [
            (413, "Request Too Long"),
            (403, "Forbidden"),
            (403, "Missing Authentication Token"),
            (429, "Too Many Requests"),
            (500, "Internal server error"),
            (502, "Internal server error"),
            (504, "Endpoint request timed out"),
        ];
        assert_eq!(all(ApiKind::Rest), expected.map(|(code, text)| (code, text.to_owned())));
        let headers = GatewayError::NoRoute.response(ApiKind::Rest).into_parts().0.headers;
        assert_eq!(headers["x-amzn-errortype"], "MissingAuthenticationTokenException");
    }
}
