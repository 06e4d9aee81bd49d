//! The running invocations of a function, so that a fault can crash one of them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rehearse_core::faults::CrashKind;
use tokio::sync::oneshot;

/// The running invocations of one function, the oldest first.
#[derive(Debug, Default)]
pub(super) struct RunningInvocations(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    all: Vec<(u64, oneshot::Sender<CrashKind>)>,
}

impl RunningInvocations {
    /// Notes a new invocation. The receiver gets a crash that is asked for.
    pub(super) fn start(&self) -> (InvocationGuard<'_>, oneshot::Receiver<CrashKind>) {
        let (sender, told) = oneshot::channel();
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.all.push((id, sender));
        (InvocationGuard { running: self, id }, told)
    }

    /// Crashes the oldest one, if there is one.
    pub(super) fn crash_oldest(&self, how: CrashKind) {
        let mut state = self.lock();
        if !state.all.is_empty() {
            // It may have ended just now.
            let _ = state.all.remove(0).1.send(how);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An invocation on the list. Dropping it takes it off.
pub(super) struct InvocationGuard<'a> {
    running: &'a RunningInvocations,
    id: u64,
}

impl Drop for InvocationGuard<'_> {
    fn drop(&mut self) {
        self.running.lock().all.retain(|(id, _)| *id != self.id);
    }
}
