//! What goes wrong, chosen from the seed: at each call of a port, at each delivery, on each clock.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handlers::ports::Timer;
use memory_ports::{CallChance, CallFate, TestTimer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plan::Id;

/// How often what goes wrong, in percent of calls or deliveries.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Calls that fail and did nothing.
    pub failed: u32,
    /// Calls that did their work and whose answer is lost.
    pub lost: u32,
    /// Calls that take up to six seconds: longer than a lease.
    pub slow: u32,
    /// Deliveries that crash between any two awaits, and are delivered again.
    pub crashes: u32,
    /// Deliveries that come twice.
    pub duplicates: u32,
}

impl Rates {
    /// Nothing goes wrong; only the order is open.
    pub const NONE: Self = Self { failed: 0, lost: 0, slow: 0, crashes: 0, duplicates: 0 };
    /// The names of what goes wrong.
    pub const NAMES: [&str; 5] = ["crashes", "duplicates", "lost", "failed", "slow"];

    /// The same without one of [`Rates::NAMES`]; unchanged for another name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Some((_, rate)) = self.rates().into_iter().find(|(known, _)| *known == name) {
            *rate = 0;
        }
        self
    }

    /// What never goes wrong, of [`Rates::NAMES`].
    pub fn quiet(mut self) -> Vec<&'static str> {
        let quiet = self.rates().into_iter().filter(|(_, rate)| **rate == 0);
        quiet.map(|(name, _)| name).collect()
    }

    fn rates(&mut self) -> [(&'static str, &mut u32); 5] {
        let [crashes, duplicates, lost, failed, slow] = Self::NAMES;
        [
            (failed, &mut self.failed),
            (lost, &mut self.lost),
            (slow, &mut self.slow),
            (crashes, &mut self.crashes),
            (duplicates, &mut self.duplicates),
        ]
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self { failed: 2, lost: 2, slow: 4, crashes: 15, duplicates: 40 }
    }
}

/// A call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The operation for which it was made; 0 for none.
    pub of: Id,
    /// What was called.
    pub name: &'static str,
    /// What happened to it.
    pub fate: CallFate,
}

/// Decides the fate of each call.
pub struct Chance {
    random: Mutex<ChaCha8Rng>,
    timer: Arc<TestTimer>,
    rates: Rates,
    running: Arc<AtomicU32>,
    calls: Mutex<Vec<Call>>,
}

impl Chance {
    /// Decisions of a seed, on a clock. `running` is the operation of whoever calls.
    pub fn new(seed: u64, rates: Rates, timer: Arc<TestTimer>, running: Arc<AtomicU32>) -> Self {
        let random = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
        Self { random, timer, rates, running, calls: Mutex::default() }
    }

    /// The clock that delays follow.
    pub fn timer(&self) -> &TestTimer {
        &self.timer
    }

    /// What was called last for an operation.
    pub fn last_call_of(&self, id: Id) -> Option<&'static str> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().rev().find(|call| call.of == id).map(|call| call.name)
    }

    /// One of so many possibilities.
    pub fn choose(&self, possibilities: u32) -> u32 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.random_range(0..possibilities)
    }

    /// The fate of a request to the database. Those that fail are sent again by their client, so more of
    /// them fail than of calls of ports. A slow one takes up to twice as long as its client waits, so that
    /// it may arrive after the one that was sent in its place.
    pub fn fate_of_request(&self, operation: &'static str) -> CallFate {
        let Rates { failed, lost, slow, .. } = self.rates;
        let rates = Rates { failed: failed * 3, lost: lost * 3, slow: slow * 2, ..self.rates };
        self.decide(operation, rates, 6_000)
    }

    /// `longest_ms` is how long a slow call takes at most before it works, and after.
    fn decide(&self, operation: &'static str, rates: Rates, longest_ms: u64) -> CallFate {
        let Rates { failed, lost, slow, .. } = rates;
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = match random.random_range(0..100) {
            percent if percent < failed => CallFate::FailsBefore,
            percent if percent < failed + lost => CallFate::FailsAfter,
            percent if percent < failed + lost + slow => {
                let mut time = || Duration::from_millis(random.random_range(0..longest_ms));
                CallFate::Slow(time(), time())
            }
            _ => CallFate::Works,
        };
        let call = Call { of: self.running.load(Ordering::Relaxed), name: operation, fate };
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        fate
    }

    /// Every call so far and what happened to it.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl CallChance for Chance {
    fn fate(&self, operation: &'static str) -> CallFate {
        self.decide(operation, self.rates, 3_000)
    }

    async fn wait(&self, time: Duration) {
        self.timer.sleep(time).await;
    }
}

/// A machine's clock, which differs from that of others.
pub struct SkewedTimer {
    /// The true clock.
    pub timer: Arc<TestTimer>,
    /// By how much it differs, in milliseconds.
    pub skew_ms: i64,
}

#[async_trait]
impl Timer for SkewedTimer {
    fn unix_ms(&self) -> i64 {
        self.timer.unix_ms() + self.skew_ms
    }

    async fn sleep(&self, time: Duration) {
        self.timer.sleep(time).await;
    }
}
