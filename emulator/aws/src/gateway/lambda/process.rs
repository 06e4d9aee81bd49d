//! One process of a function: its start, the event that it works on, its end.

use std::{
    io,
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::oneshot,
    task::AbortHandle,
};

use super::{config::LambdaConfig, environment, false_clock::FalseClock, output::Output};
use crate::{function::Executable, gateway::invoke::InvokeError};
use rehearse_core::{clock::Clock, journal::Cause};

/// What came of an event.
pub(super) type InvocationResult = Result<Value, InvokeError>;

/// A process that was started.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) id: u64,
    /// Of this instance, for the paths of its endpoints.
    pub(super) name: String,
    output: Output,
    group: ProcessGroup,
    /// What shows it business time; without it, its clock is the machine's.
    clock: Option<FalseClock>,
    state: Mutex<State>,
}

/// A process that runs. Dropping it kills the process and everything that it started.
pub(super) struct RunningProcess {
    process: Arc<Process>,
    child: Child,
}

/// Why a process never asked for an event.
#[derive(Debug)]
pub(super) struct StartFailure {
    pub(super) error: InvokeError,
    /// Whether its time was up, and nothing else was wrong.
    pub(super) is_late: bool,
}

#[derive(Debug, Default)]
struct State {
    /// The event that it is working on.
    current: Option<Current>,
    /// Whether it has ever asked for an event.
    has_polled: bool,
    /// Why it cannot start, as it reported.
    init_error: Option<String>,
    has_ended: bool,
}

#[derive(Debug)]
struct Current {
    request_id: Arc<str>,
    reply: oneshot::Sender<InvocationResult>,
}

impl Process {
    /// Starts a process that finds its Runtime API at an address.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(super) fn start(
        lambda: &LambdaConfig,
        executable: &Executable,
        id: u64,
        runtime_api: SocketAddr,
    ) -> io::Result<RunningProcess> {
        let (name, now) = (format!("{}-{id}", lambda.id), lambda.clock.now());
        let mut variables = environment::variables(lambda, executable, &name, runtime_api, now);
        let clock = executable.world_clock.as_ref();
        let mut clock = clock.map(|clock| FalseClock::start(clock, now)).transpose()?;
        if let Some(clock) = &clock {
            // It would go before the file that the clock is set by.
            variables.remove("FAKETIME");
            let preloaded = variables.get("LD_PRELOAD").cloned();
            let own = clock.variables(preloaded.as_deref());
            variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
        }
        let (command, pipe) = lambda.launcher.command(executable, &variables)?;
        let mut command = Command::from(command);
        let child = command.kill_on_drop(true).spawn()?;
        if let Some(clock) = &mut clock {
            clock.given_to(child.id());
        }
        // Closes this side's writers of the pipe, so that the pipe ends with the process.
        drop(command);
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let output = Output::new(&lambda.id, pipe, lambda.journal.clone())?;
        let group = ProcessGroup(Mutex::new(pid));
        let process = Arc::new(Self { id, name, output, group, clock, state: Mutex::default() });
        Ok(RunningProcess { process, child })
    }

    /// Whether its clock shows business time.
    pub(super) fn follows_world(&self) -> bool {
        self.clock.is_some()
    }

    /// Lets its clock show `now`, if it shows business time.
    pub(super) fn set_clock(&self, now: Timestamp) -> io::Result<()> {
        self.clock.as_ref().map_or(Ok(()), |clock| clock.set(now))
    }

    /// Gives it an event, whose result goes to `reply`. Returns false if it has ended.
    pub(super) fn begin(
        &self,
        request_id: &Arc<str>,
        cause: Cause,
        reply: oneshot::Sender<InvocationResult>,
    ) -> bool {
        self.output.begin(request_id, cause);
        let mut state = self.state();
        if !state.has_ended {
            state.current = Some(Current { request_id: Arc::clone(request_id), reply });
        }
        !state.has_ended
    }

    /// Notes that it asked for an event. One that it has not completed fails.
    pub(super) fn polled(&self) {
        let current = {
            let mut state = self.state();
            state.has_polled = true;
            state.current.take()
        };
        if let Some(Current { reply, .. }) = current {
            let message = "it asked for the next event without answering this one".into();
            let _ = reply.send(Err(self.with_output(InvokeError::Failed(message))));
        }
    }

    /// Completes the event that it works on. Returns false if that is another one.
    pub(super) fn complete(&self, request_id: &str, result: Result<Bytes, InvokeError>) -> bool {
        let current = {
            let mut state = self.state();
            match state.current.take() {
                Some(current) if *current.request_id == *request_id => current,
                other => {
                    state.current = other;
                    return false;
                }
            }
        };
        self.output.finish();
        let result = result
            .and_then(|body| serde_json::from_slice(&body).map_err(InvokeError::Malformed))
            .map_err(|error| self.with_output(error));
        // The receiver is gone if nothing waits for this event any more.
        let _ = current.reply.send(result);
        true
    }

    /// An error of the event that it works on, with the last lines of its output.
    pub(super) fn with_output(&self, error: InvokeError) -> InvokeError {
        InvokeError::WithOutput { error: Box::new(error), output: self.output.output_tail() }
    }

    /// Notes why it cannot start, and kills it.
    pub(super) fn cannot_start(&self, why: String) {
        self.state().init_error = Some(why);
        self.kill();
    }

    /// Kills it and everything that it started, at once.
    pub(super) fn kill(&self) {
        self.group.kill();
    }

    /// Notes its end and fails the event that it worked on. Returns why it did not start, if it
    /// never asked for an event.
    fn ended(
        &self,
        status: &io::Result<ExitStatus>,
        late: Option<Duration>,
    ) -> Option<StartFailure> {
        let output = self.output.output_tail();
        let (current, has_polled, init_error) = {
            let mut state = self.state();
            state.has_ended = true;
            (state.current.take(), state.has_polled, state.init_error.take())
        };
        if let Some(Current { reply, .. }) = current {
            let _ = reply.send(Err(InvokeError::Exited { how: describe(status), output }));
            return None;
        }
        let is_late = init_error.is_none() && late.is_some();
        let how = match (init_error, late) {
            (Some(reported), _) => reported,
            (None, Some(limit)) => format!("it asked for no event within {limit:?}"),
            (None, None) => format!("its process {}", describe(status)),
        };
        (!has_polled).then_some(StartFailure { error: InvokeError::Init { how, output }, is_late })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunningProcess {
    /// The process.
    pub(super) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// Waits until the process has ended, and kills it if it asks for no event within
    /// `init_timeout`. Returns why it did not start, if it did not.
    ///
    /// A clock that shows business time follows `clock` meanwhile.
    pub(super) async fn wait(
        mut self,
        init_timeout: Duration,
        clock: &Clock,
    ) -> Option<StartFailure> {
        let process = Arc::clone(&self.process);
        let follow = tokio::spawn(process.output.clone().follow());
        let _follow = AbortOnDrop(follow.abort_handle());
        let mut moves = clock.watch();
        let mut late = None;
        let mut starting = std::pin::pin!(tokio::time::sleep(init_timeout));
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status,
                // The clock is there as long as this is.
                Ok(()) = moves.changed(), if process.follows_world() => {
                    // The next event sets it again, and says what is wrong.
                    let _ = process.set_clock(clock.now());
                }
                () = &mut starting, if late.is_none() => {
                    late = Some(init_timeout);
                    if !process.state().has_polled {
                        process.kill();
                    }
                }
            }
        };
        // Children that it left behind are still in its group, whose id is not used again so long.
        process.kill();
        process.group.forget();
        process.ended(&status, late)
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// A process group, as long as its id is its own.
#[derive(Debug)]
struct ProcessGroup(Mutex<Option<Pid>>);

impl ProcessGroup {
    fn kill(&self) {
        if let Some(group) = *self.id() {
            // It fails when the group is gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// From now on its id may be another group's.
    fn forget(&self) {
        *self.id() = None;
    }

    fn id(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn describe(status: &io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exited with code {code}"),
            (None, Some(9)) => "was killed".into(),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".into(),
        },
        Err(error) => format!("was lost: {error}"),
    }
}
