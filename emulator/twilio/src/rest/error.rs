//! The API's errors: a code with its text, a link and the HTTP status.

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

use crate::error_text;
use rehearse_core::faults::Failure;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub(super) struct ApiError {
    pub status: u16,
    pub code: u32,
    pub message: Cow<'static, str>,
    /// The value of the `Retry-After` header, in seconds.
    pub retry_after: Option<u32>,
}

/// The JSON of an error, with its keys in Twilio's order.
#[derive(Debug, Serialize)]
pub(super) struct ErrorBody<'a> {
    code: u32,
    message: &'a str,
    more_info: String,
    status: u16,
}

impl ApiError {
    /// An error with Twilio's general text for the code.
    pub fn new(code: u32) -> Self {
        Self::with(code, text(code))
    }

    /// An error with a text about this request.
    pub fn with(code: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: status(code), code, message: message.into(), retry_after: None }
    }

    pub fn not_found(path: &str) -> Self {
        Self::with(20404, format!("The requested resource {path} was not found"))
    }

    /// The error that an injected failure asks for; `None` when it only delays or cuts.
    pub fn of(failure: &Failure) -> Option<Self> {
        let code = failure.code.as_deref().and_then(|code| code.parse().ok());
        let mut error = match (code, failure.status) {
            (Some(code), _) => Self::new(code),
            (None, Some(status)) => Self::new(code_of(status)),
            (None, None) => return None,
        };
        error.status = failure.status.unwrap_or(error.status);
        error.retry_after = failure.retry_after;
        Some(error)
    }

    pub fn body(&self) -> ErrorBody<'_> {
        ErrorBody {
            code: self.code,
            message: &self.message,
            more_info: format!("https://www.twilio.com/docs/errors/{}", self.code),
            status: self.status,
        }
    }
}

/// The HTTP status of a code.
fn status(code: u32) -> u16 {
    match code {
        20003 => 401,
        20404 => 404,
        20004 => 405,
        20413 => 413,
        21710 | 21712 => 409,
        20429 => 429,
        20500 => 500,
        20503 => 503,
        _ => 400,
    }
}

/// The general code of an HTTP status.
fn code_of(status: u16) -> u32 {
    match status {
        400 => 20001,
        401 => 20003,
        405 => 20004,
        status => 20000 + u32::from(status),
    }
}

/// Twilio's text for a code: the API's own errors, and those of messages that were not delivered.
pub(super) fn text(code: u32) -> &'static str {
    error_text(code).unwrap_or("The request was refused")
}
