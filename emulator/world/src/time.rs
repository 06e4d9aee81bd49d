//! Moving business time, and waiting until what was caused has ended.

use std::time::Duration;

use jiff::Timestamp;

use super::{Unsettled, World};

/// How long the invocations that something caused may take until they have ended.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

impl World {
    /// Moves business time. On the way it stops at each moment at which a schedule or the repetition
    /// of an invocation is due, has it fired, and waits until all that follows from it has settled.
    /// Of each schedule at most 60 moments are fired; of more, the last 5.
    ///
    /// # Errors
    /// When an invocation does not end; the clock then stands at the moment at which it began.
    pub async fn set_time(&self, then: Timestamp) -> Result<(), Unsettled> {
        let _turn = self.events().turn().await;
        self.events().plan(then);
        while let Some(at) = self.events().next_due(then) {
            // What is overdue is fired now.
            if at > self.clock().now() {
                self.clock().set(at);
            }
            self.events().fire(at);
            self.settled().await?;
        }
        self.clock().set(then);
        self.settled().await
    }

    /// Waits until nothing is under way: no delivery of Twilio's, and no invocation that an event or
    /// another invocation caused. What is due at a later business time is not under way.
    ///
    /// # Errors
    /// When an invocation does not end within a minute of elapsed time.
    pub async fn settled(&self) -> Result<(), Unsettled> {
        self.settled_within(SETTLE_LIMIT).await
    }

    /// As [`World::settled`], but only for invocations, not for deliveries.
    ///
    /// # Errors
    /// When an invocation does not end within a minute of elapsed time.
    pub async fn invocations_settled(&self) -> Result<(), Unsettled> {
        let settled = tokio::time::timeout(SETTLE_LIMIT, self.events().settled()).await;
        settled.map_err(|_| Unsettled::new(self.events().under_way(), SETTLE_LIMIT))
    }

    /// As [`World::settled`], with a limit of its own.
    ///
    /// # Errors
    /// When an invocation does not end within this elapsed time.
    pub async fn settled_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let settle = async {
            loop {
                self.twilio().settled().await;
                if self.events().under_way().is_empty() {
                    return;
                }
                self.events().settled().await;
            }
        };
        let settled = tokio::time::timeout(limit, settle).await;
        settled.map_err(|_| Unsettled::new(self.events().under_way(), limit))
    }
}
