//! Counts the activities under way, so that a caller can wait until there are none.

use std::sync::Arc;

use tokio::sync::watch;

/// Counts activities. Clones share the count.
#[derive(Debug, Clone, Default)]
pub struct ActivityTracker(Arc<watch::Sender<ActivityCount>>);

#[derive(Debug, Clone, Copy, Default)]
struct ActivityCount {
    begun: u64,
    ended: u64,
}

/// One activity. It ends when this is dropped.
#[must_use = "the activity ends when this is dropped"]
#[derive(Debug)]
pub struct Activity(ActivityTracker);

impl ActivityTracker {
    /// Counts an activity until the result is dropped.
    pub fn begin(&self) -> Activity {
        self.0.send_modify(|count| count.begun += 1);
        Activity(self.clone())
    }

    /// Waits until no activity is under way.
    pub async fn idle(&self) {
        // The sender is in `self`, so it is never closed.
        let _ = self.0.subscribe().wait_for(|count| count.begun == count.ended).await;
    }

    /// How many activities there have been; `None` while one is under way. Two looks with the same
    /// number say that nothing was under way in between.
    pub fn begun_if_idle(&self) -> Option<u64> {
        let count = *self.0.borrow();
        (count.begun == count.ended).then_some(count.begun)
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| count.ended += 1);
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

    #[test]
    fn an_activity_between_two_looks_is_seen() {
        let activity = ActivityTracker::default();
        let before = activity.begun_if_idle();
        assert!(before.is_some());
        let under_way = activity.begin();
        assert_eq!(activity.begun_if_idle(), None);
        drop(under_way);
        assert_ne!(activity.begun_if_idle(), before);
    }
}
