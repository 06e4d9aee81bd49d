//! Where the journal keeps exchanges: the latest as they are, older ones as text.
//!
//! A JSON tree in memory is several times the size of its text, so a world that is up for days or
//! under load would grow by far more than its log. Scenarios rarely have enough exchanges to fill a
//! page.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use serde_json::Value;

use super::{
    Exchange, ExchangeDetail, Limits, Outcome,
    page::{PAGE, Page},
    size,
};

/// How many of the latest exchanges are never turned into text.
const RECENT: usize = 512;

#[derive(Debug, Default)]
pub(super) struct JournalStore {
    limits: Option<Limits>,
    /// The older exchanges.
    pages: VecDeque<Page>,
    recent: VecDeque<StoredExchange>,
    /// Position of the first exchange that is kept: how many were dropped.
    first: u64,
    /// Bytes of all that is kept. Counted only with limits.
    bytes: usize,
    /// Positions from which on nothing may be dropped.
    retained_from: Vec<u64>,
    /// Counts how often it was emptied. An exchange that began in an earlier epoch is not here.
    epoch: u64,
    ordinals: HashMap<String, u64>,
}

/// An exchange, and its response until somebody reads it.
#[derive(Debug, Clone)]
pub(super) struct StoredExchange {
    pub(super) exchange: Exchange,
    /// The response as it was sent; the outcome's own is null then.
    pub(super) response: Option<Bytes>,
    /// Its part of [`JournalStore::bytes`].
    pub(super) bytes: usize,
}

/// How an exchange ended.
pub(super) struct Ended {
    pub(super) took_us: u64,
    pub(super) outcome: Outcome,
    pub(super) response: Option<Bytes>,
}

impl JournalStore {
    pub(super) fn new(limits: Option<Limits>) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Position of the next exchange.
    pub(super) fn next(&self) -> u64 {
        self.first + self.kept() as u64
    }

    /// Position of the first exchange that is kept, or of the next one when none is.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Tells the exchanges since the last [`JournalStore::take`] from those before it.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Counts an exchange of this name; returns how many came before it.
    pub(super) fn count(&mut self, name: &str) -> u64 {
        match self.ordinals.get_mut(name) {
            Some(count) => {
                *count += 1;
                *count - 1
            }
            None => {
                self.ordinals.insert(name.to_owned(), 1);
                0
            }
        }
    }

    /// Adds the next exchange.
    pub(super) fn push(&mut self, exchange: Exchange) {
        let mut stored = StoredExchange { exchange, response: None, bytes: 0 };
        if self.limits.is_some() {
            stored.bytes = size::exchange(&stored);
            self.bytes += stored.bytes;
        }
        self.recent.push_back(stored);
        if self.recent.len() >= RECENT + PAGE {
            let oldest: Vec<StoredExchange> = self.recent.drain(..PAGE).collect();
            let bytes: usize = oldest.iter().map(|stored| stored.bytes).sum();
            let page = Page::new(oldest);
            if self.limits.is_some() {
                self.bytes = self.bytes - bytes + page.bytes();
            }
            self.pages.push_back(page);
        }
        self.drop_excess();
    }

    /// Records the end of an exchange, unless it is no longer kept.
    pub(super) fn end(&mut self, epoch: u64, seq: u64, ended: Ended) {
        let limited = self.limits.is_some();
        let Some(stored) = self.pending(epoch, seq) else { return };
        stored.exchange.took_us = Some(ended.took_us);
        stored.exchange.outcome = Some(ended.outcome);
        stored.response = ended.response;
        if limited {
            let (before, after) = (stored.bytes, size::exchange(stored));
            stored.bytes = after;
            self.bytes = self.bytes - before + after;
            self.drop_excess();
        }
    }

    /// Records how a fault makes an exchange fail, unless it is no longer kept.
    pub(super) fn injected(&mut self, epoch: u64, seq: u64, failure: String) {
        if let Some(stored) = self.pending(epoch, seq) {
            stored.exchange.injected = Some(failure);
        }
    }

    /// Records which script answered a request to the model, unless it is no longer kept.
    pub(super) fn answered_by(&mut self, epoch: u64, seq: u64, by: &str) {
        if let Some(stored) = self.pending(epoch, seq)
            && let ExchangeDetail::Model { script, .. } = &mut stored.exchange.detail
        {
            *script = Some(by.to_owned());
        }
    }

    /// Removes and returns everything. Positions, ordinals and marks begin anew.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self { limits: self.limits, epoch: self.epoch + 1, ..Self::default() };
        std::mem::replace(self, empty)
    }

    /// Keeps everything from the next exchange on until [`JournalStore::release`]; returns its
    /// position.
    pub(super) fn retain(&mut self) -> u64 {
        let mark = self.next();
        self.retained_from.push(mark);
        mark
    }

    /// Ends one [`JournalStore::retain`].
    pub(super) fn release(&mut self, epoch: u64, mark: u64) {
        if epoch == self.epoch
            && let Some(index) = self.retained_from.iter().position(|kept| *kept == mark)
        {
            self.retained_from.swap_remove(index);
            self.drop_excess();
        }
    }

    /// The kept exchanges from `mark` on for which `wanted` returns true. It sees them without those
    /// responses that were not parsed yet.
    pub(super) fn filter(
        &self,
        mark: u64,
        mut wanted: impl FnMut(&Exchange) -> bool,
    ) -> Vec<Exchange> {
        let mut exchanges = Vec::new();
        self.each(mark, |stored| {
            if wanted(&stored.exchange) {
                exchanges.push(stored.clone().into_whole());
            }
        });
        exchanges
    }

    /// The first `most` kept exchanges from `mark` on for which `wanted` returns true, and the position
    /// of the first one that was not looked at. It sees them as in [`JournalStore::filter`].
    pub(super) fn look(
        &self,
        mark: u64,
        most: usize,
        mut wanted: impl FnMut(&Exchange) -> bool,
    ) -> (Vec<Exchange>, u64) {
        let mut found = Vec::new();
        let skip = usize::try_from(mark.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let older = self.pages.iter().skip(skip / PAGE).flat_map(Page::read);
        let recent = self.recent.iter().skip(skip.saturating_sub(self.paged())).cloned();
        for stored in older.chain(recent).filter(|stored| stored.exchange.seq >= mark) {
            if found.len() == most {
                return (found, stored.exchange.seq);
            }
            if wanted(&stored.exchange) {
                found.push(stored.into_whole());
            }
        }
        (found, self.next())
    }

    /// The exchange at a position, if it is kept.
    pub(super) fn get(&self, seq: u64) -> Option<Exchange> {
        let index = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        let stored = match index.checked_sub(self.paged()) {
            Some(index) => self.recent.get(index)?.clone(),
            None => {
                let mut page = self.pages.get(index / PAGE)?.read();
                let at = page.iter().position(|stored| stored.exchange.seq == seq)?;
                page.swap_remove(at)
            }
        };
        Some(stored.into_whole())
    }

    /// What `of` returns for the kept exchanges from `mark` on. It sees them without those responses
    /// that were not parsed yet.
    pub(super) fn select<T>(
        &self,
        mark: u64,
        mut of: impl FnMut(&Exchange) -> Option<T>,
    ) -> Vec<T> {
        let mut selected = Vec::new();
        self.each(mark, |stored| selected.extend(of(&stored.exchange)));
        selected
    }

    /// All kept exchanges.
    pub(super) fn into_exchanges(self) -> Vec<Exchange> {
        let old = self.pages.iter().flat_map(Page::read);
        old.chain(self.recent).map(StoredExchange::into_whole).collect()
    }

    fn each(&self, mark: u64, mut visit: impl FnMut(&StoredExchange)) {
        // A mark beyond the end is one from before the journal was emptied.
        let skip = usize::try_from(mark.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let paged = self.paged();
        for page in self.pages.iter().skip(skip / PAGE) {
            page.read().iter().filter(|stored| stored.exchange.seq >= mark).for_each(&mut visit);
        }
        self.recent.iter().skip(skip.saturating_sub(paged)).for_each(visit);
    }

    /// An exchange of this epoch that may be under way.
    fn pending(&mut self, epoch: u64, seq: u64) -> Option<&mut StoredExchange> {
        let index = seq.checked_sub(self.first).filter(|_| epoch == self.epoch)?;
        let index = usize::try_from(index).ok()?;
        match index.checked_sub(self.paged()) {
            Some(index) => self.recent.get_mut(index),
            None => self.pages.get_mut(index / PAGE)?.pending(index % PAGE),
        }
    }

    /// Drops the oldest exchanges until the limits are met. Pages go as a whole. The latest exchange
    /// is kept however large it is.
    fn drop_excess(&mut self) {
        let Some(limits) = self.limits else { return };
        let retained = self.retained_from.iter().copied().min().unwrap_or(u64::MAX);
        while self.kept() > limits.exchanges || self.bytes > limits.bytes {
            let oldest = if self.pages.is_empty() { 1 } else { PAGE };
            let first = self.first + oldest as u64;
            if self.kept() <= oldest || first > retained {
                return;
            }
            let bytes = match self.pages.pop_front() {
                Some(page) => page.bytes(),
                None => self.recent.pop_front().map_or(0, |stored| stored.bytes),
            };
            self.bytes -= bytes;
            self.first = first;
        }
    }

    /// How many exchanges are kept.
    fn kept(&self) -> usize {
        self.paged() + self.recent.len()
    }

    fn paged(&self) -> usize {
        self.pages.len() * PAGE
    }
}

impl StoredExchange {
    /// The exchange with its response, which is parsed here.
    fn into_whole(self) -> Exchange {
        let Self { mut exchange, response, .. } = self;
        if let (Some(response), Some(outcome)) = (response, &mut exchange.outcome) {
            outcome.response = json_or_text(&response);
        }
        exchange
    }
}

fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::journal::{ExchangeDetail, Via};

    fn details() -> Vec<ExchangeDetail> {
        let text = || "é \"quoted\"\n".to_owned();
        vec![
            ExchangeDetail::SmsReceived {
                sid: text(),
                from: text(),
                to: text(),
                body: text(),
                media: vec![text()],
            },
            ExchangeDetail::SmsSent {
                sid: text(),
                from: text(),
                to: text(),
                body: text(),
                media: vec![],
                segments: 2,
                encoding: text(),
                via: Via::Twiml,
                in_reply_to: Some(text()),
            },
            ExchangeDetail::Webhook {
                sid: text(),
                attempt: 3,
                method: text(),
                url: text(),
                params: vec![(text(), text())],
            },
            ExchangeDetail::Twilio { method: text(), path: text(), params: vec![(text(), text())] },
            ExchangeDetail::Model { request: json!({ "z": 1.5, "a": [null, -1] }), script: None },
            ExchangeDetail::OpenAi { method: text(), path: text(), request: json!({ "a": 1 }) },
            ExchangeDetail::Database {
                function: Some(text()),
                operation: text(),
                tables: vec![text()],
                items: 7,
                request: json!({ "kind": "rows" }),
            },
            ExchangeDetail::Secret { function: None, operation: text(), name: text() },
            ExchangeDetail::OtherService {
                function: None,
                service: text(),
                method: text(),
                path: text(),
                operation: Some(text()),
            },
            ExchangeDetail::Http {
                function: None,
                method: text(),
                path: text(),
                body: text(),
                headers: Vec::new(),
            },
            ExchangeDetail::Rows { table: text(), rows: vec![json!({ "b": 1, "a": 2 })] },
            ExchangeDetail::Log { function: text(), request_id: None, line: text() },
            ExchangeDetail::Step { step: text(), title: text() },
        ]
    }

    fn exchange(seq: u64) -> Exchange {
        let details = details();
        let at = usize::try_from(seq).unwrap() % details.len();
        Exchange {
            seq,
            name: format!("detail {at}"),
            ordinal: seq,
            at: Timestamp::from_second(1_770_000_000).unwrap(),
            started_us: seq,
            took_us: Some(1),
            caused_by: seq.checked_sub(1),
            turn: Some(seq / 2),
            detail: details[at].clone(),
            outcome: Some(Outcome::status(200, json!({ "seq": seq }))),
            injected: seq.is_multiple_of(2).then(|| format!("failure {seq}")),
        }
    }

    fn ended(status: u16) -> Ended {
        Ended { took_us: 1, outcome: Outcome::status(status, Value::Null), response: None }
    }

    fn all(store: &JournalStore, mark: u64) -> Vec<Exchange> {
        store.filter(mark, |_| true)
    }

    fn seqs(exchanges: &[Exchange]) -> Vec<u64> {
        exchanges.iter().map(|exchange| exchange.seq).collect()
    }

    fn filled(limits: Option<Limits>, count: u64) -> JournalStore {
        let mut store = JournalStore::new(limits);
        for seq in 0..count {
            store.push(exchange(seq));
        }
        store
    }

    #[test]
    fn old_exchanges_come_back_as_they_were() {
        let count = (RECENT + 3 * PAGE) as u64;
        let store = filled(None, count);
        assert_eq!((store.pages.len(), store.next(), store.first()), (3, count, 0));
        assert!(store.pages.iter().all(|page| matches!(page, Page::Text(_))));
        let as_json = |exchanges: &[Exchange]| serde_json::to_string(exchanges).unwrap();
        let expected = as_json(&(0..count).map(exchange).collect::<Vec<_>>());
        assert_eq!(as_json(&all(&store, 0)), expected);
        assert_eq!(as_json(&store.into_exchanges()), expected);
    }

    #[test]
    fn a_mark_may_be_any_position() {
        let count = (RECENT + 2 * PAGE) as u64;
        let store = filled(None, count);
        let page = PAGE as u64;
        let marks =
            [0, 1, page - 1, page, page + 5, 2 * page, 2 * page + 1, count - 1, count, count + 9];
        for mark in marks {
            let expected: Vec<u64> = (mark..count).collect();
            assert_eq!(seqs(&all(&store, mark)), expected, "{mark}");
            assert_eq!(store.select(mark, |exchange| Some(exchange.seq)), expected, "{mark}");
        }
    }

    #[test]
    fn an_exchange_can_end_when_it_is_on_a_page() {
        let mut store = JournalStore::default();
        let pending = Exchange { outcome: None, ..exchange(1) };
        for seq in 0..(RECENT + PAGE) as u64 {
            store.push(if seq == 1 { pending.clone() } else { exchange(seq) });
        }
        assert!(matches!(store.pages.make_contiguous(), [Page::Exchanges(_)]));
        store.end(0, 1, ended(204));
        let status = |seq: u64| all(&store, seq)[0].outcome.as_ref().unwrap().status;
        assert_eq!((status(0), status(1), status(2)), (Some(200), Some(204), Some(200)));
    }

    #[test]
    fn a_response_is_read_when_somebody_asks() {
        let mut store = JournalStore::default();
        let texts = ["{\"a\":[1.5]}", "no json", "null"];
        for seq in 0..(RECENT + PAGE) as u64 {
            store.push(Exchange { outcome: None, ..exchange(seq) });
            let text = texts[usize::try_from(seq).unwrap() % 3];
            store.end(0, seq, Ended { response: Some(text.into()), ..ended(200) });
        }
        assert!(matches!(store.pages.make_contiguous(), [Page::Text(_)]));
        let response =
            |at: usize| all(&store, at as u64)[0].outcome.as_ref().unwrap().response.clone();
        // From a page and from the recent ones; both positions have the first text.
        for at in [0, PAGE + 2] {
            assert_eq!(response(at), json!({ "a": [1.5] }));
            assert_eq!(response(at + 1), json!("no json"));
            assert_eq!(response(at + 2), Value::Null);
        }
    }

    fn at_most(exchanges: usize) -> Limits {
        Limits { exchanges, bytes: usize::MAX }
    }

    #[test]
    fn no_more_exchanges_are_kept_than_the_limit() {
        for limit in [1, 7, RECENT, RECENT + PAGE - 1, RECENT + PAGE, 1000] {
            let mut store = JournalStore::new(Some(at_most(limit)));
            for seq in 0..2000_u64 {
                store.push(exchange(seq));
                let kept = usize::try_from(store.next() - store.first()).unwrap();
                assert!(kept <= limit, "{kept} of {limit}");
                // Pages go as a whole.
                assert!(
                    kept > limit.saturating_sub(PAGE) || store.first() == 0,
                    "{kept} of {limit}"
                );
            }
            let (first, next) = (store.first(), store.next());
            assert_eq!(next, 2000);
            assert_eq!(seqs(&all(&store, 0)), (first..next).collect::<Vec<_>>());
            assert_eq!(seqs(&all(&store, next - 1)), [next - 1]);
        }
    }

    #[test]
    fn no_more_bytes_are_kept_than_the_limit() {
        let body = "x".repeat(10_000);
        let limit = 3_000_000;
        let mut store = JournalStore::new(Some(Limits { exchanges: usize::MAX, bytes: limit }));
        for seq in 0..1000_u64 {
            let detail = ExchangeDetail::Http {
                function: None,
                method: "POST".into(),
                path: "/".into(),
                body: body.clone(),
                headers: Vec::new(),
            };
            store.push(Exchange { detail, outcome: None, ..exchange(seq) });
            store.end(0, seq, Ended { response: Some(body.clone().into()), ..ended(200) });
            assert!(store.bytes <= limit, "{}", store.bytes);
        }
        // Each has 20,000 bytes of bodies.
        assert!((100..150).contains(&(store.next() - store.first())), "{}", store.first());
        for seq in 1000..10_000 {
            store.push(exchange(seq));
        }
        let counted: usize = store.pages.iter().map(Page::bytes).sum::<usize>()
            + store.recent.iter().map(size::exchange).sum::<usize>();
        assert_eq!(store.bytes, counted);
    }

    #[test]
    fn the_latest_exchange_is_kept_even_if_it_is_too_large() {
        let store = filled(Some(Limits { exchanges: 10, bytes: 1 }), 3);
        assert_eq!(seqs(&all(&store, 0)), [2]);
    }

    #[test]
    fn what_was_dropped_while_under_way_ends_nothing() {
        let mut store = JournalStore::new(Some(at_most(2)));
        for seq in 0..4 {
            store.push(Exchange { outcome: None, ..exchange(seq) });
        }
        store.end(0, 1, ended(500));
        store.end(0, 2, ended(204));
        let outcomes: Vec<_> =
            all(&store, 0).into_iter().map(|exchange| exchange.outcome?.status).collect();
        assert_eq!(outcomes, [Some(204), None]);
    }

    #[test]
    fn what_is_retained_is_dropped_only_after_its_release() {
        let mut store = filled(Some(at_most(5)), 10);
        let mark = store.retain();
        assert_eq!(mark, 10);
        (10..1000).for_each(|seq| store.push(exchange(seq)));
        assert_eq!(seqs(&all(&store, 0)), (10..1000).collect::<Vec<_>>());
        store.release(1, mark);
        assert_eq!(store.first(), 10, "another epoch's");
        store.release(0, mark);
        assert_eq!(seqs(&all(&store, 0)), [995, 996, 997, 998, 999]);
    }
}
