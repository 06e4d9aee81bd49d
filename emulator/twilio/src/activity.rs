//! Counts what is under way, so that a caller can wait until nothing is.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

#[derive(Debug, Clone, Default)]
pub(super) struct ActivityTracker(Arc<ActivityCount>);

#[derive(Debug, Default)]
struct ActivityCount {
    under_way: AtomicUsize,
    idle: Notify,
}

/// One thing under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Activity(ActivityTracker);

impl ActivityTracker {
    pub fn begin(&self) -> Activity {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        Activity(self.clone())
    }

    /// Waits until nothing is under way.
    pub async fn idle(&self) {
        loop {
            // Made before the count is read: an end in between is not missed.
            let idle = self.0.idle.notified();
            if self.0.under_way.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        let count = &self.0.0;
        if count.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            count.idle.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn idle_waits_for_the_last_one() {
        let activity = ActivityTracker::default();
        activity.idle().await;
        let (one, two) = (activity.begin(), activity.begin());
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.idle().await }
        });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(two);
        waiting.await.unwrap();
    }
}
