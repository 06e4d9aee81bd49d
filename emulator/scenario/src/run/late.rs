//! Waiting for texts that come after the webhook was answered: `within:` of a reply.
//!
//! What a backend does in the background of its own process is nothing that the world knows of, so a step
//! that says how long it may take waits for the journal to have it.

use std::time::Duration;

use super::{
    Running, StepError,
    texts::{self, Recipients, SentText},
};
use crate::{reply::Replies, time::Delay};
use rehearse_core::journal::{Exchange, ExchangeDetail};
use tokio::time::Instant;

/// How much longer a step waits for a text that is late, to say how late it is: as long again, but at least and at most so
/// long.
const LATE: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

impl Running<'_> {
    /// Waits until the texts of a list have arrived, if the list says how long that may take: for so long once the
    /// world is at rest, and for late ones some time more. Ends at once when nothing more is expected, so a text beyond
    /// those is not waited for.
    pub(super) async fn late_replies(
        &self,
        replies: &Replies,
        of: Recipients<'_>,
        mark: u64,
    ) -> Result<(), StepError> {
        let longest = replies.entries().iter().filter_map(|reply| reply.within).max();
        let Some(Delay(longest)) = longest else { return Ok(()) };
        // Names that only this step saves stand in no `to`.
        let addressed = replies.with_people(&self.vars);
        let mut changes = self.world.journal().watch();
        let arrived = || {
            let texts = SentText::all(&self.world.journal().since(mark));
            texts::all_arrived(&addressed, &texts, of, &self.people)
        };
        let until = Instant::now() + longest + longest.clamp(LATE.0, LATE.1);
        // The journal is there as long as the world is, so the wait ends with the time or with the texts.
        let _ = tokio::time::timeout_at(until, changes.wait_for(|_| arrived())).await;
        self.settled().await
    }
}

/// The texts among the exchanges of a step, with how long after its first text or event each was sent.
pub(super) fn sent_since(exchanges: &[Exchange]) -> Vec<SentText> {
    let is_first = |exchange: &&Exchange| {
        matches!(exchange.detail, ExchangeDetail::SmsReceived { .. } | ExchangeDetail::Http { .. })
    };
    let began = exchanges.iter().find(is_first).or(exchanges.first());
    let began = Duration::from_micros(began.map_or(0, |exchange| exchange.started_us));
    SentText::all(exchanges).into_iter().map(|text| text.since(began)).collect()
}
