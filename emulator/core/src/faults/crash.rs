//! Terminating the function that makes a call, as if its process were killed or its time were up.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Terminates a function at one of its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// Logical id of the function.
    pub function: String,
    /// How it is terminated.
    pub kind: CrashKind,
    /// The attempt of the webhook at which it happens, from 1; `None` is the first attempt that
    /// makes the call.
    pub attempt: Option<u64>,
}

/// How a function is terminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// Its process is killed.
    Killed,
    /// It reaches its timeout.
    TimedOut,
}

impl Crash {
    /// Whether the function is terminated at this call. A call whose caller is unknown counts as
    /// the function's own.
    pub(super) fn applies_to(&self, call: &super::FaultableCall<'_>, attempts: u64) -> bool {
        call.function.is_none_or(|function| function == self.function)
            && self.attempt.is_none_or(|attempt| attempt == attempts.max(1))
    }
}

type Handler = dyn Fn(&str, CrashKind) + Send + Sync;

/// What terminates functions; nothing does until a gateway has set a handler.
#[derive(Clone, Default)]
pub(super) struct CrashHandler(Arc<Mutex<Option<Arc<Handler>>>>);

impl CrashHandler {
    pub(super) fn set(&self, handler: impl Fn(&str, CrashKind) + Send + Sync + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(handler));
    }

    /// Terminates the function and never resolves: a response would reach the function before its
    /// termination does. The caller's task ends when the function's connection closes. Returns at
    /// once when there is no handler.
    pub(super) async fn crash(&self, crash: &Crash) {
        let handler = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(handler) = handler {
            handler(&crash.function, crash.kind);
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for CrashHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrashHandler")
    }
}
