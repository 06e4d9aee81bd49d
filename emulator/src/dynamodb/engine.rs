//! The threads that serve every embedded database of a process.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

/// A condition of 2,000 nested parentheses overflows the default stack of a
/// thread, and with it the process.
const STACK_BYTES: usize = 16 << 20;

/// Threads with a runtime each, shared by all worlds; as many as there are
/// cores. All of one database runs on one of them: its proxy and its server
/// take turns on every call, and a turn that changes the thread costs more than
/// the call. Clones share the threads; the last one to go stops them.
#[derive(Clone)]
pub struct Engine(Arc<Threads>);

struct Threads {
    all: Vec<Thread>,
    next: AtomicUsize,
}

struct Thread {
    handle: Handle,
    /// The thread ends when this goes.
    _stop: oneshot::Sender<()>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let all = (0..cores).map(|_| Thread::start()).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Threads { all, next: AtomicUsize::new(0) })))
    }

    /// The runtime for the next database.
    pub(super) fn handle(&self) -> io::Result<&Handle> {
        let Threads { all, next } = self.0.as_ref();
        let at = next.fetch_add(1, Ordering::Relaxed);
        let thread = all.get(at % all.len().max(1));
        thread.map(|t| &t.handle).ok_or_else(|| io::Error::other("the engine has no threads"))
    }
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("dynamodb".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&runtime, stopped))?;
        Ok(Self { handle, _stop: stop })
    }
}

/// The embedded engine warns of every 4xx, and a failed condition is not worth
/// a line in anyone's log. What crosses is in the journal.
fn run(runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    let silent = tracing::subscriber::NoSubscriber::new();
    tracing::subscriber::with_default(silent, || {
        // An error only says that the sender is gone, which is the signal.
        let _ = runtime.block_on(stopped);
    });
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("threads", &self.0.all.len()).finish_non_exhaustive()
    }
}
