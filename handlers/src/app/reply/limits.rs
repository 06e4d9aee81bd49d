//! Times and counts of a turn. They depend on each other, so they are in one file.

use std::time::Duration;

/// Time to close a failed turn after the deadline. 12 s and this stay below the 15 s after which
/// Twilio gives up.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_millis(1500);
/// Part of [`CLOSE_TIMEOUT`] for reading whether a change of unknown outcome was written.
pub(super) const VERIFY_TIMEOUT: Duration = Duration::from_millis(600);
/// Time to leave the queue after the end of a turn could not be stored.
pub(super) const LEAVE_QUEUE_TIMEOUT: Duration = Duration::from_millis(250);
/// How much longer than the deadline a queue entry stays valid, so that it never expires during an
/// attempt and needs no renewal.
pub(super) const QUEUE_ENTRY_MARGIN: Duration = Duration::from_secs(3);
/// Renewals per lease. When the deadline passes, what is left of the lease covers
/// [`CLOSE_TIMEOUT`].
pub(super) const RENEWALS_PER_LEASE: u32 = 4;
/// Most requests to the model in one turn.
pub(super) const MAX_ROUNDS: usize = 6;
/// Time within which a cause leads to one alert at most.
pub(super) const ALERT_WINDOW: Duration = Duration::from_secs(600);
/// Time to ask the table whether an alert may be sent. If it hangs, the owner is alerted all the
/// same.
pub(super) const ALERT_CLAIM_TIMEOUT: Duration = Duration::from_millis(500);
/// Delay before the second look at what another attempt does.
pub(super) const FIRST_POLL_DELAY: Duration = Duration::from_millis(20);
/// Longest delay between two looks.
pub(super) const MAX_POLL_DELAY: Duration = Duration::from_millis(250);
/// Looks at another attempt's answer between two attempts to take the turn over.
pub(super) const POLLS_PER_CLAIM: usize = 4;

/// Delays between looks. Each is twice as long as the one before, up to [`MAX_POLL_DELAY`].
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
