//! Where entries are kept: recent ones as they are, older ones as text.
//!
//! A JSON tree in memory is several times the size of its text, so a world that
//! is up for days, or under load, would grow by far more than its log. No
//! scenario gets far enough to have a page.

use std::collections::{HashMap, VecDeque};

use super::Entry;

/// So many of the last entries are never turned into text.
const RECENT: usize = 512;
/// Entries of one page: few enough that writing it delays nobody.
const PAGE: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Book {
    /// The older entries, each page full.
    pages: Vec<Page>,
    recent: VecDeque<Entry>,
    ordinals: HashMap<String, u64>,
}

#[derive(Debug)]
enum Page {
    /// A JSON array.
    Text(Box<[u8]>),
    /// With a crossing that was still under way, which is rare: kept as it is.
    Entries(Vec<Entry>),
}

impl Book {
    /// How many entries there are: the position of the next one.
    pub(super) fn len(&self) -> u64 {
        (self.paged() + self.recent.len()) as u64
    }

    /// How many crossings of this name came before the one that this call counts.
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

    /// Adds the next entry.
    pub(super) fn push(&mut self, entry: Entry) {
        self.recent.push_back(entry);
        if self.recent.len() >= RECENT + PAGE {
            let page = Page::of(self.recent.drain(..PAGE).collect());
            self.pages.push(page);
        }
    }

    /// An entry whose crossing is under way.
    pub(super) fn under_way(&mut self, seq: u64) -> Option<&mut Entry> {
        let at = usize::try_from(seq).ok()?;
        match at.checked_sub(self.paged()) {
            Some(at) => self.recent.get_mut(at),
            None => match self.pages.get_mut(at / PAGE)? {
                Page::Entries(entries) => entries.get_mut(at % PAGE),
                Page::Text(_) => None,
            },
        }
    }

    /// The entries from `mark` on.
    pub(super) fn since(&self, mark: u64) -> Vec<Entry> {
        let from = usize::try_from(mark).unwrap_or(usize::MAX);
        let paged = self.paged();
        if from >= paged {
            return self.recent.range((from - paged).min(self.recent.len())..).cloned().collect();
        }
        let pages = self.pages[from / PAGE..].iter().flat_map(Page::entries).skip(from % PAGE);
        pages.chain(self.recent.iter().cloned()).collect()
    }

    fn paged(&self) -> usize {
        self.pages.len() * PAGE
    }
}

impl Page {
    fn of(entries: Vec<Entry>) -> Self {
        if entries.iter().all(|entry| entry.outcome.is_some())
            && let Ok(text) = serde_json::to_vec(&entries)
        {
            return Self::Text(text.into());
        }
        Self::Entries(entries)
    }

    fn entries(&self) -> Vec<Entry> {
        match self {
            // It was written by `of` from entries that can be read.
            Self::Text(text) => serde_json::from_slice(text).unwrap_or_default(),
            Self::Entries(entries) => entries.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::journal::{Crossing, Outcome, Via};

    fn crossings() -> Vec<Crossing> {
        let text = || "é \"quoted\"\n".to_owned();
        vec![
            Crossing::SmsReceived {
                sid: text(),
                from: text(),
                to: text(),
                body: text(),
                media: vec![text()],
            },
            Crossing::SmsSent {
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
            Crossing::Webhook {
                sid: text(),
                attempt: 3,
                method: text(),
                url: text(),
                params: vec![(text(), text())],
            },
            Crossing::Twilio { method: text(), path: text(), params: vec![(text(), text())] },
            Crossing::Model { request: json!({ "z": 1.5, "a": [null, -1] }), script: None },
            Crossing::Database {
                function: Some(text()),
                operation: text(),
                tables: vec![text()],
                items: 7,
                request: json!({ "kind": "rows" }),
            },
            Crossing::Http { function: None, method: text(), path: text(), body: text() },
            Crossing::Rows { table: text(), rows: vec![json!({ "b": 1, "a": 2 })] },
            Crossing::Log { function: text(), request_id: None, line: text() },
            Crossing::Step { step: text(), title: text() },
        ]
    }

    fn entry(seq: u64) -> Entry {
        let crossings = crossings();
        let at = usize::try_from(seq).unwrap() % crossings.len();
        Entry {
            seq,
            name: format!("crossing {at}"),
            ordinal: seq,
            at: Timestamp::from_second(1_770_000_000).unwrap(),
            started_us: seq,
            took_us: Some(1),
            crossing: crossings[at].clone(),
            outcome: Some(Outcome::status(200, json!({ "seq": seq }))),
        }
    }

    fn seqs(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn old_entries_come_back_as_they_were() {
        let mut book = Book::default();
        let all = (RECENT + 3 * PAGE) as u64;
        (0..all).for_each(|seq| book.push(entry(seq)));
        assert_eq!((book.pages.len(), book.len()), (3, all));
        assert!(book.pages.iter().all(|page| matches!(page, Page::Text(_))));
        let back = book.since(0);
        let as_json = |entries: &[Entry]| serde_json::to_string(entries).unwrap();
        assert_eq!(as_json(&back), as_json(&(0..all).map(entry).collect::<Vec<_>>()));
    }

    #[test]
    fn a_mark_may_stand_anywhere() {
        let mut book = Book::default();
        let all = (RECENT + 2 * PAGE) as u64;
        (0..all).for_each(|seq| book.push(entry(seq)));
        let page = PAGE as u64;
        for mark in [0, 1, page - 1, page, page + 5, 2 * page, 2 * page + 1, all - 1, all, all + 9]
        {
            assert_eq!(seqs(&book.since(mark)), (mark..all).collect::<Vec<_>>(), "{mark}");
        }
    }

    #[test]
    fn what_takes_long_can_still_end() {
        let mut book = Book::default();
        let open = Entry { outcome: None, ..entry(1) };
        for seq in 0..(RECENT + PAGE) as u64 {
            book.push(if seq == 1 { open.clone() } else { entry(seq) });
        }
        assert!(matches!(book.pages.as_slice(), [Page::Entries(_)]));
        book.under_way(1).unwrap().outcome = Some(Outcome::status(204, Value::Null));
        assert_eq!(book.since(0)[1].outcome.as_ref().unwrap().status, Some(204));
        assert_eq!(book.under_way(PAGE as u64 + 1).unwrap().seq, PAGE as u64 + 1);
    }
}
