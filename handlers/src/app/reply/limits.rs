//! Times and counts of a turn. They depend on each other, so they are in one file.

use std::time::Duration;

use jiff::SignedDuration;

/// Time to close a failed turn after the deadline. 11.5 s and this stay below the 15 s after which
/// Twilio gives up. The parts take less together: reading, storing twice and having texts sent, or
/// reading, storing and texting the owner.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_millis(2600);
/// Part of [`CLOSE_TIMEOUT`] for reading whether a change of unknown outcome was written, at the
/// same time as [`READ_TIMEOUT`].
pub(super) const VERIFY_TIMEOUT: Duration = Duration::from_millis(400);
/// Part of [`CLOSE_TIMEOUT`] for reading an opt-out, and at the same time what another attempt has answered.
pub(super) const READ_TIMEOUT: Duration = Duration::from_millis(400);
/// Part of [`CLOSE_TIMEOUT`] for storing the end of a turn, leaving the queue included.
pub(super) const STORE_TIMEOUT: Duration = Duration::from_millis(650);
/// Part of [`CLOSE_TIMEOUT`] for texting the owner directly, when nothing can be stored.
pub(super) const NOTIFICATION_TIMEOUT: Duration = Duration::from_millis(1050);
/// Part of the time for closing a turn for having the outbox sent, once the end of a turn is stored.
pub const SEND_TIMEOUT: Duration = Duration::from_millis(880);
/// As [`SEND_TIMEOUT`], in a turn that nobody waits for: sending goes on until Twilio has the texts.
pub const LATE_SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Time to leave the queue after the end of a turn could not be stored.
pub(super) const LEAVE_QUEUE_TIMEOUT: Duration = Duration::from_millis(250);
/// How much longer than the deadline a queue entry stays valid, so that it never expires during an
/// attempt and needs no renewal.
pub(super) const QUEUE_ENTRY_MARGIN: Duration = Duration::from_secs(3);
/// How many times the webhook's deadline a turn that was handed over may take.
pub const LATE_DEADLINE_FACTOR: u32 = 5;
/// Attempts to finish a turn that was handed over before the owner is asked to answer.
pub(super) const LATE_ATTEMPTS: u32 = 2;
/// Age in business time from which an answer would be out of place. Lambda waits a minute before it
/// repeats an invocation.
pub(super) const MAX_LATE_AGE: SignedDuration = SignedDuration::from_secs(180);
/// How long a turn that was handed over keeps its place in the queue: as long as it may be tried.
pub(super) const LATE_ENTRY: Duration = Duration::from_secs(240);
/// Renewals per lease. When the deadline passes, what is left of the lease covers
/// [`CLOSE_TIMEOUT`].
pub(super) const RENEWALS_PER_LEASE: u32 = 4;
/// Most requests to the model in one turn.
pub(super) const MAX_ROUNDS: usize = 6;
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
