//! Times and counts of a turn, in one place because they depend on each other.

use std::time::Duration;

/// What closing a failed turn may take after the deadline: 12 s and this stay below the 15 s
/// after which Twilio gives up.
pub(super) const CLOSING: Duration = Duration::from_millis(1500);
/// What reading back a change whose outcome is unknown may take of that.
pub(super) const READ_BACK: Duration = Duration::from_millis(600);
/// What giving up a place in the queue may take of a turn whose end was not stored.
pub(super) const GIVING_UP: Duration = Duration::from_millis(250);
/// How much longer than the deadline a place in the queue is kept, so that it never ends under a
/// live attempt and need not be renewed.
pub(super) const QUEUE_MARGIN: Duration = Duration::from_secs(3);
/// A turn is held for this part of the deadline at a time, and the claim renewed while the attempt
/// lives. After a crash Twilio repeats the webhook at once: the repeat waits for the lease and has
/// most of its own deadline left.
const LEASES_PER_DEADLINE: u32 = 4;
/// Short deadlines are for rehearsals, and a busy machine must still renew in time.
const SHORTEST_LEASE: Duration = Duration::from_millis(500);
/// Renewals in the time of one lease. What is left of it when the deadline falls covers [`CLOSING`].
const RENEWALS_PER_LEASE: u32 = 4;
/// Rounds with the model in one turn.
pub(super) const MAX_ROUNDS: usize = 6;
/// One alert for each cause in this time.
pub(super) const ALERT_WINDOW: Duration = Duration::from_secs(600);
/// What asking the table for permission to alert may take; a table that hangs must not keep the
/// owner from hearing of it.
pub(super) const ALERT_CLAIM: Duration = Duration::from_millis(500);
/// First pause between two looks at what somebody else is doing.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Longest pause between two looks.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Looks at another attempt's answer between two attempts to take the turn over.
pub(super) const LOOKS_PER_CLAIM: usize = 4;

/// How long a claim holds without being renewed.
pub(super) fn lease(deadline: Duration) -> Duration {
    (deadline / LEASES_PER_DEADLINE).max(SHORTEST_LEASE)
}

/// How often a claim is renewed.
pub(super) fn renewal(deadline: Duration) -> Duration {
    lease(deadline) / RENEWALS_PER_LEASE
}

/// Pauses that grow to the longest.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}
