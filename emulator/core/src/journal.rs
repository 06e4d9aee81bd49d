//! The typed log of every detail between the backend and its world.
//!
//! Assertions, `rehearse log` and the reports read nothing else. An entry is
//! made when an exchange begins and completed when it ends, so a call that never
//! came back is in it too. Names are stable (`dynamodb.TransactWriteItems`,
//! `openai.responses`, `twilio.messages.create`, `webhook.sms`): faults are
//! aimed by them.

mod exchange;
mod store;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::watch;

pub use self::exchange::{Exchange, ExchangeDetail, Outcome, Via};
use self::store::JournalStore;
use crate::clock::Clock;

/// The journal of one world. Clones share it.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    start: Instant,
    store: Mutex<JournalStore>,
    /// Counts changes, so that followers can wait for the next one.
    changes: watch::Sender<u64>,
}

impl Journal {
    /// An empty journal on this clock.
    pub fn new(clock: Clock) -> Self {
        let (changes, _) = watch::channel(0);
        Self(Arc::new(Shared { clock, start: Instant::now(), store: Mutex::default(), changes }))
    }

    /// Records the beginning of an exchange. Dropping the guard without
    /// [`PendingExchange::end`] records that it was cut.
    pub fn begin(&self, name: impl Into<String>, detail: ExchangeDetail) -> PendingExchange {
        let name = name.into();
        let (epoch, seq) = {
            let mut store = self.store();
            let seq = store.len();
            let ordinal = store.count(&name);
            store.push(Exchange {
                seq,
                name,
                ordinal,
                at: self.0.clock.now(),
                started_us: self.elapsed_us(),
                took_us: None,
                detail,
                outcome: None,
            });
            (store.epoch(), seq)
        };
        self.changed();
        PendingExchange { journal: self.clone(), epoch, seq, ended: false }
    }

    /// Records an exchange that begins and ends at once.
    pub fn note(&self, name: impl Into<String>, detail: ExchangeDetail) -> u64 {
        let open = self.begin(name, detail);
        let seq = open.seq;
        open.end(Outcome::default());
        seq
    }

    /// How many entries there are: a mark for [`Journal::since`].
    pub fn mark(&self) -> u64 {
        self.store().len()
    }

    /// The entries from `mark` on.
    pub fn since(&self, mark: u64) -> Vec<Exchange> {
        self.store().since(mark)
    }

    /// What `of` makes of the entries from `mark` on. It sees what crossed; answers may be missing.
    pub fn select<T>(&self, mark: u64, of: impl FnMut(&Exchange) -> Option<T>) -> Vec<T> {
        self.store().select(mark, of)
    }

    /// All entries, which are forgotten here.
    pub fn take(&self) -> Vec<Exchange> {
        let store = self.store().take();
        self.changed();
        store.into_entries()
    }

    /// Changes as they come: the value counts them and means nothing else.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Forgets everything (`rehearse reset`).
    pub fn clear(&self) {
        let mut store = self.store();
        store.clear();
        drop(store);
        self.changed();
    }

    /// How many exchanges of this name have begun.
    pub fn count(&self, name: &str) -> u64 {
        self.store().counted(name)
    }

    fn complete(&self, open: &PendingExchange, outcome: Outcome, answer: Option<Bytes>) {
        let now = self.elapsed_us();
        let mut store = self.store();
        if let Some(kept) = store.pending(open.epoch, open.seq) {
            kept.entry.took_us = Some(now.saturating_sub(kept.entry.started_us));
            kept.entry.outcome = Some(outcome);
            kept.answer = answer;
        }
        drop(store);
        self.changed();
    }

    fn amend(&self, open: &PendingExchange, change: impl FnOnce(&mut ExchangeDetail)) {
        if let Some(kept) = self.store().pending(open.epoch, open.seq) {
            change(&mut kept.entry.detail);
        }
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn changed(&self) {
        self.0.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn store(&self) -> std::sync::MutexGuard<'_, JournalStore> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A detail under way.
#[must_use = "dropping it records that the detail was cut"]
#[derive(Debug)]
pub struct PendingExchange {
    journal: Journal,
    epoch: u64,
    seq: u64,
    ended: bool,
}

impl PendingExchange {
    /// Position of the entry.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Corrects what was recorded at the beginning, once more is known.
    pub fn amend(&self, change: impl FnOnce(&mut ExchangeDetail)) {
        self.journal.amend(self, change);
    }

    /// Records how it ended.
    pub fn end(mut self, outcome: Outcome) {
        self.ended = true;
        self.journal.complete(&self, outcome, None);
    }

    /// As [`PendingExchange::end`], with the answer as it crossed, in place of the outcome's: JSON or text;
    /// nothing is null. What nobody looks at is never parsed.
    pub fn end_with(mut self, outcome: Outcome, answer: Bytes) {
        self.ended = true;
        self.journal.complete(&self, outcome, Some(answer).filter(|a| !a.is_empty()));
    }
}

impl Drop for PendingExchange {
    fn drop(&mut self) {
        if !self.ended {
            self.journal.complete(self, Outcome::cut(), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;

    fn log(line: &str) -> ExchangeDetail {
        ExchangeDetail::Log { function: "F".into(), request_id: None, line: line.into() }
    }

    fn journal() -> Journal {
        Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn entries_keep_the_order_in_which_they_began_and_count_by_name() {
        let journal = journal();
        let first = journal.begin("a", log("1"));
        journal.note("b", log("2"));
        journal.note("a", log("3"));
        first.end(Outcome::status(200, Value::Null));
        let entries = journal.since(0);
        let seen: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.ordinal)).collect();
        assert_eq!(seen, [("a", 0), ("b", 0), ("a", 1)]);
        assert_eq!(entries[0].outcome.as_ref().unwrap().status, Some(200));
    }

    #[test]
    fn a_dropped_crossing_is_recorded_as_cut() {
        let journal = journal();
        drop(journal.begin("a", log("1")));
        assert_eq!(journal.since(0)[0].outcome, Some(Outcome::cut()));
    }

    #[test]
    fn what_began_before_a_clear_ends_no_entry_after_it() {
        let journal = journal();
        let old = journal.begin("old", log("1"));
        journal.clear();
        let new = journal.begin("new", log("2"));
        assert_eq!(old.seq(), new.seq());
        old.amend(|detail| *detail = log("wrong"));
        old.end(Outcome::cut());
        let ExchangeDetail::Log { line, .. } = &journal.since(0)[0].detail else { unreachable!() };
        assert_eq!((line.as_str(), &journal.since(0)[0].outcome), ("2", &None));
        new.end(Outcome::status(200, Value::Null));
        assert_eq!(journal.since(0)[0].outcome, Some(Outcome::status(200, Value::Null)));
    }

    #[test]
    fn what_began_before_a_take_ends_no_entry_after_it() {
        let journal = journal();
        journal.clear();
        let old = journal.begin("old", log("1"));
        assert_eq!(journal.take().len(), 1);
        journal.clear();
        let new = journal.begin("new", log("2"));
        old.end(Outcome::cut());
        assert_eq!(journal.since(0)[0].outcome, None);
        new.end(Outcome::default());
    }

    #[tokio::test]
    async fn followers_hear_of_beginnings_and_ends() {
        let journal = journal();
        let mut changes = journal.watch();
        let open = journal.begin("a", log("1"));
        changes.changed().await.unwrap();
        open.end(Outcome::default());
        changes.changed().await.unwrap();
    }
}
