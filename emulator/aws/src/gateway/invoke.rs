//! What it means to run a function, and how that can fail.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::Value;

use crate::function::Executable;
use rehearse_core::{elapsed::ElapsedTime, journal::Cause};

/// One event for a function.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: Arc<str>,
    pub(crate) trace_id: String,
    /// The event as JSON.
    pub(crate) event: String,
    /// How long the function may take from when it gets the event.
    pub(crate) timeout: Duration,
    /// The time that the timeout counts.
    pub(crate) time: ElapsedTime,
    /// Where the event is from.
    pub(crate) source: EventSource,
    /// The exchange of this invocation, which causes what the function does.
    pub(crate) cause: Cause,
    /// What caused that exchange.
    pub(crate) caused_by: Option<Cause>,
}

/// Where an event is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventSource {
    /// An API: the event is an HTTP request.
    Api,
    /// A schedule, or somebody who invokes the function: the event is any JSON.
    Other,
}

/// Why a function has no result. The journal tells it; API Gateway does not tell its client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvokeError {
    #[error("the function panicked: {0}")]
    Panicked(String),
    #[error("the function was still running after {}", seconds(*.0))]
    TimedOut(Duration),
    #[error("the function failed: {0}")]
    Failed(String),
    /// A fault asked for it.
    #[error("the function was killed, as this step asks")]
    Crashed,
    #[error("the function's process {how} before it answered{output}")]
    Exited { how: String, output: OutputTail },
    #[error("the function did not start: {how}{output}")]
    Init { how: String, output: OutputTail },
    /// An error with the end of what the function wrote.
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
    /// Its stable code in the journal.
    pub(crate) fn code(&self) -> &'static str {
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

/// The last lines that a function wrote; all of them are in the journal.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct OutputTail(pub(crate) Vec<String>);

impl fmt::Display for OutputTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it wrote nothing");
        }
        f.write_str("; it wrote last:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// A time as Lambda writes it: `14.00 seconds`.
fn seconds(time: Duration) -> String {
    format!("{:.2} seconds", time.as_secs_f64())
}

/// Runs a function: a router of this process, or a pool of processes.
pub(crate) trait RunFunction: Send + Sync {
    /// Runs it once. Dropping the future stops it at once.
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>>;

    /// Runs this executable from the next event on. A router ignores it.
    fn replace_executable(&self, _: Executable) {}

    /// Ends what runs outside of this process, before it returns: whoever drops a gateway may give the
    /// ports of what the functions call to somebody else. A router has nothing outside.
    fn stop(&self) {}
}
