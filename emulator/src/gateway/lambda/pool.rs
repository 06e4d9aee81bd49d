//! The processes of one function, and which of them gets an event.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::{sync::oneshot, task::AbortHandle};

use super::{
    INIT_TIMEOUT, Launcher, MAX_PAYLOAD_BYTES,
    process::{Event, Process},
};
use crate::{
    clock::Clock,
    function::Executable,
    gateway::invoke::{Invocation, Invoke, InvokeError, LastLines},
    journal::{Crossing, Journal},
};

/// How long an event waits for a process that has answered and is about to ask for the next one,
/// before another process is started: a fraction of what starting one takes.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long a process that has answered may ask for nothing while an event needs its place.
const STRAGGLING: Duration = Duration::from_secs(1);

/// How many processes an event is offered to that end before they have it.
const OFFERS: usize = 5;

/// A function and how its processes are run.
#[derive(Debug, Clone)]
pub struct Lambda {
    /// Logical id.
    pub id: String,
    /// Name on AWS.
    pub name: String,
    /// What is run.
    pub executable: Executable,
    /// Variables from the template and the world.
    pub environment: std::collections::BTreeMap<String, String>,
    /// The template's `Handler`.
    pub handler: String,
    /// Memory in MB, which is only told to the function.
    pub memory: u32,
    /// How many processes may work at once.
    pub concurrency: usize,
    /// Whether every event gets a new process.
    pub cold: bool,
    /// How processes are started.
    pub launcher: Launcher,
    /// Where output goes.
    pub journal: Journal,
    /// Business time, for the name of the log stream.
    pub clock: Clock,
}

/// The processes of one function. Dropping it kills them.
pub struct Pool(Arc<Shared>);

pub(super) struct Shared {
    pub(super) lambda: Lambda,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts changes of the executable; processes of an older one get no further event.
    generation: u64,
    executable: Option<Executable>,
    next: u64,
    processes: HashMap<u64, Entry>,
    /// Those that wait for an event, the most recently used last: it is the next to get one.
    idle: Vec<Ready>,
    waiting: VecDeque<Waiter>,
}

struct Entry {
    process: Arc<Process>,
    task: AbortHandle,
    generation: u64,
    phase: Phase,
    /// When the phase began.
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
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
struct Ready {
    process: Arc<Process>,
    hand: oneshot::Sender<Event>,
}

struct Waiter {
    id: u64,
    sender: oneshot::Sender<Result<Ready, InvokeError>>,
}

impl Pool {
    /// No process is started before the first event.
    pub(in crate::gateway) fn new(lambda: Lambda) -> Self {
        Self(Arc::new(Shared { lambda, state: Mutex::default() }))
    }

    /// How many processes wait for an event.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.0.lock().idle.iter().filter(|ready| !ready.hand.is_closed()).count()
    }

    async fn run(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let Invocation { request_id, trace_id, event, timeout } = invocation;
        if event.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::TooLarge { what: "event", limit: MAX_PAYLOAD_BYTES });
        }
        let body = Bytes::from(event);
        for _ in 0..OFFERS {
            let Ready { process, hand } = self.0.acquire().await?;
            // From here on the process is killed when nobody waits for its answer any more.
            let mut busy = Busy { pool: &self.0, process, done: false };
            let (reply, answer) = oneshot::channel();
            if !busy.process.begin(&request_id, reply) {
                continue;
            }
            let deadline = SystemTime::now() + timeout;
            let (request_id, trace_id) = (request_id.clone(), trace_id.clone());
            let event = Event { request_id, trace_id, body: body.clone(), deadline };
            if hand.send(event).is_err() {
                // It hung up at this very moment: the event goes to another one.
                continue;
            }
            return match tokio::time::timeout(timeout, answer).await {
                Ok(Ok(answer)) => {
                    busy.done = true;
                    answer
                }
                Ok(Err(_)) => Err(InvokeError::Failed("it was stopped".into())),
                Err(_) => Err(busy.process.said(InvokeError::TimedOut(timeout))),
            };
        }
        let how = "its processes ask for an event and hang up before they have it".into();
        Err(InvokeError::Failed(how))
    }
}

impl Invoke for Pool {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(self.run(invocation))
    }

    /// What runs comes to its end.
    fn swap(&self, executable: Executable) {
        let mut state = self.0.lock();
        state.generation += 1;
        state.executable = Some(executable);
        for ready in std::mem::take(&mut state.idle) {
            state.kill(ready.process.id);
        }
    }
}

impl Shared {
    /// A process asked for an event: the first that waits gets it, or it is idle.
    pub(super) fn polled(&self, process: &Arc<Process>, hand: oneshot::Sender<Event>) {
        let mut state = self.lock();
        let generation = state.generation;
        match state.processes.get(&process.id) {
            Some(entry) if entry.phase == Phase::Dying => return,
            Some(entry) if entry.generation < generation => return state.kill(process.id),
            Some(_) => {}
            None => return,
        }
        // One event at a time: of a process that asks again, the last connection counts.
        state.idle.retain(|ready| ready.process.id != process.id);
        let mut ready = Ready { process: Arc::clone(process), hand };
        while let Some(waiter) = state.waiting.pop_front() {
            state.set(process.id, Phase::Busy);
            match waiter.sender.send(Ok(ready)) {
                Ok(()) => return,
                // Nobody waits there any more.
                Err(Ok(back)) => ready = back,
                Err(Err(_)) => return,
            }
        }
        state.set(process.id, Phase::Idle);
        state.idle.push(ready);
    }

    /// A process answered an event, and will ask for the next one; false when it had no such event.
    pub(super) fn answered(
        &self,
        process: &Process,
        request_id: &str,
        answer: Result<Bytes, InvokeError>,
    ) -> bool {
        // Before the answer goes out: whoever hears it may send the next event at once.
        let before = {
            let mut state = self.lock();
            state.processes.get_mut(&process.id).map(|entry| {
                let before = entry.phase;
                if before == Phase::Busy {
                    entry.phase = Phase::Returning;
                    entry.since = Instant::now();
                }
                before
            })
        };
        let known = process.answered(request_id, answer);
        if !known && let Some(phase) = before {
            self.lock().set(process.id, phase);
        } else if known && self.lambda.cold {
            self.lock().kill(process.id);
        }
        known
    }

    /// Something that the function's author should know, in the journal.
    pub(super) fn remark(&self, line: &str, request_id: &str) {
        let function = self.lambda.id.clone();
        let (line, request_id) = (line.to_owned(), Some(request_id.to_owned()));
        let name = format!("log.{function}");
        self.lambda.journal.note(name, Crossing::Log { function, request_id, line });
    }

    /// A process has ended; `failed` when it never asked for an event.
    pub(super) fn gone(self: &Arc<Self>, id: u64, failed: Option<InvokeError>) {
        let mut state = self.lock();
        state.idle.retain(|ready| ready.process.id != id);
        let Some(entry) = state.processes.remove(&id) else { return };
        if let (Phase::Starting(waiter), Some(error)) = (entry.phase, failed) {
            let place = state.waiting.iter().position(|w| w.id == waiter);
            if let Some(waiter) = place.and_then(|place| state.waiting.remove(place)) {
                let _ = waiter.sender.send(Err(error));
            }
        }
        // Who waited for it to come back needs another one.
        let starting = state.count(|phase| matches!(phase, Phase::Starting(_)));
        let coming = starting + state.count(|phase| phase == Phase::Returning);
        let lost = state.waiting.iter().skip(coming).map(|waiter| waiter.id).next();
        drop(state);
        if let Some(waiter) = lost {
            self.start(waiter);
        }
    }

    /// A process with an open hand: an idle one, one that comes back, or a new one.
    async fn acquire(self: &Arc<Self>) -> Result<Ready, InvokeError> {
        let (sender, mut receiver) = oneshot::channel();
        let (waiter, comes_back) = {
            let mut state = self.lock();
            state.waiting.retain(|waiter| !waiter.sender.is_closed());
            while let Some(ready) = state.idle.pop() {
                if ready.hand.is_closed() {
                    // It hung up while it waited, and may ask again.
                    state.set(ready.process.id, Phase::Returning);
                    continue;
                }
                state.set(ready.process.id, Phase::Busy);
                return Ok(ready);
            }
            // Events count, not processes: one that was started for somebody who then got another
            // is a process more than there are events.
            let waiting = state.waiting.len();
            if state.count(|phase| phase == Phase::Busy) + waiting >= self.lambda.concurrency {
                return Err(InvokeError::Throttled { limit: self.lambda.concurrency });
            }
            let coming =
                state.count(|phase| matches!(phase, Phase::Starting(_) | Phase::Returning));
            let id = state.next();
            state.waiting.push_back(Waiter { id, sender });
            (id, coming > waiting)
        };
        if !comes_back {
            self.start(waiter);
        } else if let Ok(got) = tokio::time::timeout(PATIENCE, &mut receiver).await {
            return got.unwrap_or_else(|_| Err(stopped()));
        } else if self.lock().count(|phase| phase != Phase::Dying) < self.lambda.concurrency {
            self.start(waiter);
        } else if let Ok(got) = tokio::time::timeout(STRAGGLING, &mut receiver).await {
            return got.unwrap_or_else(|_| Err(stopped()));
        } else {
            // As they end, somebody is started in their stead.
            self.lock().kill_stragglers();
        }
        match tokio::time::timeout(INIT_TIMEOUT * 2, receiver).await {
            Ok(got) => got.unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err(InvokeError::Throttled { limit: self.lambda.concurrency }),
        }
    }

    /// Starts a process for a waiter, who hears of it when that fails.
    fn start(self: &Arc<Self>, waiter: u64) {
        // Locked until the process is in the list, and only then can it be heard.
        let mut state = self.lock();
        let (id, generation) = (state.next(), state.generation);
        let executable = state.executable.as_ref().unwrap_or(&self.lambda.executable).clone();
        match Process::start(self, &executable, id) {
            Ok((process, task)) => {
                let phase = Phase::Starting(waiter);
                let since = Instant::now();
                state.processes.insert(id, Entry { process, task, generation, phase, since });
            }
            Err(error) => {
                let place = state.waiting.iter().position(|w| w.id == waiter);
                if let Some(waiter) = place.and_then(|place| state.waiting.remove(place)) {
                    let program = executable.program.display();
                    let how = format!("failed to start {program}: {error}");
                    let output = LastLines::default();
                    let _ = waiter.sender.send(Err(InvokeError::Init { how, output }));
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.processes.values().for_each(|entry| entry.task.abort());
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn count(&self, of: impl Fn(Phase) -> bool) -> usize {
        self.processes.values().filter(|entry| of(entry.phase)).count()
    }

    fn set(&mut self, id: u64, phase: Phase) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = phase;
            entry.since = Instant::now();
        }
    }

    fn kill(&mut self, id: u64) {
        if let Some(entry) = self.processes.get_mut(&id) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }

    /// Ends those that answered, or hung up, and then ask for nothing.
    fn kill_stragglers(&mut self) {
        let straggles = |entry: &&mut Entry| {
            entry.phase == Phase::Returning && entry.since.elapsed() >= STRAGGLING
        };
        for entry in self.processes.values_mut().filter(straggles) {
            entry.phase = Phase::Dying;
            entry.process.kill();
        }
    }
}

/// A process that works on an event, killed when this is dropped before there is an answer.
struct Busy<'a> {
    pool: &'a Shared,
    process: Arc<Process>,
    done: bool,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.pool.lock().kill(self.process.id);
        }
    }
}

fn stopped() -> InvokeError {
    InvokeError::Failed("the emulator is stopping".into())
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("function", &self.0.lambda.id).finish_non_exhaustive()
    }
}
