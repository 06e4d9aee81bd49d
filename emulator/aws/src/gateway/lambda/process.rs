//! One process of a function: started, given events, watched, and killed.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    runtime::Handle,
    sync::{Notify, oneshot},
    task::AbortHandle,
};

use super::{INIT_TIMEOUT, environment, output::Output, pool::PoolInner, runtime_api};
use crate::{function::Executable, gateway::invoke::InvokeError};
use rehearse_core::serve::Serving;

/// One event, as the Runtime API hands it over.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) request_id: String,
    pub(super) trace_id: String,
    pub(super) body: Bytes,
    /// When the process will be killed.
    pub(super) deadline: SystemTime,
}

/// What came of an event.
pub(super) type InvocationResult = Result<Value, InvokeError>;

/// A process that was started.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) id: u64,
    output: Output,
    kill: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The event that it is working on.
    current: Option<Current>,
    /// Whether it has ever asked for an event.
    polled: bool,
    /// Why it will not start, in its own words or ours.
    init_error: Option<String>,
    /// Whether it has ended.
    gone: bool,
}

#[derive(Debug)]
struct Current {
    request_id: String,
    reply: oneshot::Sender<InvocationResult>,
}

impl Process {
    /// Starts a process with an endpoint of its own. It is killed when the task behind the
    /// handle is aborted.
    pub(super) fn start(
        pool: &Arc<PoolInner>,
        executable: &Executable,
        id: u64,
    ) -> io::Result<(Arc<Self>, AbortHandle)> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let lambda = &pool.lambda;
        let now = lambda.clock.now();
        let variables = environment::variables(lambda, executable, listener.local_addr()?, now);
        let (command, pipe) = lambda.launcher.command(executable, &variables)?;
        let mut command = Command::from(command);
        let child = command.kill_on_drop(true).spawn()?;
        // The parent's ends of the pipe go, so that it ends with the process.
        drop(command);
        let group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));

        let output = Output::new(&lambda.id, pipe, lambda.journal.clone())?;
        let (kill, state) = (Notify::new(), Mutex::default());
        let process = Arc::new(Self { id, output, kill, state });
        let serving = runtime_api::serve(TcpListener::from_std(listener)?, pool, &process)?;
        let watch = watch(child, group, serving, Arc::clone(&process), Arc::downgrade(pool));
        let task = Handle::try_current().map_err(io::Error::other)?.spawn(watch);
        Ok((process, task.abort_handle()))
    }

    /// It gets an event; what comes of it goes to `reply`. False when it has ended meanwhile.
    pub(super) fn begin(&self, request_id: &str, reply: oneshot::Sender<InvocationResult>) -> bool {
        self.output.begin(request_id);
        let mut state = self.state();
        if !state.gone {
            state.current = Some(Current { request_id: request_id.to_owned(), reply });
        }
        !state.gone
    }

    /// It asked for an event. One that it has not answered will have no answer.
    pub(super) fn polled(&self) {
        let open = {
            let mut state = self.state();
            state.polled = true;
            state.current.take()
        };
        if let Some(Current { reply, .. }) = open {
            let message = "it asked for the next event without answering this one".into();
            let _ = reply.send(Err(self.with_output(InvokeError::Failed(message))));
        }
    }

    /// It answered an event; false when it is not the one that it is working on.
    pub(super) fn answered(&self, request_id: &str, answer: Result<Bytes, InvokeError>) -> bool {
        let current = {
            let mut state = self.state();
            match state.current.take() {
                Some(current) if current.request_id == request_id => current,
                other => {
                    state.current = other;
                    return false;
                }
            }
        };
        self.output.finish();
        let answer = answer
            .and_then(|body| serde_json::from_slice(&body).map_err(InvokeError::Malformed))
            .map_err(|error| self.with_output(error));
        // Whoever asked may have gone away.
        let _ = current.reply.send(answer);
        true
    }

    /// An error of the event that it is working on, with what it wrote last.
    pub(super) fn with_output(&self, error: InvokeError) -> InvokeError {
        InvokeError::WithOutput { error: Box::new(error), output: self.output.output_tail() }
    }

    /// It says why it cannot start.
    pub(super) fn cannot_start(&self, why: String) {
        self.state().init_error = Some(why);
        self.kill();
    }

    /// Ends it, and what it has started, at once.
    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    /// The process is gone: who waits for it is told why.
    fn ended(
        &self,
        status: &io::Result<ExitStatus>,
        late: Option<Duration>,
    ) -> Option<InvokeError> {
        let output = self.output.output_tail();
        let (current, polled, said) = {
            let mut state = self.state();
            state.gone = true;
            (state.current.take(), state.polled, state.init_error.take())
        };
        if let Some(Current { reply, .. }) = current {
            let _ = reply.send(Err(InvokeError::Exited { how: how(status), output }));
            return None;
        }
        let how = match (said, late) {
            (Some(said), _) => said,
            (None, Some(limit)) => format!("it asked for no event within {limit:?}"),
            (None, None) => format!("its process {}", how(status)),
        };
        (!polled).then_some(InvokeError::Init { how, output })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lives as long as the process. Dropping it kills the process.
async fn watch(
    mut child: Child,
    mut group: Group,
    serving: Serving,
    process: Arc<Process>,
    pool: Weak<PoolInner>,
) {
    let follow = tokio::spawn(process.output.clone().follow());
    let _follow = AbortOnDrop(follow.abort_handle());
    let mut late = None;
    let limit = pool.upgrade().map_or(INIT_TIMEOUT, |pool| pool.lambda.init_timeout);
    let mut starting = std::pin::pin!(tokio::time::sleep(limit));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = process.kill.notified() => group.kill(),
            () = &mut starting, if late.is_none() => {
                late = Some(limit);
                if !process.state().polled {
                    group.kill();
                }
            }
        }
    };
    // Children that it left behind end as well; their ids are still a group of their own.
    group.kill();
    group.0 = None;
    drop(serving);
    let failed = process.ended(&status, late);
    if let Some(pool) = pool.upgrade() {
        pool.gone(process.id, failed);
    }
}

/// A process group, killed when it is dropped.
struct Group(Option<Pid>);

impl Group {
    fn kill(&self) {
        if let Some(group) = self.0 {
            // Gone already: that is what was wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn how(status: &io::Result<ExitStatus>) -> String {
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
