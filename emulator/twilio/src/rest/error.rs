//! The API's errors: a code with its text, a link and the HTTP status.

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

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
    match code {
        20001 => "Bad request",
        20003 => "Authenticate",
        20004 => "Method not allowed",
        20007 => "Page size too large",
        20009 => "Cannot delete or redact message before it is complete",
        20404 => "The requested resource was not found",
        20413 => "Request entity too large",
        20429 => "Too Many Requests",
        20500 => "Internal Server Error",
        20503 => "Service Unavailable",
        21211 => "Invalid 'To' Phone Number",
        21212 => "Invalid From Number (caller ID)",
        21422 => "The phone number you are attempting to purchase is not available",
        21481 => "Invalid PageToken",
        21602 => "Message body is required.",
        21603 => "A 'From' or 'MessagingServiceSid' parameter is required.",
        21604 => "A 'To' phone number is required.",
        21606 => {
            "The 'From' phone number provided is not a valid message-capable Twilio phone number"
        }
        21610 => "Attempt to send to unsubscribed recipient",
        21611 => "This 'From' number has exceeded the maximum number of queued messages",
        21614 => "'To' number is not a valid mobile number",
        21617 => "The concatenated message body exceeds the 1600 character limit",
        21619 => "A text message body, media urls or a content sid must be specified.",
        21620 => "Invalid media URL(s)",
        21623 => "Number of media files exceeds allowed limit",
        21624 => "The ValidityPeriod is invalid",
        21655 => "The ContentSid is invalid",
        21701 => "The Messaging Service does not exist",
        21705 => "The Messaging Service Sid is invalid",
        30409 => "The message cannot be canceled",
        35111 => "SendAt parameter is required for a scheduled message",
        35114 => "SendAt time must be between 300 seconds and 35 days from now",
        35118 => "MessagingServiceSid is required to schedule a message",
        30003 => "Unreachable destination handset",
        30004 => "Message blocked",
        30005 => "Unknown destination handset",
        30006 => "Landline or unreachable carrier",
        30007 => "Message filtered",
        30008 => "Unknown error",
        30034 => "US A2P 10DLC - Message from an Unregistered Number",
        30036 => "Validity Period Expired",
        _ => "The request was refused",
    }
}
