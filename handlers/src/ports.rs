//! The traits behind which everything outside lies, in domain types only.
//!
//! Adapters implement them on DynamoDB, OpenAI and Twilio, tests in memory. Nothing else in `app`
//! reaches the outside, so the implementations control every choice, failure and delay.

mod store;

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::store::{
    BookOutcome, CancelOutcome, CompleteOutcome, CustomerBookings, EraseOutcome, HoldOutcome,
    OwnerWriteOutcome, RescheduleOutcome, Store, StoreError, TurnClaim,
};
use crate::domain::{
    background::BackgroundTask, phone::Phone, secret::Secret, turn::ConversationItem,
};

/// The cause of a failure, for the log and never for a customer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The assistant's language model.
#[async_trait]
pub trait Model: Send + Sync {
    /// Requests one round: takes the whole input and returns the model's output items in order.
    ///
    /// # Errors
    /// Every [`ModelError`].
    async fn respond(&self, request: ModelRequest<'_>)
    -> Result<Vec<ConversationItem>, ModelError>;
}

/// A request to the model. The provider keeps nothing between rounds.
#[derive(Debug)]
pub struct ModelRequest<'a> {
    /// The instructions; contain no customer text.
    pub instructions: &'a str,
    /// The conversation, oldest first.
    pub input: &'a [ConversationItem],
    /// The tools that the model may call.
    pub tools: &'a [ToolSpec],
    /// Identifies the customer without revealing the phone number.
    pub safety_identifier: &'a str,
}

/// A tool as the model sees it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// Name that the model calls.
    pub name: &'static str,
    /// When the model should call it.
    pub description: &'static str,
    /// Strict JSON schema of the arguments.
    pub parameters: serde_json::Value,
}

/// Why a round has no usable output. Every case leads to the fallback text; they differ in the log.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Unreachable, overloaded, rate-limited for too long, or an error response.
    #[error("the model is unavailable")]
    Unavailable(#[source] BoxError),
    /// The provider rejected the request as invalid: a defect of this backend.
    #[error("the model rejected the request")]
    Rejected(#[source] BoxError),
    /// The model declined to answer.
    #[error("the model refused to answer")]
    Refused,
    /// A content filter stopped the output.
    #[error("the answer was filtered")]
    Filtered,
    /// The output reached its token limit.
    #[error("the answer was incomplete")]
    Incomplete,
    /// The output has neither text nor call.
    #[error("the answer was empty")]
    Empty,
}

/// Sends texts outside of the webhook's response.
#[async_trait]
pub trait Sms: Send + Sync {
    /// Sends one text from the shop's number. With `wants_report` the provider reports what became
    /// of it, as far as it knows where to.
    ///
    /// # Errors
    /// Every [`SmsError`].
    async fn send(&self, to: &Phone, body: &str, wants_report: bool) -> Result<(), SmsError>;
    /// Whether exactly this text went to this number at `since` or later, for a send whose outcome
    /// is unknown.
    ///
    /// # Errors
    /// Every [`SmsError`] but [`SmsError::OptedOut`].
    async fn was_sent(&self, to: &Phone, body: &str, since: Timestamp) -> Result<bool, SmsError>;
}

/// Runs work outside of the request that asks for it.
#[async_trait]
pub trait BackgroundWorker: Send + Sync {
    /// Starts the work and does not wait for its end.
    ///
    /// # Errors
    /// When it was not started.
    async fn start(&self, task: &BackgroundTask) -> Result<(), BoxError>;
}

/// Why a text was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// The recipient has opted out (Twilio's code 21610); a retry is useless.
    #[error("the recipient has opted out")]
    OptedOut,
    /// The provider refused this text for another reason; a retry is useless.
    #[error("the provider refused the message (code {code:?})")]
    Refused {
        /// Twilio's error code, when the body had one.
        code: Option<u32>,
    },
    /// It was not sent; a retry may help.
    #[error("the provider is unavailable")]
    Unavailable(#[source] BoxError),
    /// It is unknown whether it was sent: the request went out and had no answer.
    #[error("the provider gave no answer")]
    Unknown(#[source] BoxError),
}

/// A secret that may be rotated while the function runs.
#[async_trait]
pub trait Credential: Send + Sync {
    /// The secret as last fetched; the first call fetches it.
    ///
    /// # Errors
    /// When it cannot be fetched.
    async fn current(&self) -> Result<Secret, CredentialError>;
    /// A newer value than `stale`, which was not accepted. `None` when there is none, when it
    /// cannot be fetched, and when it was asked for within the last minute.
    async fn refresh(&self, stale: &Secret) -> Option<Secret>;
}

/// The secret could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{variable} cannot be fetched")]
pub struct CredentialError {
    /// The variable that it stands for.
    pub variable: &'static str,
    /// The cause.
    #[source]
    pub source: BoxError,
}

/// Generates identifiers. The only source of randomness.
pub trait IdGenerator: Send + Sync {
    /// 128 random bits as 32 lower-case hexadecimal digits.
    fn generate(&self) -> String;
}

/// Elapsed time for deadlines, leases and delays. Not business time.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Milliseconds since the Unix epoch by the machine's clock, for leases shared between
    /// machines.
    fn unix_ms(&self) -> i64;
    /// Resolves after this time.
    async fn sleep(&self, time: Duration);
}
