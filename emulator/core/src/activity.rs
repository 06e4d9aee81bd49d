//! Counts the activities under way, so that a caller can wait until there are none.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Counts activities. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct ActivityTracker(Arc<ActivityCount>);

#[derive(Debug, Default)]
struct ActivityCount {
    under_way: AtomicUsize,
    idle: Notify,
}

/// One activity. It ends when this is dropped.
#[must_use = "the activity ends when this is dropped"]
#[derive(Debug)]
pub struct Activity(ActivityTracker);

impl ActivityTracker {
    /// Counts an activity until the result is dropped.
    pub fn begin(&self) -> Activity {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        Activity(self.clone())
    }

    /// Waits until no activity is under way.
    pub async fn idle(&self) {
        loop {
            // Created before the count is read, so that an end in between is not missed.
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
    use rehearse_testutils::until;

    use super::*;

    #[tokio::test]
    async fn idle_waits_for_the_last_activity() {
        let activity = ActivityTracker::default();
        until("a tracker without activities to be idle", activity.idle()).await;
        let (one, two) = (activity.begin(), activity.begin());
        let waiting = tokio::spawn({
            let activity = activity.clone();
            async move { activity.idle().await }
        });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(two);
        until("the tracker to be idle after the last activity", waiting).await.unwrap();
    }
}
