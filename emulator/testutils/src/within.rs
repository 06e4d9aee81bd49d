//! Waiting in tests that would hang when what they wait for never happens.

use std::time::{Duration, Instant};

/// A wait that is far longer than what is awaited takes on a busy machine.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// How long a process or a condition is waited for: far longer than it takes, so that only a hang
/// fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at what has no event of its own.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits for a future, at most `limit`, and returns what it resolves to.
///
/// # Panics
/// When the time is over: `waited 30s in vain for the second reply`. `awaited` completes
/// that sentence.
#[track_caller]
pub fn within<F: Future>(
    limit: Duration,
    awaited: impl std::fmt::Display,
    future: F,
) -> impl Future<Output = F::Output> {
    // Taken here, since a location inside of the future would be this file's.
    let caller = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(limit, future).await {
            Ok(output) => output,
            Err(_) => panic!("{caller}: waited {limit:?} in vain for {awaited}"),
        }
    }
}

/// [`within`] with the [`GENEROUS`] limit.
///
/// # Panics
/// When the time is over.
#[track_caller]
pub fn until<F: Future>(
    awaited: impl std::fmt::Display,
    future: F,
) -> impl Future<Output = F::Output> {
    within(GENEROUS, awaited, future)
}

/// Asks again and again, every 5 ms, until there is a result, and returns it. For what has no event of
/// its own.
///
/// # Panics
/// When there is none within [`PATIENCE`]; `awaited` says what was waited for.
#[track_caller]
pub fn wait_for<T>(awaited: &str, mut result: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(result) = result() {
            return result;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for: {awaited}");
        std::thread::sleep(PAUSE);
    }
}

/// Waits until a condition holds that has no event of its own, as [`wait_for`] does, and lets other
/// tasks of the runtime run in the meantime.
///
/// # Panics
/// When it does not hold within [`PATIENCE`]; `awaited` says what was waited for.
#[track_caller]
pub fn until_true(
    awaited: impl std::fmt::Display,
    holds: impl Fn() -> bool,
) -> impl Future<Output = ()> {
    within(PATIENCE, awaited, async move {
        while !holds() {
            tokio::time::sleep(PAUSE).await;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_happens_in_time_is_returned() {
        assert_eq!(until("a number", async { 7 }).await, 7);
    }

    #[tokio::test]
    #[should_panic(expected = "in vain for the end of time")]
    async fn what_never_happens_fails_with_its_name() {
        let never = std::future::pending::<()>();
        within(Duration::from_millis(1), "the end of time", never).await;
    }
}
