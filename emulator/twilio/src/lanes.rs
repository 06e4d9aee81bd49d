//! One queue for each message, so that what happens to a message happens one thing after the other.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Sid;

/// Queues by message. A queue exists while somebody works on it.
#[derive(Debug)]
pub(crate) struct Lanes<T>(Mutex<HashMap<Sid, VecDeque<T>>>);

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Lanes<T> {
    /// Adds to a message's queue. When this is true nobody works on it, and the caller has to, with
    /// [`Lanes::next`] until nothing is left.
    #[must_use = "somebody must work on the queue"]
    pub fn push(&self, sid: Sid, work: impl IntoIterator<Item = T>) -> bool {
        let mut lanes = self.lock();
        let is_new = !lanes.contains_key(&sid);
        lanes.entry(sid).or_default().extend(work);
        is_new
    }

    /// The next of a message's queue; `None` ends the work on it.
    pub fn next(&self, sid: Sid) -> Option<T> {
        let mut lanes = self.lock();
        let next = lanes.get_mut(&sid)?.pop_front();
        if next.is_none() {
            lanes.remove(&sid);
        }
        next
    }

    /// Whether somebody works on a message's queue.
    pub fn is_busy(&self, sid: Sid) -> bool {
        self.lock().contains_key(&sid)
    }

    /// Drops what is queued; whoever works finds nothing more.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sid, VecDeque<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::SidGenerator;

    #[test]
    fn one_works_on_a_queue_until_it_is_empty() {
        let mut sids = SidGenerator::new(1);
        let (one, other) = (sids.generate(false), sids.generate(false));
        let lanes = Lanes::default();
        assert!(lanes.push(one, [1, 2]));
        assert_eq!(lanes.next(one), Some(1));
        assert!(!lanes.push(one, [3]), "somebody works on it");
        assert!(lanes.push(other, [9]), "another message does not wait");
        assert_eq!((lanes.next(one), lanes.next(one)), (Some(2), Some(3)));
        assert!(lanes.is_busy(one));
        assert_eq!(lanes.next(one), None);
        assert!(!lanes.is_busy(one) && lanes.push(one, [4]));
    }
}
