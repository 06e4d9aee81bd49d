//! Moving business time, and waiting until what was caused has ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{AdvanceError, Unsettled, World};

/// How long the invocations that something caused may take until they have ended.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

impl World {
    /// Moves business time to a moment. On the way it stops at each moment at which a schedule or the
    /// repetition of an invocation is due, has it fired, and waits until all that follows from it has
    /// settled. Of each schedule at most 60 moments are fired; of more, the last 5.
    ///
    /// A moment that is earlier than now is gone back to at once: nothing is fired, and schedules
    /// count anew from there. A moment that is later when this is called is never gone back to, also
    /// if the clock passes it before this begins.
    ///
    /// # Errors
    /// When something does not end; the clock then stands at the moment at which it began.
    pub async fn set_time(&self, then: Timestamp) -> Result<(), Unsettled> {
        let goes_back = then < self.clock().now();
        let _firing = self.events().lock_firing().await;
        if goes_back {
            self.events().plan(then);
            self.clock().set(then);
            return self.settled().await;
        }
        self.pass(then).await
    }

    /// Moves business time forward by a length, as [`World::set_time`] does. Of several such calls at
    /// once each begins where the one before has ended.
    ///
    /// # Errors
    /// When the length is negative, ends after the last moment that there is, or something does not
    /// end.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), AdvanceError> {
        if by.is_negative() {
            return Err(AdvanceError::Backwards);
        }
        let _firing = self.events().lock_firing().await;
        let then = self.clock().now().checked_add(by).map_err(|_| AdvanceError::TooFar)?;
        self.pass(then).await?;
        Ok(())
    }

    /// Lets business time run on from where it stands; does nothing when it runs. What is due then happens
    /// by itself: a clock that is only told to run, [`Clock::let_run`](rehearse_core::clock::Clock::let_run),
    /// has nobody who looks at it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn let_run(&self) {
        self.clock().let_run();
        self.events().follow_running_clock();
        self.twilio().follow_running_clock();
    }

    /// Makes happen what is due until `then`, moment by moment. The caller has the firing lock.
    async fn pass(&self, then: Timestamp) -> Result<(), Unsettled> {
        // A clock that runs may be past it already.
        let then = then.max(self.clock().now());
        self.events().plan(then);
        while let Some(at) = self.next_due(then) {
            // What is overdue is fired now.
            self.clock().forward_to(at);
            self.events().fire(at);
            self.settled().await?;
        }
        self.clock().forward_to(then);
        self.settled().await
    }

    /// The next moment until `then` at which a part has something to do.
    fn next_due(&self, then: Timestamp) -> Option<Timestamp> {
        let twilio = self.twilio().next_due(then);
        self.events().next_due(then).into_iter().chain(twilio).min()
    }

    /// Waits until nothing is under way: no delivery of Twilio's, no invocation that an event or
    /// another invocation caused, and no call to the database that a fault delays. What is due at a
    /// later business time is not under way.
    ///
    /// # Errors
    /// When something does not end within a minute of elapsed time.
    pub async fn settled(&self) -> Result<(), Unsettled> {
        self.settled_within(SETTLE_LIMIT).await
    }

    /// As [`World::settled`], but only for invocations.
    ///
    /// # Errors
    /// When an invocation does not end within a minute of elapsed time.
    pub async fn invocations_settled(&self) -> Result<(), Unsettled> {
        let settled = self.clock().elapsed().timeout(SETTLE_LIMIT, self.events().settled()).await;
        settled.ok_or_else(|| {
            let functions = self.events().under_way();
            Unsettled::new(Unsettled::invocations(functions).into_iter().collect(), SETTLE_LIMIT)
        })
    }

    /// As [`World::settled`], with a limit of its own.
    ///
    /// # Errors
    /// When something does not end within this elapsed time.
    pub async fn settled_within(&self, limit: Duration) -> Result<(), Unsettled> {
        let settle = async {
            loop {
                self.twilio().settled().await;
                self.database().settled().await;
                self.events().settled().await;
                // What was waited for last may have begun something of the first, and other threads go
                // on between the looks at the parts. If two looks find the same, all were idle at once.
                let look = self.begun_if_idle();
                if look.is_some() && look == self.begun_if_idle() {
                    return;
                }
            }
        };
        let settled = self.clock().elapsed().timeout(limit, settle).await;
        settled.ok_or_else(|| Unsettled::new(self.under_way(), limit))
    }

    /// How much each part has begun; `None` while something of one is under way.
    pub(super) fn begun_if_idle(&self) -> Option<[u64; 3]> {
        Some([
            self.twilio().begun_if_idle()?,
            self.database().begun_if_idle()?,
            self.events().begun_if_idle()?,
        ])
    }

    /// What is under way, in words.
    pub(super) fn under_way(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.twilio().begun_if_idle().is_none() {
            all.push("Twilio was still delivering".to_owned());
        }
        if self.database().begun_if_idle().is_none() {
            all.push("a delayed call to the database was still outstanding".to_owned());
        }
        all.extend(Unsettled::invocations(self.events().under_way()));
        all
    }
}
