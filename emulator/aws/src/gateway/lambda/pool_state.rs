//! Which processes of a function there are, what each of them does, and who waits for one.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, task::AbortHandle};

use super::process::{Event, Process};
use crate::{function::Executable, gateway::invoke::InvokeError};

/// How long a process that has answered may ask for nothing while an event needs its place.
pub(super) const RETURN_TIMEOUT: Duration = Duration::from_secs(1);

/// The processes of a function, and who waits for them.
#[derive(Default)]
pub(super) struct PoolState {
    /// Counts changes of the executable; processes of an older one get no further event.
    pub(super) generation: u64,
    pub(super) executable: Option<Executable>,
    pub(super) next: u64,
    pub(super) processes: HashMap<u64, PoolProcess>,
    /// Those that wait for an event, the most recently used last: it is the next to get one.
    pub(super) idle: Vec<IdleProcess>,
    pub(super) waiting: VecDeque<Waiter>,
}

/// A process, and what it does.
pub(super) struct PoolProcess {
    pub(super) process: Arc<Process>,
    pub(super) task: AbortHandle,
    pub(super) generation: u64,
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since: Instant,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Started for a waiter.
    Starting(u64),
    Idle,
    Busy,
    /// It has answered and not yet asked for the next event.
    Returning,
    /// It has been told to end.
    Dying,
}

/// A process that waits for an event, and where to put it.
pub(super) struct IdleProcess {
    pub(super) process: Arc<Process>,
    pub(super) event_sender: oneshot::Sender<Event>,
}

/// An event that waits for a process.
pub(super) struct Waiter {
    pub(super) id: u64,
    pub(super) sender: oneshot::Sender<Result<IdleProcess, InvokeError>>,
}

impl PoolState {
    /// A number that was never given.
    pub(super) fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn count(&self, of: impl Fn(Phase) -> bool) -> usize {
        self.processes.values().filter(|entry| of(entry.phase)).count()
    }

    pub(super) fn set(&mut self, id: u64, phase: Phase) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = phase;
            entry.since = Instant::now();
        }
    }

    pub(super) fn kill(&mut self, id: u64) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }

    /// Ends those that answered, or hung up, and then ask for nothing.
    pub(super) fn kill_stragglers(&mut self) {
        let straggles = |entry: &&mut PoolProcess| {
            entry.phase == Phase::Returning && entry.since.elapsed() >= RETURN_TIMEOUT
        };
        for entry in self.processes.values_mut().filter(straggles) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }
}
