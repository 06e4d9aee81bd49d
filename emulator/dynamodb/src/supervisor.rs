//! Supervises an engine outside this process for as long as it is needed.
//!
//! A supervisor is a thread with a runtime of its own. It starts the engine while everything else
//! starts, and it can finish cleaning up whatever the rest of the process waits for and on whichever
//! thread the last world is dropped.

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

use super::{namespace::TableNamespace, service_error::ServiceError};

/// What is left of an engine after it was closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloseReport {
    /// What was kept because the user asked for it, and how to reach it.
    pub kept: Option<String>,
    /// What could not be removed, and how to remove it by hand.
    pub left: Option<String>,
}

/// A message to the supervisor.
#[derive(Debug)]
pub(super) enum SupervisorCommand {
    /// A world is about to create tables with this prefix.
    NamespaceOpened(String),
    /// The world has ended; its tables may be deleted.
    NamespaceClosed(String),
    /// Every world has ended; clean up.
    Shutdown,
}

pub(super) type CommandReceiver = mpsc::UnboundedReceiver<SupervisorCommand>;

/// Announces the engine's address, or why there is none.
pub(super) type ReadySender = watch::Sender<Option<Result<SocketAddr, ServiceError>>>;

/// The supervising thread and what it has reported. Dropping it shuts the engine down and waits
/// for that.
pub(super) struct EngineSupervisor {
    ready: watch::Receiver<Option<Result<SocketAddr, ServiceError>>>,
    closed: watch::Receiver<Option<CloseReport>>,
    commands: mpsc::UnboundedSender<SupervisorCommand>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EngineSupervisor {
    /// Starts the thread. `supervise` starts the engine, announces it, follows commands, and
    /// returns after [`SupervisorCommand::Shutdown`].
    ///
    /// # Errors
    /// When the system refuses a runtime or a thread.
    pub(super) fn start<Supervision>(
        supervise: impl FnOnce(ReadySender, CommandReceiver) -> Supervision + Send + 'static,
    ) -> io::Result<Self>
    where
        Supervision: Future<Output = CloseReport>,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (announce, ready) = watch::channel(None);
        let (report, closed) = watch::channel(None);
        let (commands, received) = mpsc::unbounded_channel();
        let thread = thread::Builder::new().name("database".into()).spawn(move || {
            let outcome = runtime.block_on(supervise(announce, received));
            report.send_replace(Some(outcome));
        })?;
        Ok(Self { ready, closed, commands, thread: Mutex::new(Some(thread)) })
    }

    /// Waits until the engine is ready, and returns its address.
    ///
    /// # Errors
    /// Why there is no engine.
    pub(super) async fn ready(&self) -> Result<SocketAddr, ServiceError> {
        let mut ready = self.ready.clone();
        let Ok(ready) = ready.wait_for(Option::is_some).await else {
            return Err(ServiceError::Ended);
        };
        ready.clone().unwrap_or(Err(ServiceError::Ended))
    }

    /// Tells the supervisor that a world uses this namespace of the engine at `address`.
    pub(super) fn open(&self, address: SocketAddr, namespace: TableNamespace) -> NamespaceGuard {
        if let Some(prefix) = &namespace.prefix {
            let _ = self.commands.send(SupervisorCommand::NamespaceOpened(prefix.clone()));
        }
        NamespaceGuard { address, namespace, commands: self.commands.clone() }
    }

    /// Shuts the engine down and waits until that is done.
    pub(super) async fn close(&self) -> CloseReport {
        let _ = self.commands.send(SupervisorCommand::Shutdown);
        let mut closed = self.closed.clone();
        let report = closed.wait_for(Option::is_some).await.map(|report| report.clone());
        report.ok().flatten().unwrap_or_default()
    }
}

impl Drop for EngineSupervisor {
    fn drop(&mut self) {
        let _ = self.commands.send(SupervisorCommand::Shutdown);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An error is a panic of the thread; nothing is left to clean up with.
        let _ = thread.map(JoinHandle::join);
    }
}

/// One world's use of an engine. Dropping it tells the supervisor that the world has ended.
pub(super) struct NamespaceGuard {
    address: SocketAddr,
    namespace: TableNamespace,
    commands: mpsc::UnboundedSender<SupervisorCommand>,
}

impl NamespaceGuard {
    /// Where the engine listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How this world's calls are told apart.
    pub(super) fn namespace(&self) -> &TableNamespace {
        &self.namespace
    }
}

impl Drop for NamespaceGuard {
    fn drop(&mut self) {
        if let Some(prefix) = self.namespace.prefix.take() {
            // A supervisor that has ended has cleaned up already.
            let _ = self.commands.send(SupervisorCommand::NamespaceClosed(prefix));
        }
    }
}
