//! Answers one text at a time for each customer, in the order of arrival.
//!
//! A queue has room for so many texts as a person sends in a hurry. A text of a flood gets no place:
//! its words are kept, and the owner hears once an hour that there are such texts.

use super::{
    ReplyService, TurnError,
    limits::{LEAVE_QUEUE_TIMEOUT, PollDelays},
    progress::Progress,
};
use crate::{
    app::error_chain::ErrorChain,
    domain::{
        phone::Phone,
        turn::{MAX_QUEUE, QueueEntry},
    },
    ports::StoreError,
};

impl ReplyService {
    /// Waits until this attempt's entry is at the head of the queue.
    ///
    /// # Errors
    /// [`TurnError::QueueFull`] when there is no place in it, [`TurnError::Store`] when it cannot be
    /// read or written.
    pub(super) async fn acquire_conversation(
        &self,
        phone: &Phone,
        own_entry: &QueueEntry,
        progress: &Progress,
    ) -> Result<(), TurnError> {
        let store = &self.ports.store;
        // Before the write: if its acknowledgement is lost, the entry is in the queue all the same.
        progress.update(|state| state.queue_entry = Some(own_entry.clone()));
        let mut delays = PollDelays::new();
        let mut queue = store.join_queue(phone, own_entry).await?;
        loop {
            let Some(head) = queue.first() else {
                queue = store.join_queue(phone, own_entry).await?;
                continue;
            };
            if head == own_entry {
                return Ok(());
            }
            let is_stale = self.is_stale(head, own_entry);
            if !is_stale && !queue.contains(own_entry) {
                // Full. An earlier attempt at the same turn may have left a place.
                let left = queue.iter().enumerate().find(|(_, entry)| entry.sid == own_entry.sid);
                let Some((position, left)) = left else { return Err(TurnError::QueueFull) };
                store.replace_in_queue(phone, position, left, own_entry).await?;
            } else if !is_stale || !store.leave_queue(phone, 0, head).await? {
                progress.update(|state| state.waited = true);
                self.ports.timer.sleep(delays.next()).await;
            }
            queue = store.queue(phone).await?;
            if !queue.contains(own_entry) {
                queue = store.join_queue(phone, own_entry).await?;
            }
        }
    }

    /// Whether an entry can be removed: it has expired, or it belongs to an earlier attempt at the
    /// same turn, which must be over because this attempt holds the claim.
    fn is_stale(&self, entry: &QueueEntry, own_entry: &QueueEntry) -> bool {
        entry.until_ms <= self.ports.timer.unix_ms() || entry.sid == own_entry.sid
    }

    /// Leaves the queue after the end of a turn could not be stored. Otherwise the customer's next
    /// text would wait until the entry expires.
    pub(super) async fn leave_queue_after_failure(
        &self,
        phone: &Phone,
        own_entry: Option<&QueueEntry>,
    ) {
        let Some(own_entry) = own_entry else { return };
        match self.with_timeout(LEAVE_QUEUE_TIMEOUT, self.leave_queue(phone, own_entry)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to leave the queue");
            }
            None => tracing::warn!("leaving the queue timed out"),
        }
    }

    /// Removes the entry of this attempt's text, wherever it is in the queue and however long it
    /// lasts: a write whose acknowledgement was lost may have renewed it.
    pub(super) async fn leave_queue(
        &self,
        phone: &Phone,
        own_entry: &QueueEntry,
    ) -> Result<(), StoreError> {
        let store = &self.ports.store;
        // The queue may change between the read and the removal: others leave it, too.
        for _ in 0..MAX_QUEUE {
            let queue = store.queue(phone).await?;
            let found = queue.iter().enumerate().find(|(_, entry)| entry.sid == own_entry.sid);
            let Some((position, entry)) = found else { return Ok(()) };
            if store.leave_queue(phone, position, entry).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}
