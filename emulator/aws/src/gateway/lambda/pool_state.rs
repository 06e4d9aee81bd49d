//! The processes of a function, what each of them does, and the invocations that wait for one.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::oneshot, task::AbortHandle};

use super::{process::Process, runtime_api::Event};
use crate::{function::Executable, gateway::invoke::InvokeError};

/// How long a process that has completed an event may take to ask for the next one while an
/// invocation needs its place.
pub(super) const RETURN_TIMEOUT: Duration = Duration::from_secs(1);

/// The state of a pool of processes.
#[derive(Default)]
pub(super) struct PoolState {
    /// Counts changes of the executable; processes of an older one get no further event.
    pub(super) generation: u64,
    /// The executable, once it was replaced.
    pub(super) executable: Option<Executable>,
    pub(super) processes: HashMap<u64, PoolProcess>,
    /// Processes that wait for an event, the most recently used last: it is the next to get one.
    pub(super) idle: Vec<IdleProcess>,
    /// Invocations that wait for a process, the oldest first.
    pub(super) waiting: VecDeque<Waiter>,
    /// Whether no process is started any more.
    pub(super) is_stopped: bool,
    last_id: u64,
}

/// A process, and what it does.
pub(super) struct PoolProcess {
    pub(super) process: Arc<Process>,
    pub(super) task: AbortHandle,
    pub(super) generation: u64,
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since: Instant,
    /// Whether it starts within an invocation, after a start that took too long.
    pub(super) is_second: bool,
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It starts, for the waiter with this id.
    Starting(u64),
    /// It waits for an event.
    Idle,
    /// It works on an event.
    Busy,
    /// It has completed an event and not yet asked for the next one.
    Returning,
    /// It has been told to end.
    Dying,
}

/// A process that waits for an event, and the channel to it.
pub(super) struct IdleProcess {
    pub(super) process: Arc<Process>,
    pub(super) event_sender: oneshot::Sender<Event>,
    /// How much of the function's timeout its start has taken: nothing, unless it started within an
    /// invocation.
    pub(super) spent: Duration,
}

/// An invocation that waits for a process.
pub(super) struct Waiter {
    pub(super) id: u64,
    /// The function's timeout.
    pub(super) timeout: Duration,
    pub(super) sender: oneshot::Sender<Result<IdleProcess, InvokeError>>,
}

impl PoolState {
    /// An id that no process and no waiter has had.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// How many processes are in such a phase.
    pub(super) fn count(&self, of: impl Fn(Phase) -> bool) -> usize {
        self.processes.values().filter(|entry| of(entry.phase)).count()
    }

    /// Moves a process to a phase.
    pub(super) fn set(&mut self, id: u64, phase: Phase) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = phase;
            entry.since = Instant::now();
        }
    }

    /// Tells a process to end.
    pub(super) fn kill(&mut self, id: u64) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }

    /// Kills every process, and starts none any more. Whoever waits for one is told so.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
        self.waiting.clear();
        for entry in self.processes.values_mut() {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }

    /// Kills the processes that completed an event, or hung up, and have asked for nothing since.
    pub(super) fn kill_stragglers(&mut self) {
        let straggles = |entry: &&mut PoolProcess| {
            entry.phase == Phase::Returning && entry.since.elapsed() >= RETURN_TIMEOUT
        };
        for entry in self.processes.values_mut().filter(straggles) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }

    /// The timeout of an invocation that waits.
    pub(super) fn timeout_of(&self, waiter: u64) -> Option<Duration> {
        self.waiting.iter().find(|other| other.id == waiter).map(|other| other.timeout)
    }

    /// Takes a waiter out of the queue.
    pub(super) fn take_waiter(&mut self, id: u64) -> Option<Waiter> {
        let position = self.waiting.iter().position(|waiter| waiter.id == id)?;
        self.waiting.remove(position)
    }
}
