//! The order in which scenarios start, and the order in which their results are shown.

use std::{cmp::Reverse, ops::Range, time::Duration};

/// Shorter differences between durations do not change the order.
const STEP_MS: u128 = 100;

/// Indexes in the order in which to start: the longest first, so that none of them runs alone at
/// the end; all others as they are. `expected` has how long each will probably take.
pub(super) fn longest_first(expected: &[Duration]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..expected.len()).collect();
    order.sort_by_key(|i| Reverse(expected[*i].as_millis() / STEP_MS));
    order
}

/// Results in the order of their files; holds back those that come early.
#[derive(Debug)]
pub(crate) struct InOrder<T> {
    slots: Vec<Option<T>>,
    shown: usize,
}

impl<T> InOrder<T> {
    /// Room for `count` results.
    pub(crate) fn new(count: usize) -> Self {
        Self { slots: (0..count).map(|_| None).collect(), shown: 0 }
    }

    /// Takes a result; gives the places of all that can be shown now.
    pub(crate) fn push(&mut self, at: usize, value: T) -> Range<usize> {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(value);
        }
        let ready = self.slots[self.shown..].iter().take_while(|slot| slot.is_some()).count();
        let from = self.shown;
        self.shown += ready;
        from..self.shown
    }

    /// The result at a place.
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.slots.get(at).and_then(Option::as_ref)
    }

    /// The first place that was never given out.
    pub(crate) fn first_hidden(&self) -> usize {
        self.shown
    }

    /// All results; `missing` makes those that never came.
    pub(crate) fn into_all(self, missing: impl Fn(usize) -> T) -> Vec<T> {
        let slots = self.slots.into_iter().enumerate();
        slots.map(|(i, slot)| slot.unwrap_or_else(|| missing(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_start_first_and_all_others_keep_their_order() {
        let expected = [20, 90, 1500, 40, 2600].map(Duration::from_millis);
        assert_eq!(longest_first(&expected), [4, 2, 0, 1, 3]);
    }

    #[test]
    fn early_results_wait_for_those_before_them() {
        let mut order = InOrder::new(4);
        assert_eq!(order.push(1, "b"), 0..0);
        assert_eq!(order.push(0, "a"), 0..2);
        assert_eq!(order.push(3, "d"), 2..2);
        assert_eq!((order.get(1), order.get(2), order.first_hidden()), (Some(&"b"), None, 2));
        assert_eq!(order.into_all(|_| "?"), ["a", "b", "?", "d"]);
    }
}
