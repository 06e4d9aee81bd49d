//! Which exchange caused another, so that a turn is a tree: database call, request, webhook, text.
//!
//! The cause travels with the work in three ways. In the emulator's own tasks it is ambient, as a
//! tracing span is: [`caused_by`] runs a future under a cause, and [`Journal::begin`](super::Journal::begin)
//! takes it from there. A call by a function is recognised by the path of its endpoint, which is the
//! function's instance's own: see [`Callers`](super::callers::Callers). And what calls the gateway in one
//! of the emulator's own requests names it in the header [`HEADER`], which the gateway removes.

use std::fmt;

/// The header of a request to the gateway with the cause of the request.
pub const HEADER: &str = "x-rehearse-cause";

tokio::task_local! {
    static CURRENT: Option<Cause>;
}

/// An exchange as the cause of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The journal's epoch, since positions begin anew when it is emptied.
    pub(super) epoch: u64,
    /// Position of the exchange.
    pub(super) seq: u64,
    /// Position of the exchange at the root of its turn.
    pub(super) turn: u64,
}

impl Cause {
    /// Reads the value of [`HEADER`].
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let cause = Self { epoch: numbers.next()??, seq: numbers.next()??, turn: numbers.next()?? };
        numbers.next().is_none().then_some(cause)
    }

    /// The position of the exchange.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The position of the exchange at the root of its turn.
    pub fn turn(&self) -> u64 {
        self.turn
    }
}

impl fmt::Display for Cause {
    /// The value of [`HEADER`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.epoch, self.seq, self.turn)
    }
}

/// Runs a future whose exchanges have this cause. A task that the future spawns does not inherit it.
pub async fn caused_by<F: Future>(cause: Option<Cause>, work: F) -> F::Output {
    CURRENT.scope(cause, work).await
}

/// Runs a function whose exchanges have this cause.
pub fn with_cause<T>(cause: Option<Cause>, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(cause, work)
}

/// The cause of what the current task does, if it is known.
pub fn current_cause() -> Option<Cause> {
    CURRENT.try_with(|cause| *cause).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        journal::{ExchangeDetail, Journal, Outcome},
    };

    fn step(journal: &Journal) -> super::super::PendingExchange {
        let detail = ExchangeDetail::Step { step: "1".into(), title: String::new() };
        journal.begin("step", detail)
    }

    fn http(journal: &Journal) -> super::super::PendingExchange {
        let detail = ExchangeDetail::Http {
            function: None,
            method: "GET".into(),
            path: "/".into(),
            body: String::new(),
            headers: Vec::new(),
        };
        journal.begin("http.GET /", detail)
    }

    #[tokio::test]
    async fn exchanges_know_their_cause_and_the_root_of_their_turn() {
        let journal = Journal::new(Clock::running());
        drop(step(&journal));
        let root = http(&journal);
        let child = caused_by(Some(root.cause()), async { step(&journal) }).await;
        let grandchild = with_cause(Some(child.cause()), || step(&journal));
        let of = |seq: u64| {
            let exchange = journal.exchange(seq).unwrap();
            (exchange.caused_by, exchange.turn)
        };
        assert_eq!(of(0), (None, None), "nothing is known of its cause");
        assert_eq!(of(1), (None, Some(1)));
        assert_eq!(of(2), (Some(1), Some(1)));
        assert_eq!(of(3), (Some(2), Some(1)));
        drop((root, child, grandchild));
    }

    #[test]
    fn a_cause_of_before_a_reset_is_none() {
        let journal = Journal::new(Clock::running());
        let root = http(&journal);
        let cause = root.cause();
        root.end(Outcome::default());
        journal.clear();
        let later = with_cause(Some(cause), || step(&journal));
        assert_eq!(journal.exchange(0).unwrap().caused_by, None);
        drop(later);
    }

    #[test]
    fn a_cause_is_read_as_it_is_written() {
        let cause = Cause { epoch: 1, seq: 22, turn: 3 };
        assert_eq!(Cause::parse(&cause.to_string()), Some(cause));
        for wrong in ["", "1", "1.2", "1.2.x", "1.2.3.4", "-1.2.3"] {
            assert_eq!(Cause::parse(wrong), None, "{wrong}");
        }
    }
}
