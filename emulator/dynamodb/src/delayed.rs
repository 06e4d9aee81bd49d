//! Calls that a fault delays.
//!
//! DynamoDB carries out a call that it has received, also when its caller stops waiting. So a delayed
//! call is a task of its own, which the end of its connection does not end.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rehearse_core::activity::ActivityTracker;
use tokio::{sync::oneshot, task::JoinSet};

/// The longest delay whose end is waited for. Who writes a longer one means a call that hangs.
const LONGEST_AWAITED_DELAY: Duration = Duration::from_secs(5);

/// The delayed calls of one proxy. Dropping it abandons those that are outstanding.
#[derive(Debug, Default)]
pub(super) struct DelayedCalls {
    activity: ActivityTracker,
    tasks: Mutex<JoinSet<()>>,
}

impl DelayedCalls {
    /// Carries out a call after a delay, on the current runtime. It is outstanding until it has
    /// ended, unless the delay is so long that nobody waits for it. The receiver gets its result, or
    /// an error when it is abandoned.
    pub(super) fn begin<T: Send + 'static>(
        &self,
        delay: Duration,
        call: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let activity = (delay <= LONGEST_AWAITED_DELAY).then(|| self.activity.begin());
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _activity = activity;
            tokio::time::sleep(delay).await;
            // The caller may have stopped waiting.
            let _ = sender.send(call.await);
        });
        receiver
    }

    /// Waits until none is outstanding.
    pub(super) async fn settled(&self) {
        self.activity.idle().await;
    }

    /// How many there have been; `None` while one is outstanding.
    pub(super) fn begun_if_idle(&self) -> Option<u64> {
        self.activity.begun_if_idle()
    }

    /// Abandons those that are outstanding, and waits until none of them runs any more.
    pub(super) async fn abandon(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
