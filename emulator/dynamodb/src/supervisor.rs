//! Keeps an engine that is not this process's own as long as it is needed.
//!
//! A thread with a runtime of its own does it: it begins at once, beside
//! everything else, and cleans up to the end whatever the rest of the process
//! waits for, and on whichever thread the last world goes.

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use tokio::{
    runtime::Builder,
    sync::{mpsc, watch},
};

use super::service_error::ServiceError;

/// An engine that is there.
#[derive(Debug, Clone)]
pub(super) struct Ready {
    pub(super) address: SocketAddr,
}

/// What became of it at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// What was left there because the user wants it, and how to reach it.
    pub kept: Option<String>,
    /// What could not be removed, and how to do it by hand.
    pub left: Option<String>,
}

/// What a supervisor is told.
#[derive(Debug)]
pub(super) enum SupervisorCommand {
    /// A world is about to make tables under a prefix.
    NamespaceOpened(String),
    /// It ended, and its tables may go.
    NamespaceClosed(String),
    /// All of them did.
    Shutdown,
}

pub(super) type CommandReceiver = mpsc::UnboundedReceiver<SupervisorCommand>;
pub(super) type ReadySender = watch::Sender<Option<Result<Ready, ServiceError>>>;

/// The thread, and what is known of the engine. Dropping it closes.
pub(super) struct EngineSupervisor {
    ready: watch::Receiver<Option<Result<Ready, ServiceError>>>,
    closed: watch::Receiver<Option<CloseReport>>,
    orders: mpsc::UnboundedSender<SupervisorCommand>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EngineSupervisor {
    /// Starts the thread. `keep` says when the engine is ready, obeys, and returns when it is told to close.
    pub(super) fn start<Work>(
        keep: impl FnOnce(ReadySender, CommandReceiver) -> Work + Send + 'static,
    ) -> io::Result<Self>
    where
        Work: Future<Output = CloseReport>,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (readiness, ready) = watch::channel(None);
        let (end, closed) = watch::channel(None);
        let (orders, received) = mpsc::unbounded_channel();
        let thread = thread::Builder::new().name("database".into()).spawn(move || {
            let how = runtime.block_on(keep(readiness, received));
            end.send_replace(Some(how));
        })?;
        Ok(Self { ready, closed, orders, thread: Mutex::new(Some(thread)) })
    }

    /// Waits for the engine.
    pub(super) async fn ready(&self) -> Result<Ready, ServiceError> {
        let mut ready = self.ready.clone();
        let Ok(ready) = ready.wait_for(Option::is_some).await else {
            return Err(ServiceError::Ended);
        };
        ready.clone().unwrap_or(Err(ServiceError::Ended))
    }

    /// Where to send orders.
    pub(super) fn orders(&self) -> mpsc::UnboundedSender<SupervisorCommand> {
        self.orders.clone()
    }

    /// Ends the engine and waits until it is gone.
    pub(super) async fn close(&self) -> CloseReport {
        let _ = self.orders.send(SupervisorCommand::Shutdown);
        let mut closed = self.closed.clone();
        let how = closed.wait_for(Option::is_some).await.map(|how| how.clone());
        how.ok().flatten().unwrap_or_default()
    }
}

impl Drop for EngineSupervisor {
    fn drop(&mut self) {
        let _ = self.orders.send(SupervisorCommand::Shutdown);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // It panicked: there is nobody left to clean up.
        let _ = thread.map(JoinHandle::join);
    }
}
