//! Times and counts of a turn, in one place because they depend on each other.

use std::time::Duration;

/// What closing a failed turn may take after the deadline: 12 s and this stay below the 15 s
/// after which Twilio gives up.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// What reading back a change whose outcome is unknown may take of that.
pub(super) const VERIFY_TIMEOUT: Duration = Duration::from_millis(600);
/// What giving up a place in the queue may take of a turn whose end was not stored.
pub(super) const LEAVE_QUEUE_TIMEOUT: Duration = Duration::from_millis(250);
/// How much longer than the deadline a place in the queue is kept, so that it never ends under a
/// live attempt and need not be renewed.
pub(super) const QUEUE_ENTRY_MARGIN: Duration = Duration::from_secs(3);
/// Renewals in the time of one lease. What is left of it when the deadline falls covers [`CLOSE_TIMEOUT`].
pub(super) const RENEWALS_PER_LEASE: u32 = 4;
/// Rounds with the model in one turn.
pub(super) const MAX_ROUNDS: usize = 6;
/// One alert for each cause in this time.
pub(super) const ALERT_WINDOW: Duration = Duration::from_secs(600);
/// What asking the table for permission to alert may take; a table that hangs must not keep the
/// owner from hearing of it.
pub(super) const ALERT_CLAIM_TIMEOUT: Duration = Duration::from_millis(500);
/// First pause between two looks at what somebody else is doing.
pub(super) const FIRST_POLL_DELAY: Duration = Duration::from_millis(20);
/// Longest pause between two looks.
pub(super) const MAX_POLL_DELAY: Duration = Duration::from_millis(250);
/// Looks at another attempt's answer between two attempts to take the turn over.
pub(super) const POLLS_PER_CLAIM: usize = 4;

/// PollDelays that grow to the longest.
pub(super) struct PollDelays(Duration);

impl PollDelays {
    pub(super) fn new() -> Self {
        Self(FIRST_POLL_DELAY)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(MAX_POLL_DELAY);
        pause
    }
}
