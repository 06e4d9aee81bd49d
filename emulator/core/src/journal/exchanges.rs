//! Questions about the exchanges of a journal, as tests ask them.

use super::{Exchange, Journal, is_named};

/// Some of a journal's exchanges, chosen by name and position.
///
/// It holds no copy: each question reads the journal again, so the answer is about all that has begun
/// by then. Made by [`Journal::exchanges`].
#[derive(Debug, Clone)]
pub struct Exchanges {
    journal: Journal,
    name: Option<String>,
    mark: u64,
}

impl Exchanges {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal, name: None, mark: 0 }
    }

    /// Only those with this name, or with a name that begins with what stands before a `*`:
    /// `dynamodb.*`. Replaces an earlier name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only those from this [`Journal::mark`] on. Replaces an earlier mark.
    #[must_use]
    pub fn since(mut self, mark: u64) -> Self {
        self.mark = mark;
        self
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.journal.select(self.mark, |exchange| self.has(exchange).then_some(())).len()
    }

    /// The one that began first.
    pub fn first(&self) -> Option<Exchange> {
        self.to_vec().into_iter().next()
    }

    /// The one that began last.
    pub fn last(&self) -> Option<Exchange> {
        self.to_vec().pop()
    }

    /// All of them, in the order in which they began.
    pub fn to_vec(&self) -> Vec<Exchange> {
        self.journal.filter(self.mark, |exchange| self.has(exchange))
    }

    fn has(&self, exchange: &Exchange) -> bool {
        self.name.as_ref().is_none_or(|name| is_named(name, &exchange.name))
    }
}

impl IntoIterator for Exchanges {
    type Item = Exchange;
    type IntoIter = std::vec::IntoIter<Exchange>;

    fn into_iter(self) -> Self::IntoIter {
        self.to_vec().into_iter()
    }
}

impl IntoIterator for &Exchanges {
    type Item = Exchange;
    type IntoIter = std::vec::IntoIter<Exchange>;

    fn into_iter(self) -> Self::IntoIter {
        self.to_vec().into_iter()
    }
}
