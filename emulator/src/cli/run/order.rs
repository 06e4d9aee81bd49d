//! Results in the order of their files, each as soon as all before it are there.

/// Holds back what comes early.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    slots: Vec<Option<T>>,
    shown: usize,
}

impl<T: Clone> InOrder<T> {
    /// Room for `count` results.
    pub(super) fn new(count: usize) -> Self {
        Self { slots: (0..count).map(|_| None).collect(), shown: 0 }
    }

    /// Takes a result; gives all that can be shown now.
    pub(super) fn push(&mut self, at: usize, value: T) -> Vec<T> {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(value);
        }
        let ready: Vec<T> =
            self.slots[self.shown..].iter().map_while(Option::as_ref).cloned().collect();
        self.shown += ready.len();
        ready
    }

    /// All results; `missing` makes those that never came.
    pub(super) fn into_all(self, missing: impl Fn(usize) -> T) -> Vec<T> {
        let slots = self.slots.into_iter().enumerate();
        slots.map(|(i, slot)| slot.unwrap_or_else(|| missing(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_results_wait_for_those_before_them() {
        let mut order = InOrder::new(4);
        assert_eq!(order.push(1, "b"), [""; 0]);
        assert_eq!(order.push(0, "a"), ["a", "b"]);
        assert_eq!(order.push(3, "d"), [""; 0]);
        assert_eq!(order.into_all(|_| "?"), ["a", "b", "?", "d"]);
    }
}
