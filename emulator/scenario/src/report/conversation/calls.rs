//! Database calls, several on one line.

use jiff::Timestamp;

use super::{ConversationLine, Tone};
use rehearse_core::journal::{Exchange, Outcome};

/// Their label.
pub(super) const LABEL: &str = "database";

/// Database calls in a row: one line, equal calls added up.
#[derive(Debug, Clone, Default)]
pub(super) struct DatabaseCalls {
    at: Option<Timestamp>,
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
        match self.calls.iter_mut().find(|(known, _)| *known == call) {
            Some((_, sum)) => *sum += items,
            None => self.calls.push((call, items)),
        }
    }

    pub(super) fn take(&mut self) -> Option<ConversationLine> {
        let at = self.at.take()?;
        let calls = self.calls.drain(..).map(|(call, items)| format!("{call} {items}"));
        let text = calls.collect::<Vec<_>>().join(" · ");
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
