//! How a function is run, whatever it is.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::function::Executable;

/// One event for a function.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) request_id: Arc<str>,
    pub(super) trace_id: String,
    /// The event as JSON.
    pub(super) event: String,
    /// How long the function may take, from the time when it gets the event.
    pub(super) timeout: Duration,
}

/// Why there is no answer. API Gateway tells its caller nothing of it.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvokeError {
    #[error("the function panicked: {0}")]
    Panicked(String),
    #[error("the function was still running after {}", seconds(*.0))]
    TimedOut(Duration),
    #[error("the function failed: {0}")]
    Failed(String),
    /// The scenario asked for it.
    #[error("the function was killed, as this step asks")]
    Crashed,
    #[error("the function's process {how} before it answered{output}")]
    Exited { how: String, output: OutputTail },
    #[error("the function did not start: {how}{output}")]
    Init { how: String, output: OutputTail },
    /// What it wrote last, beside what went wrong.
    #[error("{error}{output}")]
    WithOutput { error: Box<InvokeError>, output: OutputTail },
    #[error("the function's answer is not JSON: {0}")]
    Malformed(serde_json::Error),
    #[error("the function's {what} has more than the {limit} bytes that Lambda takes")]
    TooLarge { what: &'static str, limit: usize },
    #[error(
        "the function was throttled: {limit} run at once already (--concurrency, \
         ReservedConcurrentExecutions)"
    )]
    Throttled { limit: usize },
}

impl InvokeError {
    /// Stable code for the journal.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Panicked(_) => "panic",
            Self::TimedOut(_) => "function_timeout",
            Self::Failed(_) => "function_error",
            Self::Crashed | Self::Exited { .. } => "function_exit",
            Self::Init { .. } => "function_init",
            Self::WithOutput { error, .. } => error.code(),
            Self::Malformed(_) => "malformed_response",
            Self::TooLarge { .. } => "payload_too_large",
            Self::Throttled { .. } => "throttled",
        }
    }
}

/// The end of what a function wrote; the rest is in the journal.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct OutputTail(pub(super) Vec<String>);

impl fmt::Display for OutputTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it wrote nothing");
        }
        f.write_str("; it wrote last:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// In Lambda's own style: `14.00 seconds`.
fn seconds(time: Duration) -> String {
    format!("{:.2} seconds", time.as_secs_f64())
}

/// Something that runs a function: a router of this process, or processes of their own.
pub(super) trait RunFunction: Send + Sync {
    /// Runs it once; dropping the future stops it where it stands.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>>;

    /// From now on this is run, where it is an executable at all.
    fn replace_executable(&self, _: Executable) {}
}
