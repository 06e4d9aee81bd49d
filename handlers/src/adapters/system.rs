//! Random identifiers and elapsed time from the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use uuid::Uuid;

use crate::ports::{IdGenerator, Timer};

/// Identifiers from the operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomIdGenerator;

impl IdGenerator for RandomIdGenerator {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the adapter behind the IdGenerator port"
    )]
    fn generate(&self) -> String {
        Uuid::new_v4().simple().to_string()
    }
}

/// The machine's clock and the runtime's timers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemTimer;

#[async_trait]
impl Timer for SystemTimer {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter behind the Timer port")]
    fn unix_ms(&self) -> i64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_32_lower_case_digits_and_differ() {
        let (one, other) = (RandomIdGenerator.generate(), RandomIdGenerator.generate());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        assert_ne!(one, other);
    }

    #[test]
    fn the_clock_is_after_2023() {
        assert!(SystemTimer.unix_ms() > 1_700_000_000_000);
    }
}
