//! Counts what is under way, so that a caller can wait until nothing is.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<Count>);

#[derive(Debug, Default)]
struct Count {
    under_way: AtomicUsize,
    idle: Notify,
}

/// One thing under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Work);

impl Work {
    pub fn begin(&self) -> Busy {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        Busy(self.clone())
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

impl Drop for Busy {
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
        let work = Work::default();
        work.idle().await;
        let (one, two) = (work.begin(), work.begin());
        let waiting = tokio::spawn({
            let work = work.clone();
            async move { work.idle().await }
        });
        drop(one);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(two);
        waiting.await.unwrap();
    }
}
