//! Throttling by token buckets, in real time.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::template::Throttle;

/// A bucket that is full at first, gives one token to each request and is filled at a steady rate.
#[derive(Debug)]
pub(super) struct TokenBucket {
    throttle: Throttle,
    level: Mutex<BucketState>,
}

#[derive(Debug)]
struct BucketState {
    tokens: f64,
    /// When there were so many; `None` before the first request.
    at: Option<Instant>,
}

impl TokenBucket {
    pub(super) fn new(throttle: Throttle) -> Self {
        let tokens = f64::from(throttle.burst);
        Self { throttle, level: Mutex::new(BucketState { tokens, at: None }) }
    }

    /// Takes a token. Returns false if there is none.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = level.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        let filled = level.tokens + passed * self.throttle.rate;
        level.tokens = filled.min(f64::from(self.throttle.burst));
        level.at = Some(now);
        let taken = level.tokens >= 1.0;
        if taken {
            level.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let bucket = TokenBucket::new(Throttle { burst: 3, rate: 2.0 });
        let start = Instant::now();
        let at = |millis| bucket.take(start + Duration::from_millis(millis));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(400), at(500), at(900), at(1000)], [false, true, false, true]);
        // It never holds more than the burst.
        assert_eq!([at(60_000), at(60_000), at(60_000), at(60_000)], [true, true, true, false]);
    }

    #[test]
    fn a_bucket_without_room_lets_nothing_through() {
        let bucket = TokenBucket::new(Throttle { burst: 0, rate: 100.0 });
        let start = Instant::now();
        assert!(!bucket.take(start) && !bucket.take(start + Duration::from_secs(9)));
    }
}
