//! An executor with one thread, one future, and time that advances only when the future waits for
//! it.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use handlers::ports::Timer;

/// A clock that the executor advances.
#[derive(Default)]
pub struct TestTimer {
    state: Mutex<Clock>,
}

#[derive(Default)]
struct Clock {
    now_ms: i64,
    /// By when they wake, and a number that tells those of the same moment apart.
    sleepers: BTreeMap<(i64, u64), Waker>,
    next_number: u64,
}

impl TestTimer {
    /// Advances the clock by this time.
    pub fn advance(&self, time: Duration) {
        let to = self.unix_ms() + i64::try_from(time.as_millis()).unwrap();
        self.move_to(to);
    }

    /// Sets the clock, and wakes whoever slept until then.
    pub fn move_to(&self, to_ms: i64) {
        let mut clock = self.state.lock().unwrap();
        clock.now_ms = to_ms;
        let later = clock.sleepers.split_off(&(to_ms.saturating_add(1), 0));
        let due = std::mem::replace(&mut clock.sleepers, later);
        drop(clock);
        due.into_values().for_each(Waker::wake);
    }

    /// When the next sleeper wakes, in milliseconds; `None` when nobody sleeps.
    pub fn next_wake_ms(&self) -> Option<i64> {
        self.state.lock().unwrap().sleepers.keys().next().map(|(at, _)| *at)
    }

    /// Advances the clock to the next sleeper; false when there is none.
    fn move_on(&self) -> bool {
        self.next_wake_ms().is_some_and(|at| {
            self.move_to(at);
            true
        })
    }
}

/// One sleep. A sleeper that goes away is no longer woken, and time does not stop at its moment.
struct Sleep<'a> {
    timer: &'a TestTimer,
    key: (i64, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut clock = self.timer.state.lock().unwrap();
        if clock.now_ms >= self.key.0 {
            return Poll::Ready(());
        }
        clock.sleepers.insert(self.key, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.timer.state.lock().unwrap().sleepers.remove(&self.key);
    }
}

#[async_trait]
impl Timer for TestTimer {
    fn unix_ms(&self) -> i64 {
        self.state.lock().unwrap().now_ms
    }

    async fn sleep(&self, time: Duration) {
        let key = {
            let mut clock = self.state.lock().unwrap();
            clock.next_number += 1;
            (clock.now_ms + i64::try_from(time.as_millis()).unwrap(), clock.next_number)
        };
        Sleep { timer: self, key }.await;
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls until the future has finished or nothing has woken it.
fn settle<F: Future>(mut future: Pin<&mut F>, flag: &Arc<Flag>) -> Poll<F::Output> {
    let waker = Waker::from(flag.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        flag.0.store(false, Ordering::Relaxed);
        match future.as_mut().poll(&mut cx) {
            Poll::Pending if flag.0.load(Ordering::Relaxed) => {}
            other => return other,
        }
    }
}

pub fn run<T>(timer: &TestTimer, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let flag = Arc::new(Flag::default());
    loop {
        if let Poll::Ready(done) = settle(future.as_mut(), &flag) {
            return done;
        }
        assert!(timer.move_on(), "nobody will ever wake this");
    }
}

pub fn crash<T>(future: impl Future<Output = T>) {
    let flag = Arc::new(Flag::default());
    let mut future = Box::pin(future);
    assert!(settle(future.as_mut(), &flag).is_pending(), "it ended before the crash");
}

/// Lets everything else run first, as a request over a network would.
pub async fn pass() {
    let mut passed = false;
    std::future::poll_fn(|cx| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
