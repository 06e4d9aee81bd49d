//! The elapsed time of a world, which timeouts and deadlines count: it stands still while somebody answers
//! a round of the model by hand.
//!
//! ```
//! use std::time::Duration;
//! use rehearse_core::elapsed::ElapsedTime;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let time = ElapsedTime::default();
//! let still = time.stand_still();
//! let sleeper = tokio::spawn({
//!     let time = time.clone();
//!     async move { time.timeout(Duration::ZERO, std::future::pending::<()>()).await }
//! });
//! tokio::task::yield_now().await;
//! assert!(!sleeper.is_finished());
//! drop(still);
//! assert!(sleeper.await.unwrap().is_none());
//! # }
//! ```

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

/// The elapsed time of one world. Clones share it.
#[derive(Clone)]
pub struct ElapsedTime {
    start: Instant,
    state: Arc<watch::Sender<State>>,
}

/// Elapsed time stands still until this is dropped, and longer if somebody else has another one.
#[must_use = "time goes on when this is dropped"]
#[derive(Debug)]
pub struct Standstill(ElapsedTime);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// How many [`Standstill`]s there are.
    holders: usize,
    /// When the first of them began.
    since: Option<Instant>,
    /// How long time has stood still before.
    stood: Duration,
}

impl Default for ElapsedTime {
    fn default() -> Self {
        Self { start: Instant::now(), state: Arc::default() }
    }
}

impl ElapsedTime {
    /// Elapsed time since its beginning.
    pub fn now(&self) -> Duration {
        let now = Instant::now();
        now.duration_since(self.start).saturating_sub(self.state.borrow().stood(now))
    }

    /// How long it has stood still so far.
    pub fn stood(&self) -> Duration {
        self.state.borrow().stood(Instant::now())
    }

    /// Whether it stands still.
    pub fn stands_still(&self) -> bool {
        self.state.borrow().holders > 0
    }

    /// Stops it.
    pub fn stand_still(&self) -> Standstill {
        self.state.send_modify(|state| {
            state.holders += 1;
            state.since.get_or_insert_with(Instant::now);
        });
        Standstill(self.clone())
    }

    /// Resolves when this much time has elapsed.
    pub async fn sleep(&self, time: Duration) {
        let mut changes = self.state.subscribe();
        // Longer than anybody waits, and no overflow.
        let until = self.now().saturating_add(time);
        loop {
            let stands_still = changes.borrow_and_update().holders > 0;
            let left = until.saturating_sub(self.now());
            if stands_still {
                // The sender is in `self`, so it is never closed.
                let _ = changes.changed().await;
            } else if left.is_zero() || tokio::time::timeout(left, changes.changed()).await.is_err()
            {
                return;
            }
        }
    }

    /// What a future gives; `None` when it has not resolved within this much elapsed time.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let (mut future, mut sleep) = (pin!(future), pin!(self.sleep(limit)));
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Some(output));
            }
            sleep.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}

impl State {
    fn stood(&self, now: Instant) -> Duration {
        self.stood + self.since.map_or(Duration::ZERO, |since| now.duration_since(since))
    }
}

impl fmt::Debug for ElapsedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ElapsedTime").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| {
            state.holders = state.holders.saturating_sub(1);
            if state.holders == 0
                && let Some(since) = state.since.take()
            {
                state.stood += since.elapsed();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use rehearse_testutils::until;

    use super::*;

    #[tokio::test]
    async fn a_timeout_passes_and_what_is_in_time_is_given() {
        let time = ElapsedTime::default();
        let long = Duration::from_secs(3600);
        assert_eq!(time.timeout(long, async { 7 }).await, Some(7));
        let late = time.timeout(Duration::from_millis(1), pending::<()>());
        assert_eq!(until("a timeout of a millisecond", late).await, None);
        // A time that nobody lives to see is no overflow.
        assert_eq!(time.timeout(Duration::MAX, async { 7 }).await, Some(7));
    }

    #[tokio::test]
    async fn nothing_elapses_while_it_stands_still_and_goes_on_when_all_have_ended() {
        let time = ElapsedTime::default();
        let (one, other) = (time.stand_still(), time.stand_still());
        let before = time.now();
        assert!(time.stands_still());
        let sleeper = tokio::spawn({
            let time = time.clone();
            async move { time.sleep(Duration::from_millis(1)).await }
        });
        // Real time passes, as the runtime's own timer says.
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(one);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!sleeper.is_finished());
        assert_eq!(time.now(), before);
        assert!(time.stood() >= Duration::from_millis(10));
        drop(other);
        assert!(!time.stands_still());
        until("the sleeper after the standstill", sleeper).await.unwrap();
    }

    #[tokio::test]
    async fn a_standstill_that_begins_in_a_wait_stops_it() {
        let time = ElapsedTime::default();
        let sleeper = tokio::spawn({
            let time = time.clone();
            async move {
                time.sleep(Duration::from_millis(40)).await;
                time.now()
            }
        });
        tokio::task::yield_now().await;
        let still = time.stand_still();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert!(!sleeper.is_finished());
        drop(still);
        let woken = until("the sleeper", sleeper).await.unwrap();
        assert!(woken >= Duration::from_millis(40), "{woken:?}");
    }
}
