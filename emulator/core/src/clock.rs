//! Business time: the date and time that the backend under test sees.
//!
//! A scenario's clock stands still until a step moves it, so that a run is the same today and in ten
//! years. `up` follows the machine's clock instead. Elapsed time (deadlines, delays) is another thing,
//! [`Clock::elapsed`]: all parts of a world have the clock, and so they have this as well.
//!
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use rehearse_core::clock::Clock;
//!
//! let start: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
//! let clock = Clock::stopped(start);
//! let shared = clock.clone();
//! clock.advance(SignedDuration::from_mins(5));
//! assert_eq!(shared.now().to_string(), "2026-02-10T20:15:00Z");
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::elapsed::ElapsedTime;

/// A shared, movable source of business time. Clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<ClockInner>);

#[derive(Debug)]
struct ClockInner {
    state: Mutex<ClockState>,
    /// Counts moves, so that whoever waits for a moment can look again.
    moves: watch::Sender<u64>,
    elapsed: ElapsedTime,
}

#[derive(Debug, Clone, Copy)]
enum ClockState {
    Stopped(Timestamp),
    /// Follows the machine's clock, shifted by an offset.
    Running(SignedDuration),
}

impl Clock {
    /// A clock that stands still at `now` until it is moved.
    pub fn stopped(now: Timestamp) -> Self {
        Self::with(ClockState::Stopped(now))
    }

    /// A clock that follows the machine's.
    pub fn running() -> Self {
        Self::with(ClockState::Running(SignedDuration::ZERO))
    }

    fn with(state: ClockState) -> Self {
        let (moves, elapsed) = (watch::Sender::new(0), ElapsedTime::default());
        Self(Arc::new(ClockInner { state: Mutex::new(state), moves, elapsed }))
    }

    /// The elapsed time of the same world, which timeouts count.
    pub fn elapsed(&self) -> &ElapsedTime {
        &self.0.elapsed
    }

    /// Lets it stand still at its time until it is moved; does nothing to one that stands still.
    pub fn freeze(&self) {
        self.change(|now, _| ClockState::Stopped(now));
    }

    /// Lets it go on from its time as the machine's clock does; does nothing to one that runs.
    pub fn let_run(&self) {
        self.change(|now, machine| ClockState::Running(now.duration_since(machine)));
    }

    /// Changes how it goes, not what it shows.
    fn change(&self, to: impl FnOnce(Timestamp, Timestamp) -> ClockState) {
        {
            let mut state = self.state();
            let machine = Timestamp::now();
            *state = to(state.at(machine), machine);
        }
        self.0.moves.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Whether it follows the machine's clock.
    pub fn is_running(&self) -> bool {
        matches!(*self.state(), ClockState::Running(_))
    }

    /// Notifies of every move. The value counts moves and has no other meaning.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.moves.subscribe()
    }

    /// The current business time.
    pub fn now(&self) -> Timestamp {
        self.state().at(Timestamp::now())
    }

    /// Moves the clock to `at`, forward or back. A running clock runs on from there.
    pub fn set(&self, at: Timestamp) {
        self.move_it(|_| Some(at));
    }

    /// Moves the clock to `at`, unless it is there or past it already. A running clock runs
    /// on from there.
    pub fn forward_to(&self, at: Timestamp) {
        self.move_it(|now| (at > now).then_some(at));
    }

    /// Moves the clock forward, or back when `by` is negative. Does nothing if the result is not a
    /// valid timestamp.
    pub fn advance(&self, by: SignedDuration) {
        self.move_it(|now| now.checked_add(by).ok());
    }

    /// Moves the clock to what `to` makes of the current business time, if it makes something of it.
    /// Nobody else moves it in between.
    fn move_it(&self, to: impl FnOnce(Timestamp) -> Option<Timestamp>) {
        {
            let mut state = self.state();
            let machine = Timestamp::now();
            let Some(at) = to(state.at(machine)) else { return };
            *state = match *state {
                ClockState::Stopped(_) => ClockState::Stopped(at),
                ClockState::Running(_) => ClockState::Running(at.duration_since(machine)),
            };
        }
        self.0.moves.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ClockState> {
        // After a panic the clock still holds a valid time: every write is a single assignment.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClockState {
    /// The business time when the machine's clock shows `machine`.
    fn at(self, machine: Timestamp) -> Timestamp {
        match self {
            Self::Stopped(at) => at,
            Self::Running(offset) => machine.checked_add(offset).unwrap_or(machine),
        }
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

    #[test]
    fn a_clock_that_is_moved_forward_never_goes_back() {
        let then: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        for clock in [Clock::stopped(then), Clock::running()] {
            clock.set(then);
            clock.forward_to(then - hour);
            assert!(clock.now() >= then, "{clock:?}");
            clock.forward_to(then + hour);
            assert!(clock.now() >= then + hour, "{clock:?}");
        }
    }

    #[test]
    fn a_clock_is_frozen_and_let_run_where_it_stands() {
        let then: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::stopped(then);
        let mut moves = clock.watch();
        clock.let_run();
        assert!(clock.is_running() && moves.has_changed().unwrap());
        let first = clock.now();
        assert!(first >= then && first.duration_since(then) < SignedDuration::from_mins(1));
        moves.mark_unchanged();
        clock.freeze();
        assert!(!clock.is_running() && moves.has_changed().unwrap());
        let frozen = clock.now();
        assert!(frozen >= first);
        clock.advance(SignedDuration::from_mins(5));
        assert_eq!(clock.now(), frozen + SignedDuration::from_mins(5));
    }

    #[test]
    fn advances_at_the_same_time_add_up() {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        clock.advance(SignedDuration::from_secs(1));
                    }
                });
            }
        });
        assert_eq!(clock.now().as_second(), 4000);
    }
}
