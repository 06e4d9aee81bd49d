//! The record of every exchange between a backend and its world, in order.
//!
//! Assertions, `rehearse log` and the reports read nothing else. An exchange is recorded when it begins
//! and completed when it ends, so a call that never returned is in the journal too. Names are stable
//! (`dynamodb.TransactWriteItems`, `openai.responses`, `twilio.messages.create`, `webhook.sms`), and
//! [faults](crate::faults) are armed by them.
//!
//! ```
//! use rehearse_core::{
//!     clock::Clock,
//!     journal::{ExchangeDetail, Journal, Outcome},
//! };
//! use serde_json::json;
//!
//! let journal = Journal::new(Clock::running());
//! let request = json!({ "model": "gpt-5", "input": "Hello" });
//! let pending = journal.begin("openai.responses", ExchangeDetail::Model { request, script: None });
//! pending.end(Outcome::status(200, json!({ "output": [] })));
//!
//! let calls = journal.exchanges().named("openai.responses");
//! assert_eq!(calls.count(), 1);
//! assert_eq!(calls.last().unwrap().outcome.unwrap().status, Some(200));
//!
//! let mark = journal.mark();
//! assert!(journal.exchanges().named("openai.*").since(mark).first().is_none());
//! for exchange in journal.exchanges() {
//!     println!("{} {}", exchange.seq, exchange.name);
//! }
//! ```

mod exchange;
mod exchanges;
mod page;
mod size;
mod store;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::watch;
use tracing::Span;

use self::store::{Ended, JournalStore};
pub use self::{
    exchange::{Exchange, ExchangeDetail, Outcome, Via},
    exchanges::Exchanges,
};
use crate::clock::Clock;

/// The journal of one world. Clones share it.
#[derive(Clone, Debug)]
pub struct Journal(Arc<JournalState>);

#[derive(Debug)]
struct JournalState {
    clock: Clock,
    start: Instant,
    store: Mutex<JournalStore>,
    /// Counts changes, so that readers can wait for the next one.
    changes: watch::Sender<u64>,
}

/// How much a journal keeps. When one of the limits is exceeded, it drops the oldest exchanges, up to
/// 64 at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most exchanges. 0 is taken as 1: the latest one is always kept.
    pub exchanges: usize,
    /// Most bytes of memory. An estimate from the texts and JSON trees that are kept.
    pub bytes: usize,
}

impl Default for Limits {
    /// 20,000 exchanges and 64 MB.
    fn default() -> Self {
        Self { exchanges: 20_000, bytes: 64_000_000 }
    }
}

impl Journal {
    /// An empty journal that keeps everything.
    pub fn new(clock: Clock) -> Self {
        Self::with_store(clock, JournalStore::new(None))
    }

    /// An empty journal that keeps the latest exchanges. [`Exchange::seq`] and [`Exchange::ordinal`]
    /// count those that were dropped as well.
    pub fn bounded(clock: Clock, limits: Limits) -> Self {
        Self::with_store(clock, JournalStore::new(Some(limits)))
    }

    fn with_store(clock: Clock, store: JournalStore) -> Self {
        let (changes, _) = watch::channel(0);
        let store = Mutex::new(store);
        Self(Arc::new(JournalState { clock, start: Instant::now(), store, changes }))
    }

    /// Records the beginning of an exchange. Dropping the result without
    /// [`PendingExchange::end`] records that the exchange was cut.
    pub fn begin(&self, name: impl Into<String>, detail: ExchangeDetail) -> PendingExchange {
        let name = name.into();
        let started_us = self.elapsed_us();
        let (epoch, seq, span) = {
            let mut store = self.store();
            let seq = store.next();
            let ordinal = store.count(&name);
            let span = tracing::debug_span!("exchange", seq, name = without_path(&name));
            span.in_scope(|| tracing::debug!("exchange began"));
            store.push(Exchange {
                seq,
                name,
                ordinal,
                at: self.0.clock.now(),
                started_us,
                took_us: None,
                detail,
                outcome: None,
            });
            (store.epoch(), seq, span)
        };
        self.changed();
        PendingExchange { journal: self.clone(), epoch, seq, started_us, span, ended: false }
    }

    /// Records an exchange that begins and ends at once; returns its position.
    pub fn note(&self, name: impl Into<String>, detail: ExchangeDetail) -> u64 {
        let pending = self.begin(name, detail);
        let seq = pending.seq;
        pending.end(Outcome::default());
        seq
    }

    /// The position of the next exchange, for [`Journal::since`] and [`Exchanges::since`].
    pub fn mark(&self) -> u64 {
        self.store().next()
    }

    /// As [`Journal::mark`]; and until the result is dropped, a bounded journal drops nothing that
    /// begins from now on, whatever its limits.
    pub fn retain(&self) -> RetentionGuard {
        let mut store = self.store();
        RetentionGuard { journal: self.clone(), epoch: store.epoch(), mark: store.retain() }
    }

    /// The position of the first exchange that is still kept: above 0 once a bounded journal has
    /// dropped some.
    pub fn first(&self) -> u64 {
        self.store().first()
    }

    /// The exchanges, to be filtered and counted.
    pub fn exchanges(&self) -> Exchanges {
        Exchanges::new(self.clone())
    }

    /// The exchanges from `mark` on, as far as they are still kept. When some were dropped, the first
    /// one's [`Exchange::seq`] is above `mark`.
    pub fn since(&self, mark: u64) -> Vec<Exchange> {
        self.filter(mark, |_| true)
    }

    /// What `of` returns for the exchanges from `mark` on, as far as they are still kept. Cheaper than
    /// [`Journal::since`]: `of` sees exchanges whose response may be null although there was one.
    pub fn select<T>(&self, mark: u64, of: impl FnMut(&Exchange) -> Option<T>) -> Vec<T> {
        self.store().select(mark, of)
    }

    /// The exchanges from `mark` on for which `wanted` returns true, as far as they are still kept and
    /// at most `most` of them, with the state of the journal at the same moment. `wanted` sees exchanges
    /// whose response may be null although there was one.
    pub fn look(&self, mark: u64, most: usize, wanted: impl FnMut(&Exchange) -> bool) -> Look {
        let store = self.store();
        let (exchanges, next) = store.look(mark, most, wanted);
        Look { epoch: store.epoch(), first: store.first(), next, exchanges }
    }

    /// The exchange at a position; `None` when there is none yet, or none any more.
    pub fn exchange(&self, seq: u64) -> Option<Exchange> {
        self.store().get(seq)
    }

    fn filter(&self, mark: u64, wanted: impl FnMut(&Exchange) -> bool) -> Vec<Exchange> {
        self.store().filter(mark, wanted)
    }

    /// Removes and returns all exchanges that are still kept. Positions and ordinals begin anew at 0.
    pub fn take(&self) -> Vec<Exchange> {
        let store = self.store().take();
        self.changed();
        store.into_exchanges()
    }

    /// Removes all exchanges. Positions and ordinals begin anew at 0.
    pub fn clear(&self) {
        drop(self.store().take());
        self.changed();
    }

    /// Notifies of every beginning and end of an exchange, and of removals. The value counts changes
    /// and has no other meaning.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn complete(&self, pending: &PendingExchange, outcome: Outcome, response: Option<Bytes>) {
        let took_us = self.elapsed_us().saturating_sub(pending.started_us);
        let (status, error) = (outcome.status, outcome.error.as_deref());
        pending.span.in_scope(|| tracing::debug!(status, error, took_us, "exchange ended"));
        self.store().end(pending.epoch, pending.seq, Ended { took_us, outcome, response });
        self.changed();
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.0.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn changed(&self) {
        self.0.changes.send_modify(|n| *n = n.wrapping_add(1));
    }

    fn store(&self) -> MutexGuard<'_, JournalStore> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some exchanges, and what the journal held at the same moment.
#[derive(Debug)]
pub struct Look {
    /// How often the journal was emptied. When it changes, positions have begun anew at 0.
    pub epoch: u64,
    /// The position of the first exchange that was kept.
    pub first: u64,
    /// The position from which to look on: of the first exchange that was not looked at.
    pub next: u64,
    /// The exchanges, in order.
    pub exchanges: Vec<Exchange>,
}

/// Whether a name is `pattern`, or begins with what stands before its `*`.
pub fn is_named(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

/// `http.GET` of `http.GET /people/+19045550102`: paths may hold phone numbers, which logs must not.
fn without_path(name: &str) -> &str {
    name.split_once(' ').map_or(name, |(kind, _)| kind)
}

/// An exchange that has begun and not ended.
#[must_use = "dropping it records that the exchange was cut"]
#[derive(Debug)]
pub struct PendingExchange {
    journal: Journal,
    epoch: u64,
    seq: u64,
    started_us: u64,
    span: Span,
    ended: bool,
}

impl PendingExchange {
    /// The span of this exchange, with its position and name, for what is logged on the way. Disabled
    /// unless somebody logs at level debug.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Records how it ended. Does nothing when the journal no longer has the exchange.
    pub fn end(mut self, outcome: Outcome) {
        self.ended = true;
        self.journal.complete(&self, outcome, None);
    }

    /// As [`PendingExchange::end`], with the response's body in place of [`Outcome::response`]. The
    /// body is parsed when somebody reads it: JSON, else text; an empty one is null.
    pub fn end_with(mut self, outcome: Outcome, body: Bytes) {
        self.ended = true;
        self.journal.complete(&self, outcome, Some(body).filter(|body| !body.is_empty()));
    }
}

impl Drop for PendingExchange {
    fn drop(&mut self) {
        if !self.ended {
            self.journal.complete(self, Outcome::cut(), None);
        }
    }
}

/// While this lives, a bounded journal drops nothing that began after [`Journal::retain`].
#[derive(Debug)]
pub struct RetentionGuard {
    journal: Journal,
    epoch: u64,
    mark: u64,
}

impl RetentionGuard {
    /// The position of the first exchange that is kept.
    pub fn mark(&self) -> u64 {
        self.mark
    }
}

impl Drop for RetentionGuard {
    fn drop(&mut self) {
        self.journal.store().release(self.epoch, self.mark);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rehearse_testutils::until;
    use serde_json::Value;

    use super::*;

    fn log(line: &str) -> ExchangeDetail {
        ExchangeDetail::Log { function: "F".into(), request_id: None, line: line.into() }
    }

    fn journal() -> Journal {
        Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH))
    }

    #[test]
    fn exchanges_keep_the_order_in_which_they_began_and_are_counted_by_name() {
        let journal = journal();
        let first = journal.begin("a", log("1"));
        journal.note("b", log("2"));
        journal.note("a", log("3"));
        first.end(Outcome::status(200, Value::Null));
        let exchanges = journal.since(0);
        let seen: Vec<_> = exchanges.iter().map(|e| (e.name.as_str(), e.ordinal)).collect();
        assert_eq!(seen, [("a", 0), ("b", 0), ("a", 1)]);
        assert_eq!(exchanges[0].outcome.as_ref().unwrap().status, Some(200));
    }

    #[test]
    fn a_dropped_exchange_is_recorded_as_cut() {
        let journal = journal();
        drop(journal.begin("a", log("1")));
        assert_eq!(journal.since(0)[0].outcome, Some(Outcome::cut()));
    }

    #[test]
    fn an_exchange_that_began_before_a_clear_ends_none_after_it() {
        let journal = journal();
        let old = journal.begin("old", log("1"));
        journal.clear();
        let new = journal.begin("new", log("2"));
        assert_eq!(old.seq, new.seq);
        old.end(Outcome::cut());
        let ExchangeDetail::Log { line, .. } = &journal.since(0)[0].detail else { unreachable!() };
        assert_eq!((line.as_str(), &journal.since(0)[0].outcome), ("2", &None));
        new.end(Outcome::status(200, Value::Null));
        assert_eq!(journal.since(0)[0].outcome, Some(Outcome::status(200, Value::Null)));
    }

    #[test]
    fn an_exchange_that_began_before_a_take_ends_none_after_it() {
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
    async fn watchers_are_notified_of_beginnings_and_ends() {
        let journal = journal();
        let mut changes = journal.watch();
        let pending = journal.begin("a", log("1"));
        until("the beginning", changes.changed()).await.unwrap();
        pending.end(Outcome::default());
        until("the end", changes.changed()).await.unwrap();
    }

    #[test]
    fn positions_and_ordinals_count_what_was_dropped() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let journal = Journal::bounded(clock, Limits { exchanges: 2, ..Limits::default() });
        let early = journal.begin("a", log("1"));
        for name in ["a", "b", "a"] {
            journal.note(name, log("2"));
        }
        early.end(Outcome::status(500, Value::Null));
        assert_eq!((journal.first(), journal.mark()), (2, 4));
        let kept: Vec<_> =
            journal.since(0).into_iter().map(|e| (e.seq, e.name, e.ordinal)).collect();
        assert_eq!(kept, [(2, "b".into(), 0), (3, "a".into(), 2)]);
        journal.clear();
        assert_eq!((journal.first(), journal.note("a", log("3"))), (0, 0));
    }

    #[test]
    fn exchanges_are_filtered_by_name_and_mark() {
        let journal = journal();
        journal.note("dynamodb.GetItem", log("1"));
        journal.note("dynamodb.Query", log("2"));
        let mark = journal.mark();
        journal.note("dynamodb.GetItem", log("3"));
        journal.note("dynamodb", log("4"));
        let all = journal.exchanges();
        let seqs = |exchanges: &Exchanges| exchanges.into_iter().map(|e| e.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&all), [0, 1, 2, 3]);
        assert_eq!(seqs(&all.clone().named("dynamodb.*")), [0, 1, 2]);
        let reads = all.named("dynamodb.GetItem");
        assert_eq!((reads.count(), seqs(&reads)), (2, vec![0, 2]));
        assert_eq!(reads.first().map(|e| e.seq), Some(0));
        assert_eq!(reads.last().map(|e| e.seq), Some(2));
        assert_eq!(seqs(&reads.clone().since(mark)), [2]);
        journal.note("dynamodb.GetItem", log("5"));
        assert_eq!(reads.count(), 3, "it reads the journal as it is now");
    }

    #[test]
    fn a_look_has_at_most_so_many_and_says_where_to_look_on() {
        let journal = journal();
        for name in ["a", "b", "a", "b", "a"] {
            journal.note(name, log("1"));
        }
        let look = |mark, most| journal.look(mark, most, |exchange| exchange.name == "a");
        let seqs = |look: &Look| look.exchanges.iter().map(|e| e.seq).collect::<Vec<_>>();
        let first = look(0, 2);
        assert_eq!((seqs(&first), first.next, first.epoch), (vec![0, 2], 3, 0));
        let rest = look(first.next, 2);
        assert_eq!((seqs(&rest), rest.next), (vec![4], 5));
        journal.clear();
        assert_eq!((look(0, 2).epoch, look(0, 2).next), (1, 0));
    }

    #[test]
    fn an_exchange_is_found_by_its_position_however_old_it_is() {
        let journal = journal();
        for number in 0..1000 {
            journal.note("a", log(&number.to_string()));
        }
        for seq in [0, 63, 64, 500, 999] {
            let exchange = journal.exchange(seq).unwrap();
            let ExchangeDetail::Log { line, .. } = exchange.detail else { unreachable!() };
            assert_eq!((exchange.seq, line), (seq, seq.to_string()));
        }
        assert!(journal.exchange(1000).is_none());
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let bounded = Journal::bounded(clock, Limits { exchanges: 1, ..Limits::default() });
        bounded.note("a", log("1"));
        bounded.note("a", log("2"));
        assert!(bounded.exchange(0).is_none() && bounded.exchange(1).is_some());
    }

    #[test]
    fn logs_show_no_path() {
        assert_eq!(without_path("http.GET /people/+19045550102"), "http.GET");
        assert_eq!(without_path("dynamodb.Query"), "dynamodb.Query");
    }
}
