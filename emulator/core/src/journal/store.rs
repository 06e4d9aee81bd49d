//! Where entries are kept: recent ones as they are, older ones as text.
//!
//! A JSON tree in memory is several times the size of its text, so a world that
//! is up for days, or under load, would grow by far more than its log. No
//! scenario gets far enough to have a page.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use serde_json::Value;

use super::Exchange;

/// So many of the last entries are never turned into text.
const RECENT: usize = 512;
/// Entries of one page: few enough that writing it delays nobody.
const PAGE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct JournalStore {
    /// The older entries, each page full.
    pages: Vec<Page>,
    recent: VecDeque<StoredExchange>,
    /// Counts how often it was cleared: what began before belongs to none of its entries.
    epoch: u64,
    ordinals: HashMap<String, u64>,
}

/// An entry, and its answer as long as nobody has asked for it.
#[derive(Debug)]
pub(super) struct StoredExchange {
    pub(super) entry: Exchange,
    /// The answer as it crossed; the entry's own is null then.
    pub(super) answer: Option<Bytes>,
}

/// Where a mark stands: a page and how much of it comes before, and a position among the recent.
struct StorePosition {
    page: usize,
    skip: usize,
    recent: usize,
}

#[derive(Debug)]
enum Page {
    /// Entries and answers in turn, each after its length.
    Text(Box<[u8]>),
    /// With an exchange that was still under way, which is rare: kept as it is.
    Entries(Vec<StoredExchange>),
}

impl JournalStore {
    /// How many entries there are: the position of the next one.
    pub(super) fn len(&self) -> u64 {
        (self.paged() + self.recent.len()) as u64
    }

    /// How many exchanges of this name came before the one that this call counts.
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

    /// How many exchanges of this name there are.
    pub(super) fn counted(&self, name: &str) -> u64 {
        self.ordinals.get(name).copied().unwrap_or_default()
    }

    /// Adds the next entry.
    pub(super) fn push(&mut self, entry: Exchange) {
        self.recent.push_back(StoredExchange { entry, answer: None });
        if self.recent.len() >= RECENT + PAGE {
            let page = Page::of(self.recent.drain(..PAGE).collect());
            self.pages.push(page);
        }
    }

    /// Forgets everything, and whom to tell of what is under way.
    pub(super) fn clear(&mut self) {
        drop(self.take());
    }

    /// Everything so far, which is forgotten here.
    pub(super) fn take(&mut self) -> Self {
        let empty = Self { epoch: self.epoch + 1, ..Self::default() };
        std::mem::replace(self, empty)
    }

    /// Tells the entries since the last [`JournalStore::clear`] from those before it.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// An entry of this epoch whose detail is under way.
    pub(super) fn pending(&mut self, epoch: u64, seq: u64) -> Option<&mut StoredExchange> {
        let at = usize::try_from(seq).ok().filter(|_| epoch == self.epoch)?;
        match at.checked_sub(self.paged()) {
            Some(at) => self.recent.get_mut(at),
            None => match self.pages.get_mut(at / PAGE)? {
                Page::Entries(entries) => entries.get_mut(at % PAGE),
                Page::Text(_) => None,
            },
        }
    }

    /// The entries from `mark` on.
    pub(super) fn since(&mut self, mark: u64) -> Vec<Exchange> {
        let StorePosition { page, skip, recent } = self.find(mark);
        let old = self.pages[page..].iter_mut().flat_map(Page::entries).skip(skip);
        old.chain(self.recent.range_mut(recent..).map(|kept| kept.read().clone())).collect()
    }

    /// What `of` makes of the entries from `mark` on; answers that nobody asked for are null.
    pub(super) fn select<T>(
        &mut self,
        mark: u64,
        mut of: impl FnMut(&Exchange) -> Option<T>,
    ) -> Vec<T> {
        let StorePosition { page, skip, recent } = self.find(mark);
        let old = self.pages[page..].iter_mut().flat_map(Page::entries).skip(skip);
        let mut selected: Vec<T> = old.filter_map(|entry| of(&entry)).collect();
        selected.extend(self.recent.range(recent..).filter_map(|kept| of(&kept.entry)));
        selected
    }

    /// All entries.
    pub(super) fn into_entries(mut self) -> Vec<Exchange> {
        let mut entries: Vec<Exchange> = self.pages.iter_mut().flat_map(Page::entries).collect();
        entries.extend(self.recent.into_iter().map(|mut kept| {
            kept.read();
            kept.entry
        }));
        entries
    }

    fn find(&self, mark: u64) -> StorePosition {
        let from = usize::try_from(mark).unwrap_or(usize::MAX);
        let paged = self.paged();
        StorePosition {
            page: (from / PAGE).min(self.pages.len()),
            skip: if from < paged { from % PAGE } else { 0 },
            recent: from.saturating_sub(paged).min(self.recent.len()),
        }
    }

    fn paged(&self) -> usize {
        self.pages.len() * PAGE
    }
}

impl StoredExchange {
    /// The whole entry. Its answer is parsed by the first who asks.
    fn read(&mut self) -> &Exchange {
        if let (Some(answer), Some(outcome)) = (self.answer.take(), &mut self.entry.outcome) {
            outcome.response = json_or_text(&answer);
        }
        &self.entry
    }
}

impl Page {
    fn of(entries: Vec<StoredExchange>) -> Self {
        if entries.iter().any(|kept| kept.entry.outcome.is_none()) {
            return Self::Entries(entries);
        }
        let mut text = Vec::new();
        for kept in &entries {
            let Ok(entry) = serde_json::to_vec(&kept.entry) else {
                return Self::Entries(entries);
            };
            write(&mut text, &entry);
            write(&mut text, kept.answer.as_deref().unwrap_or_default());
        }
        Self::Text(text.into())
    }

    fn entries(&mut self) -> Vec<Exchange> {
        let mut text: &[u8] = match self {
            Self::Text(text) => text,
            Self::Entries(entries) => {
                return entries.iter_mut().map(|kept| kept.read().clone()).collect();
            }
        };
        let mut entries = Vec::with_capacity(PAGE);
        while let (Some(entry), Some(answer)) = (read(&mut text), read(&mut text)) {
            // It was written by `of`, from an entry of this type.
            let Ok(entry) = serde_json::from_slice(entry) else { continue };
            let answer = (!answer.is_empty()).then(|| Bytes::copy_from_slice(answer));
            let mut kept = StoredExchange { entry, answer };
            kept.read();
            entries.push(kept.entry);
        }
        entries
    }
}

fn write(text: &mut Vec<u8>, part: &[u8]) {
    text.extend_from_slice(&part.len().to_le_bytes());
    text.extend_from_slice(part);
}

fn read<'t>(text: &mut &'t [u8]) -> Option<&'t [u8]> {
    let (length, rest) = text.split_first_chunk()?;
    let (part, rest) = rest.split_at_checked(usize::from_le_bytes(*length))?;
    *text = rest;
    Some(part)
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
    use crate::journal::{ExchangeDetail, Outcome, Via};

    fn exchanges() -> Vec<ExchangeDetail> {
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
            ExchangeDetail::Database {
                function: Some(text()),
                operation: text(),
                tables: vec![text()],
                items: 7,
                request: json!({ "kind": "rows" }),
            },
            ExchangeDetail::Secret { function: None, operation: text(), name: text() },
            ExchangeDetail::Http { function: None, method: text(), path: text(), body: text() },
            ExchangeDetail::Rows { table: text(), rows: vec![json!({ "b": 1, "a": 2 })] },
            ExchangeDetail::Log { function: text(), request_id: None, line: text() },
            ExchangeDetail::Step { step: text(), title: text() },
        ]
    }

    fn entry(seq: u64) -> Exchange {
        let exchanges = exchanges();
        let at = usize::try_from(seq).unwrap() % exchanges.len();
        Exchange {
            seq,
            name: format!("detail {at}"),
            ordinal: seq,
            at: Timestamp::from_second(1_770_000_000).unwrap(),
            started_us: seq,
            took_us: Some(1),
            detail: exchanges[at].clone(),
            outcome: Some(Outcome::status(200, json!({ "seq": seq }))),
        }
    }

    fn seqs(entries: &[Exchange]) -> Vec<u64> {
        entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn old_entries_come_back_as_they_were() {
        let mut store = JournalStore::default();
        let all = (RECENT + 3 * PAGE) as u64;
        (0..all).for_each(|seq| store.push(entry(seq)));
        assert_eq!((store.pages.len(), store.len()), (3, all));
        assert!(store.pages.iter().all(|page| matches!(page, Page::Text(_))));
        let back = store.since(0);
        let as_json = |entries: &[Exchange]| serde_json::to_string(entries).unwrap();
        assert_eq!(as_json(&back), as_json(&(0..all).map(entry).collect::<Vec<_>>()));
    }

    #[test]
    fn a_mark_may_stand_anywhere() {
        let mut store = JournalStore::default();
        let all = (RECENT + 2 * PAGE) as u64;
        (0..all).for_each(|seq| store.push(entry(seq)));
        let page = PAGE as u64;
        for mark in [0, 1, page - 1, page, page + 5, 2 * page, 2 * page + 1, all - 1, all, all + 9]
        {
            let expected: Vec<u64> = (mark..all).collect();
            assert_eq!(seqs(&store.since(mark)), expected, "{mark}");
            assert_eq!(store.select(mark, |entry| Some(entry.seq)), expected, "{mark}");
        }
        assert_eq!(seqs(&store.into_entries()), (0..all).collect::<Vec<_>>());
    }

    #[test]
    fn what_takes_long_can_still_end() {
        let mut store = JournalStore::default();
        let open = Exchange { outcome: None, ..entry(1) };
        for seq in 0..(RECENT + PAGE) as u64 {
            store.push(if seq == 1 { open.clone() } else { entry(seq) });
        }
        assert!(matches!(store.pages.as_slice(), [Page::Entries(_)]));
        store.pending(0, 1).unwrap().entry.outcome = Some(Outcome::status(204, Value::Null));
        assert_eq!(store.since(0)[1].outcome.as_ref().unwrap().status, Some(204));
        assert_eq!(store.pending(0, PAGE as u64 + 1).unwrap().entry.seq, PAGE as u64 + 1);
    }

    #[test]
    fn an_answer_is_read_when_somebody_asks() {
        let mut store = JournalStore::default();
        let all = (RECENT + PAGE) as u64;
        let texts = ["{\"a\":[1.5]}", "no json", "null"];
        for seq in 0..all {
            store.push(Exchange { outcome: None, ..entry(seq) });
            let kept = store.pending(0, seq).unwrap();
            kept.entry.outcome = Some(Outcome::status(200, Value::Null));
            kept.answer = Some(Bytes::from(texts[usize::try_from(seq).unwrap() % 3]));
        }
        assert!(matches!(store.pages.as_slice(), [Page::Text(_)]));
        let answer = |at: usize, store: &mut JournalStore| {
            store.since(at as u64)[0].outcome.as_ref().unwrap().response.clone()
        };
        for at in [0, PAGE + 2] {
            // Positions 0, 1, 2 of the texts, from a page and from the recent ones; asked twice.
            for _ in 0..2 {
                assert_eq!(answer(at, &mut store), json!({ "a": [1.5] }));
                assert_eq!(answer(at + 1, &mut store), json!("no json"));
            }
        }
    }
}
