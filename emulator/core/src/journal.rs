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

pub mod callers;
mod cause;
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

use self::callers::Callers;
use self::store::{Ended, JournalStore};
pub use self::{
    cause::{Cause, HEADER as CAUSE_HEADER, caused_by, current_cause, with_cause},
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
    callers: Callers,
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
        let callers = Callers::default();
        Self(Arc::new(JournalState { clock, callers, start: Instant::now(), store, changes }))
    }

    /// The running work of the backend, by which calls of it find their causes.
    pub fn callers(&self) -> &Callers {
        &self.0.callers
    }

    /// Records the beginning of an exchange, caused by what the current task works on (see
    /// [`caused_by`]). Dropping the result without [`PendingExchange::end`] records that the exchange
    /// was cut.
    pub fn begin(&self, name: impl Into<String>, detail: ExchangeDetail) -> PendingExchange {
        let name = name.into();
        let started_us = self.elapsed_us();
        let (cause, caused_by, span) = {
            let mut store = self.store();
            let (seq, epoch) = (store.next(), store.epoch());
            let caused_by = current_cause().filter(|cause| cause.epoch == epoch);
            let starts_turn = detail.starts_turn().then_some(seq);
            let turn = caused_by.map(|cause| cause.turn).or(starts_turn);
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
                caused_by: caused_by.map(|cause| cause.seq),
                turn,
                detail,
                outcome: None,
                injected: None,
            });
            (Cause { epoch, seq, turn: turn.unwrap_or(seq) }, caused_by, span)
        };
        self.changed();
        let journal = self.clone();
        PendingExchange { journal, cause, caused_by, started_us, span, ended: false }
    }

    /// Records an exchange that begins and ends at once; returns its position.
    pub fn note(&self, name: impl Into<String>, detail: ExchangeDetail) -> u64 {
        let pending = self.begin(name, detail);
        let seq = pending.cause.seq;
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
        let Cause { epoch, seq, .. } = pending.cause;
        self.store().end(epoch, seq, Ended { took_us, outcome, response });
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
    cause: Cause,
    caused_by: Option<Cause>,
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

    /// This exchange as the cause of others.
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The exchange that caused this one, if it is known.
    pub fn caused_by(&self) -> Option<Cause> {
        self.caused_by
    }

    /// Records that a fault makes it fail, and how. A failure without words does nothing to a call.
    pub fn injected(&self, failure: &impl std::fmt::Display) {
        let words = failure.to_string();
        if !words.is_empty() {
            let Cause { epoch, seq, .. } = self.cause;
            self.journal.store().injected(epoch, seq, words);
        }
    }

    /// Records which script answered a request to the model, where that was not known as it began.
    pub fn answered_by(&self, script: &str) {
        let Cause { epoch, seq, .. } = self.cause;
        self.journal.store().answered_by(epoch, seq, script);
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
mod tests;
