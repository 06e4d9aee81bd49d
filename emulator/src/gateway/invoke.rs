//! How a function is run, whatever it is.

use std::time::{Duration, SystemTime};

use futures::future::BoxFuture;
use serde_json::Value;

/// One event for a function.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    /// The event as JSON.
    pub(super) event: String,
    /// When it will be stopped, in real time.
    pub(super) deadline: SystemTime,
    pub(super) timeout: Duration,
}

/// Why there is no answer. API Gateway tells its caller nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvokeError {
    #[error("the function panicked: {0}")]
    Panicked(String),
    #[error("the function was still running after {0:?}")]
    TimedOut(Duration),
    #[error("the function failed: {0}")]
    Failed(String),
}

impl InvokeError {
    /// Stable code for the journal.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Panicked(_) => "panic",
            Self::TimedOut(_) => "function_timeout",
            Self::Failed(_) => "function_error",
        }
    }
}

/// Something that runs a function: a router here, a process later.
pub(super) trait Invoke: Send + Sync {
    /// Runs it once; dropping the future stops it.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>>;
}
