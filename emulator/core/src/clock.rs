//! Business time: what day it is for the backend under test.
//!
//! A scenario's clock stands still until a step moves it, so that a run is the
//! same today and in ten years. `up` follows the laptop's clock instead.
//! Elapsed time (deadlines, delays) is never read from here.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A shared, movable source of business time. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<State>>);

#[derive(Debug, Clone, Copy)]
enum State {
    Stopped(Timestamp),
    /// Follows the machine's clock, shifted by an offset.
    Running(SignedDuration),
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    pub fn stopped(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(State::Stopped(now))))
    }

    /// A clock that follows the machine's.
    pub fn running() -> Self {
        Self(Arc::new(Mutex::new(State::Running(SignedDuration::ZERO))))
    }

    /// The current business time.
    pub fn now(&self) -> Timestamp {
        match *self.state() {
            State::Stopped(at) => at,
            State::Running(offset) => {
                let now = Timestamp::now();
                now.checked_add(offset).unwrap_or(now)
            }
        }
    }

    /// Moves to `at`; a running clock runs on from there.
    pub fn set(&self, at: Timestamp) {
        let mut state = self.state();
        *state = match *state {
            State::Stopped(_) => State::Stopped(at),
            State::Running(_) => State::Running(at.duration_since(Timestamp::now())),
        };
    }

    /// Moves forward (or back, when negative); saturates at the ends of time.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        if let Ok(at) = now.checked_add(by) {
            self.set(at);
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A poisoned clock still holds a valid time: the writes above are single assignments.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_told() {
        let start: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let clock = Clock::stopped(start);
        assert_eq!(clock.now(), start);
        clock.clone().advance(SignedDuration::from_mins(5));
        assert_eq!(clock.now().to_string(), "2026-02-10T20:15:00Z");
    }

    #[test]
    fn a_running_clock_runs_on_from_where_it_is_set() {
        let clock = Clock::running();
        let then: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        clock.set(then);
        let first = clock.now();
        assert!(first >= then && first.duration_since(then) < SignedDuration::from_mins(1));
        assert!(clock.now() >= first);
    }
}
