//! The function whose call is armed_fault ends there, as if its process were killed or its time were up.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// How a function ends at one of its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// Logical id of the function.
    pub function: String,
    /// How.
    pub how: CrashKind,
    /// At which attempt of the webhook, from 1; `None` is the first that makes the call.
    pub attempt: Option<u64>,
}

/// How a function ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// Its process is killed.
    Killed,
    /// Its time is up.
    TimedOut,
}

impl Crash {
    /// Whether a call is the one to end at. A fake that does not know its caller takes any.
    pub(super) fn is_of(&self, call: &super::FaultableCall<'_>, attempts: u64) -> bool {
        call.function.is_none_or(|function| function == self.function)
            && self.attempt.is_none_or(|attempt| attempt == attempts.max(1))
    }
}

type Handler = dyn Fn(&str, CrashKind) + Send + Sync;

/// Who ends functions; nobody until a gateway is there.
#[derive(Clone, Default)]
pub(super) struct CrashHandler(Arc<Mutex<Option<Arc<Handler>>>>);

impl CrashHandler {
    pub(super) fn set(&self, handler: impl Fn(&str, CrashKind) + Send + Sync + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(handler));
    }

    /// Ends the function, and never returns: its connection, and this call with it, goes when
    /// it does. An answer would reach it before its end.
    pub(super) async fn end(&self, crash: &Crash) {
        let handler = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(handler) = handler {
            handler(&crash.function, crash.how);
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for CrashHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrashHandler")
    }
}
