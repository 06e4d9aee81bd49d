//! The processes of one function, and which of them gets an event.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Launcher, MAX_PAYLOAD_BYTES,
    pool_state::{IdleProcess, Phase, PoolProcess, PoolState, RETURN_TIMEOUT, Waiter},
    process::{Event, Process},
};
use crate::{
    function::Executable,
    gateway::invoke::{Invocation, InvokeError, OutputTail, RunFunction},
};
use rehearse_core::{
    clock::Clock,
    journal::{ExchangeDetail, Journal},
};

/// How long an event waits for a process that has answered and is about to ask for the next one,
/// before another process is started: a fraction of what starting one takes.
const REUSE_WAIT: Duration = Duration::from_millis(20);

/// How many processes an event is offered to that end before they have it.
const MAX_ATTEMPTS: usize = 5;

/// A function and how its processes are run.
#[derive(Debug, Clone)]
pub struct LambdaConfig {
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
    /// How long a process may take until it asks for its first event.
    pub init_timeout: Duration,
    /// How processes are started.
    pub launcher: Launcher,
    /// Where output goes.
    pub journal: Journal,
    /// Business time, for the name of the log stream.
    pub clock: Clock,
}

/// The processes of one function. Dropping it kills them.
pub struct ProcessPool(Arc<PoolInner>);

pub(super) struct PoolInner {
    pub(super) lambda: LambdaConfig,
    state: Mutex<PoolState>,
}

impl ProcessPool {
    /// No process is started before the first event.
    pub(in crate::gateway) fn new(lambda: LambdaConfig) -> Self {
        Self(Arc::new(PoolInner { lambda, state: Mutex::default() }))
    }

    /// How many processes wait for an event.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.0.lock().idle.iter().filter(|ready| !ready.event_sender.is_closed()).count()
    }

    async fn run(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let Invocation { request_id, trace_id, event, timeout } = invocation;
        if event.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::TooLarge { what: "event", limit: MAX_PAYLOAD_BYTES });
        }
        let body = Bytes::from(event);
        for _ in 0..MAX_ATTEMPTS {
            let IdleProcess { process, event_sender } = self.0.acquire().await?;
            // From here on the process is killed when nobody waits for its answer any more.
            let mut busy = KillOnDrop { pool: &self.0, process, done: false };
            let (reply, answer) = oneshot::channel();
            if !busy.process.begin(&request_id, reply) {
                continue;
            }
            let deadline = SystemTime::now() + timeout;
            let (request_id, trace_id) = (request_id.clone(), trace_id.clone());
            let event = Event { request_id, trace_id, body: body.clone(), deadline };
            if event_sender.send(event).is_err() {
                // It hung up at this very moment: the event goes to another one.
                continue;
            }
            return match tokio::time::timeout(timeout, answer).await {
                Ok(Ok(answer)) => {
                    busy.done = true;
                    answer
                }
                Ok(Err(_)) => Err(InvokeError::Failed("it was stopped".into())),
                Err(_) => Err(busy.process.with_output(InvokeError::TimedOut(timeout))),
            };
        }
        let how = "its processes ask for an event and hang up before they have it".into();
        Err(InvokeError::Failed(how))
    }
}

impl RunFunction for ProcessPool {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(self.run(invocation))
    }

    /// What runs comes to its end.
    fn replace_executable(&self, executable: Executable) {
        let mut state = self.0.lock();
        state.generation += 1;
        state.executable = Some(executable);
        for ready in std::mem::take(&mut state.idle) {
            state.kill(ready.process.id);
        }
    }
}

impl PoolInner {
    /// A process asked for an event: the first that waits gets it, or it is idle.
    pub(super) fn polled(&self, process: &Arc<Process>, event_sender: oneshot::Sender<Event>) {
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
        let mut ready = IdleProcess { process: Arc::clone(process), event_sender };
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
        self.lambda.journal.note(name, ExchangeDetail::Log { function, request_id, line });
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

    /// A process with an open event_sender: an idle one, one that comes back, or a new one.
    async fn acquire(self: &Arc<Self>) -> Result<IdleProcess, InvokeError> {
        let (sender, mut receiver) = oneshot::channel();
        let (waiter, comes_back) = {
            let mut state = self.lock();
            state.waiting.retain(|waiter| !waiter.sender.is_closed());
            while let Some(ready) = state.idle.pop() {
                if ready.event_sender.is_closed() {
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
        } else if let Ok(got) = tokio::time::timeout(REUSE_WAIT, &mut receiver).await {
            return got.unwrap_or_else(|_| Err(stopped()));
        } else {
            self.make_room(waiter);
        }
        let patient = async {
            loop {
                if let Ok(got) = tokio::time::timeout(RETURN_TIMEOUT, &mut receiver).await {
                    return got.unwrap_or_else(|_| Err(stopped()));
                }
                // Who was coming back may be the next to ask for nothing.
                self.make_room(waiter);
            }
        };
        let none = |_| Err(InvokeError::Throttled { limit: self.lambda.concurrency });
        tokio::time::timeout(self.lambda.init_timeout * 2, patient).await.unwrap_or_else(none)
    }

    /// Starts a process for a waiter who has waited for another to come back, as soon as there
    /// is a place: those that ask for nothing lose theirs.
    fn make_room(self: &Arc<Self>, waiter: u64) {
        let has_room = {
            let mut state = self.lock();
            if state.count(|phase| phase == Phase::Starting(waiter)) > 0 {
                return;
            }
            let is_full = |state: &PoolState| {
                state.count(|phase| phase != Phase::Dying) >= self.lambda.concurrency
            };
            if is_full(&state) {
                state.kill_stragglers();
            }
            !is_full(&state)
        };
        if has_room {
            self.start(waiter);
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
                state.processes.insert(id, PoolProcess { process, task, generation, phase, since });
            }
            Err(error) => {
                let place = state.waiting.iter().position(|w| w.id == waiter);
                if let Some(waiter) = place.and_then(|place| state.waiting.remove(place)) {
                    let program = executable.program.display();
                    let how = format!("failed to start {program}: {error}");
                    let output = OutputTail::default();
                    let _ = waiter.sender.send(Err(InvokeError::Init { how, output }));
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PoolInner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.processes.values().for_each(|entry| entry.task.abort());
    }
}

/// A process that works on an event, killed when this is dropped before there is an answer.
struct KillOnDrop<'a> {
    pool: &'a PoolInner,
    process: Arc<Process>,
    done: bool,
}

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.pool.lock().kill(self.process.id);
        }
    }
}

fn stopped() -> InvokeError {
    InvokeError::Failed("the emulator is stopping".into())
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool").field("function", &self.0.lambda.id).finish_non_exhaustive()
    }
}
