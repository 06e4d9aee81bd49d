//! Database calls, several on one line.

use std::time::Duration;

use jiff::Timestamp;

use super::{ConversationLine, Tone};
use crate::report::time;
use rehearse_core::journal::{Exchange, Outcome};

/// Their label.
pub(super) const LABEL: &str = "database";

/// Database calls in a row: one line, equal calls added up.
#[derive(Debug, Clone, Default)]
pub(super) struct DatabaseCalls {
    at: Option<Timestamp>,
    /// How long all of them took together, in microseconds.
    took_us: u64,
    /// What was done, to how many items.
    calls: Vec<(String, usize)>,
}

impl DatabaseCalls {
    /// Whether there are any.
    pub(super) fn any(&self) -> bool {
        self.at.is_some()
    }

    pub(super) fn add(&mut self, exchange: &Exchange, call: String, items: usize) {
        self.at = self.at.or(Some(exchange.at));
        self.took_us += exchange.took_us.unwrap_or(0);
        match self.calls.iter_mut().find(|(known, _)| *known == call) {
            Some((_, sum)) => *sum += items,
            None => self.calls.push((call, items)),
        }
    }

    pub(super) fn take(&mut self, timed: bool) -> Option<ConversationLine> {
        let at = self.at.take()?;
        let calls = self.calls.drain(..).map(|(call, items)| format!("{call} {items}"));
        let took = time::duration(Duration::from_micros(std::mem::take(&mut self.took_us)));
        let mut text = calls.collect::<Vec<_>>().join(" · ");
        if timed {
            text.push_str(&format!("  ({took})"));
        }
        Some(ConversationLine { at, label: LABEL.into(), text, tone: Tone::Quiet })
    }
}

/// How many items a read brought; `None` for a write.
pub(super) fn returned(operation: &str, outcome: &Outcome) -> Option<usize> {
    let answer = &outcome.response;
    match operation {
        "GetItem" => Some(usize::from(answer.get("Item").is_some())),
        "Query" | "Scan" => answer["Items"].as_array().map(Vec::len),
        _ => None,
    }
}
