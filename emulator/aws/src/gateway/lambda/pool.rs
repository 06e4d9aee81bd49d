//! The processes of one function, and which of them gets an event.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::HeaderValue;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use super::{
    MAX_PAYLOAD_BYTES,
    config::LambdaConfig,
    pool_state::{IdleProcess, Phase, PoolProcess, PoolState, RETURN_TIMEOUT, Waiter},
    process::{Process, StartFailure},
    runtime_api::{self, Event, Rejected, RuntimeCalls},
};
use crate::{
    function::Executable,
    gateway::{
        event::{ACCOUNT, REGION},
        invoke::{Invocation, InvokeError, OutputTail, RunFunction},
    },
};
use rehearse_core::journal::ExchangeDetail;

/// How long an invocation waits for a process that has completed its event and is about to ask for
/// the next one, before another process is started: a fraction of what starting one takes.
const REUSE_WAIT: Duration = Duration::from_millis(20);

/// How many processes are tried for one event that hang up before they have it.
const MAX_ATTEMPTS: usize = 5;

/// The processes of one function. Dropping it kills them.
pub struct ProcessPool(Arc<PoolInner>);

struct PoolInner {
    lambda: LambdaConfig,
    function_arn: Option<HeaderValue>,
    state: Mutex<PoolState>,
}

impl ProcessPool {
    /// A pool without processes: the first is started for the first event.
    pub(in crate::gateway) fn new(lambda: LambdaConfig) -> Self {
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", lambda.name);
        let function_arn = HeaderValue::try_from(arn).ok();
        Self(Arc::new(PoolInner { lambda, function_arn, state: Mutex::default() }))
    }

    /// How many processes wait for an event.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.0.lock().idle.iter().filter(|idle| !idle.event_sender.is_closed()).count()
    }

    async fn run(&self, invocation: Invocation) -> Result<Value, InvokeError> {
        let Invocation { request_id, trace_id, event, timeout, time, cause, caused_by, .. } =
            invocation;
        if event.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::TooLarge { what: "event", limit: MAX_PAYLOAD_BYTES });
        }
        let body = Bytes::from(event);
        for _ in 0..MAX_ATTEMPTS {
            let IdleProcess { process, event_sender, spent } = self.0.acquire(timeout).await?;
            let timeout = timeout.saturating_sub(spent);
            let mut guard = KillOnDrop { pool: &self.0, process, is_done: false };
            let (reply, result) = oneshot::channel();
            if !guard.process.begin(&request_id, cause, reply) {
                continue;
            }
            let (lambda, name) = (&self.0.lambda, guard.process.name.as_str());
            let callers = lambda.journal.callers();
            let _running = callers.begin(Some(&lambda.id), Some(name), cause, caused_by);
            let event = Event {
                request_id: Arc::clone(&request_id),
                trace_id: trace_id.clone(),
                function_arn: self.0.function_arn.clone(),
                body: body.clone(),
                deadline: deadline(&guard.process, lambda.clock.now(), timeout)?,
            };
            if event_sender.send(event).is_err() {
                // It hung up at this very moment: the event goes to another process.
                continue;
            }
            return match time.timeout(timeout, result).await {
                Some(Ok(result)) => {
                    guard.is_done = true;
                    result
                }
                Some(Err(_)) => Err(InvokeError::Failed("it was stopped".into())),
                None => Err(guard.process.with_output(InvokeError::TimedOut(timeout + spent))),
            };
        }
        let how = "its processes ask for an event and hang up before they have it".into();
        Err(InvokeError::Failed(how))
    }
}

/// When the time of a process is up, by the process's own clock, which shows `now` from here on if it shows business
/// time.
fn deadline(
    process: &Process,
    now: Timestamp,
    timeout: Duration,
) -> Result<SystemTime, InvokeError> {
    if !process.follows_world() {
        return Ok(SystemTime::now() + timeout);
    }
    process.set_clock(now).map_err(|error| {
        InvokeError::Failed(format!("the clock of its process could not be set: {error}"))
    })?;
    let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
    Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(now) + timeout)
}

impl RunFunction for ProcessPool {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(self.run(invocation))
    }

    fn stop(&self) {
        self.0.lock().stop();
    }

    /// Busy processes complete their event before they end.
    fn replace_executable(&self, executable: Executable) {
        let mut state = self.0.lock();
        state.generation += 1;
        state.executable = Some(executable);
        for idle in std::mem::take(&mut state.idle) {
            state.kill(idle.process.id);
        }
    }
}

impl PoolInner {
    /// Finds a process for an event: an idle one, one that is about to ask, or a new one.
    async fn acquire(self: &Arc<Self>, timeout: Duration) -> Result<IdleProcess, InvokeError> {
        let (waiter, mut receiver, is_returning) = {
            let mut state = self.lock();
            if state.is_stopped {
                return Err(stopping());
            }
            if !state.waiting.is_empty() {
                state.waiting.retain(|waiter| !waiter.sender.is_closed());
            }
            while let Some(idle) = state.idle.pop() {
                if idle.event_sender.is_closed() {
                    // It hung up while it waited, and may ask again.
                    state.set(idle.process.id, Phase::Returning);
                    continue;
                }
                state.set(idle.process.id, Phase::Busy);
                return Ok(idle);
            }
            // Events are limited, not processes: one that was started for a waiter who then got
            // another is a process more than there are events.
            let waiting = state.waiting.len();
            if state.count(|phase| phase == Phase::Busy) + waiting >= self.lambda.concurrency {
                return Err(InvokeError::Throttled { limit: self.lambda.concurrency });
            }
            let coming =
                state.count(|phase| matches!(phase, Phase::Starting(_) | Phase::Returning));
            let id = state.next_id();
            let (sender, receiver) = oneshot::channel();
            state.waiting.push_back(Waiter { id, timeout, sender });
            (id, receiver, coming > waiting)
        };
        if !is_returning {
            self.start(waiter, None);
        } else if let Ok(got) = tokio::time::timeout(REUSE_WAIT, &mut receiver).await {
            return got.unwrap_or_else(|_| Err(stopping()));
        } else {
            self.make_room(waiter);
        }
        let wait = async {
            loop {
                if let Ok(got) = tokio::time::timeout(RETURN_TIMEOUT, &mut receiver).await {
                    return got.unwrap_or_else(|_| Err(stopping()));
                }
                // A process that was about to ask may have become one that asks for nothing.
                self.make_room(waiter);
            }
        };
        let none = |_| Err(InvokeError::Throttled { limit: self.lambda.concurrency });
        // Two starts may be needed, the second within the function's own timeout.
        let limit = self.lambda.init_timeout * 2 + timeout;
        tokio::time::timeout(limit, wait).await.unwrap_or_else(none)
    }

    /// Starts a process for a waiter if there is a place. Processes that ask for nothing lose theirs.
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
            self.start(waiter, None);
        }
    }

    /// Starts a process for a waiter, which gets the error if that fails. It has the time of an init, or
    /// `within`: the function's timeout, of which its start is then a part.
    fn start(self: &Arc<Self>, waiter: u64, within: Option<Duration>) {
        // Locked until the process is in the list: it may ask for an event at once.
        let mut state = self.lock();
        if state.is_stopped {
            return;
        }
        let id = state.next_id();
        let executable = state.executable.as_ref().unwrap_or(&self.lambda.executable).clone();
        match self.start_process(&executable, id, within.unwrap_or(self.lambda.init_timeout)) {
            Ok((process, task)) => {
                let (phase, since) = (Phase::Starting(waiter), Instant::now());
                let generation = state.generation;
                let is_second = within.is_some();
                let process = PoolProcess { process, task, generation, phase, since, is_second };
                state.processes.insert(id, process);
            }
            Err(error) => {
                if let Some(waiter) = state.take_waiter(waiter) {
                    let program = executable.program.display();
                    let how = format!("failed to start {program}: {error}");
                    let output = OutputTail::default();
                    let _ = waiter.sender.send(Err(InvokeError::Init { how, output }));
                }
            }
        }
    }

    /// Starts a process with its Runtime API. Aborting the returned task kills it.
    fn start_process(
        self: &Arc<Self>,
        executable: &Executable,
        id: u64,
        init_timeout: Duration,
    ) -> io::Result<(Arc<Process>, tokio::task::AbortHandle)> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let running = Process::start(&self.lambda, executable, id, listener.local_addr()?)?;
        let process = Arc::clone(running.process());
        let (pool, clock) = (Arc::downgrade(self), self.lambda.clock.clone());
        let calls = PoolMember { pool: Weak::clone(&pool), process: Arc::clone(&process) };
        let serving = runtime_api::serve(TcpListener::from_std(listener)?, calls)?;
        let watch = async move {
            let failed = running.wait(init_timeout, &clock).await;
            drop(serving);
            if let Some(pool) = pool.upgrade() {
                pool.ended(id, failed);
            }
        };
        let task = Handle::try_current().map_err(io::Error::other)?.spawn(watch);
        Ok((process, task.abort_handle()))
    }

    /// Notes that a process asks for an event: the oldest waiter gets it, or it is idle.
    fn polled(&self, process: &Arc<Process>, event_sender: oneshot::Sender<Event>) {
        let mut state = self.lock();
        let generation = state.generation;
        let spent = match state.processes.get(&process.id) {
            Some(entry) if entry.phase == Phase::Dying => return,
            Some(entry) if entry.generation < generation => return state.kill(process.id),
            Some(PoolProcess { phase: Phase::Starting(_), is_second: true, since, .. }) => {
                since.elapsed()
            }
            Some(_) => Duration::ZERO,
            None => return,
        };
        // One event at a time: if a process asks again, its last connection counts.
        state.idle.retain(|idle| idle.process.id != process.id);
        let mut idle = IdleProcess { process: Arc::clone(process), event_sender, spent };
        while let Some(waiter) = state.waiting.pop_front() {
            state.set(process.id, Phase::Busy);
            match waiter.sender.send(Ok(idle)) {
                Ok(()) => return,
                // That invocation is gone.
                Err(Ok(back)) => idle = back,
                Err(Err(_)) => return,
            }
        }
        state.set(process.id, Phase::Idle);
        // Whoever gets it later did not wait for its start.
        state.idle.push(IdleProcess { spent: Duration::ZERO, ..idle });
    }

    /// Completes a process's event. Returns false if it does not work on this one.
    fn complete(
        &self,
        process: &Process,
        request_id: &str,
        result: Result<Bytes, InvokeError>,
    ) -> bool {
        // Before the result goes out: whoever gets it may send the next event at once.
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
        let is_known = process.complete(request_id, result);
        if !is_known && let Some(phase) = before {
            self.lock().set(process.id, phase);
        } else if is_known && self.lambda.cold {
            self.lock().kill(process.id);
        }
        is_known
    }

    /// Notes that a process has ended; `failed` says why it never asked for an event.
    fn ended(self: &Arc<Self>, id: u64, failed: Option<StartFailure>) {
        let mut state = self.lock();
        state.idle.retain(|idle| idle.process.id != id);
        let Some(entry) = state.processes.remove(&id) else { return };
        if let (Phase::Starting(waiter), Some(failed)) = (entry.phase, failed)
            && let Some(timeout) = state.timeout_of(waiter)
        {
            if failed.is_late && !entry.is_second && !state.is_stopped {
                // As on AWS: the init is run once more, now within the invocation.
                drop(state);
                self.log_late_init(timeout);
                return self.start(waiter, Some(timeout));
            }
            if let Some(waiter) = state.take_waiter(waiter) {
                let error = match failed.is_late && entry.is_second {
                    true => in_time(failed.error, timeout),
                    false => failed.error,
                };
                let _ = waiter.sender.send(Err(error));
            }
        }
        // An invocation that waited for this process needs another one.
        let coming = state.count(|phase| matches!(phase, Phase::Starting(_) | Phase::Returning));
        let unserved = state.waiting.get(coming).map(|waiter| waiter.id);
        drop(state);
        if let Some(waiter) = unserved {
            self.start(waiter, None);
        }
    }

    /// Notes that an init took too long, in Lambda's words.
    fn log_late_init(&self, timeout: Duration) {
        let limit = self.lambda.init_timeout.as_millis();
        let line = format!(
            "INIT_REPORT Init Duration: {limit} ms Phase: init Status: timeout; the init runs again \
             within the function's timeout of {timeout:?}"
        );
        let (function, request_id) = (self.lambda.id.clone(), None);
        tracing::warn!(function, "{line}");
        let detail = ExchangeDetail::Log { function, request_id, line };
        self.lambda.journal.note(format!("log.{}", self.lambda.id), detail);
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

/// The Runtime API's calls of one process of a pool.
struct PoolMember {
    pool: Weak<PoolInner>,
    process: Arc<Process>,
}

impl RuntimeCalls for PoolMember {
    fn next(&self) -> oneshot::Receiver<Event> {
        let (event_sender, event) = oneshot::channel();
        self.process.polled();
        if let Some(pool) = self.pool.upgrade() {
            pool.polled(&self.process, event_sender);
        }
        event
    }

    fn complete(&self, id: &str, result: Result<Bytes, InvokeError>) -> Result<(), Rejected> {
        let pool = self.pool.upgrade().ok_or(Rejected::Stopped)?;
        if pool.complete(&self.process, id, result) {
            return Ok(());
        }
        let line = format!("request {id} is not under way: it was answered or ended before");
        let lambda = &pool.lambda;
        let (function, request_id) = (lambda.id.clone(), Some(id.to_owned()));
        let detail = ExchangeDetail::Log { function, request_id, line: line.clone() };
        lambda.journal.note(format!("log.{}", lambda.id), detail);
        Err(Rejected::UnknownRequest(line))
    }

    fn init_error(&self, message: String) {
        self.process.cannot_start(message);
    }
}

/// Kills the process of an invocation that is dropped before it has a result.
struct KillOnDrop<'a> {
    pool: &'a PoolInner,
    process: Arc<Process>,
    is_done: bool,
}

impl Drop for KillOnDrop<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.pool.lock().kill(self.process.id);
        }
    }
}

/// The error of a second start that took the function's whole timeout.
fn in_time(error: InvokeError, timeout: Duration) -> InvokeError {
    match error {
        InvokeError::Init { output, .. } => {
            let error = Box::new(InvokeError::TimedOut(timeout));
            InvokeError::WithOutput { error, output }
        }
        error => error,
    }
}

fn stopping() -> InvokeError {
    InvokeError::Failed("the emulator is stopping".into())
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool").field("function", &self.0.lambda.id).finish_non_exhaustive()
    }
}
