//! Waiting in tests that would hang when what they wait for never happens.

use std::time::Duration;

/// A wait that is far longer than what is awaited takes on a busy machine.
pub const GENEROUS: Duration = Duration::from_secs(30);

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
