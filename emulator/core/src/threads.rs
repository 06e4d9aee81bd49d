//! The threads that worlds live on.
//!
//! A turn crosses a dozen sockets, and each exchange wakes the task on the other
//! side. When that task is on another thread, the system wakes a thread too,
//! which costs more than the exchange. So every part of a world shares one
//! thread, and worlds are spread over the cores.

use std::{
    cell::RefCell,
    fmt, io,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
    task::{JoinError, JoinSet},
};

/// A condition of 2,000 nested parentheses overflows the default stack of a
/// thread in the embedded database, and with it the process.
const STACK_BYTES: usize = 16 << 20;

thread_local! {
    /// The runtime of a thread that worlds may live on.
    static HERE: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Threads with a runtime each, as many as there are cores. Clones share them;
/// the last one to go stops them.
#[derive(Clone)]
pub struct Threads(Arc<Shared>);

struct Shared {
    all: Vec<Thread>,
    next: AtomicUsize,
}

struct Thread {
    handle: Handle,
    /// Work that is under way.
    busy: Arc<AtomicUsize>,
    /// The thread ends when this goes.
    _stop: oneshot::Sender<()>,
}

impl Threads {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let all = (0..cores).map(|_| Thread::start()).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Shared { all, next: AtomicUsize::new(0) })))
    }

    /// A runtime on a thread with enough stack: the current one if it is of this kind.
    pub fn handle(&self) -> io::Result<Handle> {
        if let Some(here) = HERE.with_borrow(Clone::clone) {
            return Ok(here);
        }
        let Shared { all, next } = self.0.as_ref();
        let at = next.fetch_add(1, Ordering::Relaxed);
        let thread = all.get(at % all.len().max(1));
        thread.map(|t| t.handle.clone()).ok_or_else(|| io::Error::other("there are no threads"))
    }

    /// Runs work on the thread with the least of it. Dropping the future stops the work.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RunError> {
        let least = self.0.all.iter().min_by_key(|t| t.busy.load(Ordering::Relaxed));
        let thread = least.ok_or(RunError::NoThread)?;
        let busy = Busy::new(&thread.busy);
        let mut tasks = JoinSet::new();
        tasks.spawn_on(
            async move {
                let _busy = busy;
                work.await
            },
            &thread.handle,
        );
        match tasks.join_next().await {
            Some(result) => result.map_err(RunError::Ended),
            None => Err(RunError::NoThread),
        }
    }
}

/// Work came to no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No thread could be started.
    #[error("there are no threads")]
    NoThread,
    /// The work panicked or was cancelled.
    #[error("the work ended before its end")]
    Ended(#[source] JoinError),
}

/// Runs a future to its end on a new thread that a world may live on.
pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::scope(|scope| {
        let work = move || {
            HERE.set(Some(runtime.handle().clone()));
            let value = runtime.block_on(future);
            // What still runs belongs to worlds that are gone; nothing waits for it.
            runtime.shutdown_background();
            value
        };
        let thread = thread::Builder::new()
            .name("world".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)?;
        Ok(thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

impl Thread {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("worlds".into())
            .stack_size(STACK_BYTES)
            .spawn(move || run(&runtime, stopped))?;
        Ok(Self { handle, busy: Arc::default(), _stop: stop })
    }
}

fn run(runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    HERE.set(Some(runtime.handle().clone()));
    // An error only says that the sender is gone, which is the signal.
    let _ = runtime.block_on(stopped);
}

/// Counts work as long as it is there.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("threads", &self.0.all.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn here(threads: Threads) -> (thread::ThreadId, thread::ThreadId) {
        let of_part = threads.handle().unwrap().spawn(async { thread::current().id() });
        (thread::current().id(), of_part.await.unwrap())
    }

    #[tokio::test]
    async fn work_and_the_parts_that_it_starts_share_a_thread() {
        let threads = Threads::start().unwrap();
        let (work, part) = threads.run(here(threads.clone())).await.unwrap();
        assert_eq!(work, part);
        assert_ne!(work, thread::current().id());
    }

    #[test]
    fn a_world_of_its_own_has_one_thread() {
        let threads = Threads::start().unwrap();
        let (work, part) = block_on(here(threads)).unwrap();
        assert_eq!(work, part);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_stops() {
        struct Stopped(Option<oneshot::Sender<()>>);
        impl Drop for Stopped {
            fn drop(&mut self) {
                let _ = self.0.take().map(|sender| sender.send(()));
            }
        }
        let threads = Threads::start().unwrap();
        let (sender, stopped) = oneshot::channel();
        let guard = Stopped(Some(sender));
        let work = threads.run(async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        });
        let _ = tokio::time::timeout(Duration::from_millis(1), work).await;
        stopped.await.unwrap();
    }

    #[tokio::test]
    async fn work_goes_to_the_thread_with_the_least() {
        let threads = Threads::start().unwrap();
        let count = threads.0.all.len();
        let gate = Arc::new(tokio::sync::Barrier::new(count));
        let all = (0..count).map(|_| {
            let (threads, gate) = (threads.clone(), Arc::clone(&gate));
            async move {
                let work = async move {
                    gate.wait().await;
                    thread::current().id()
                };
                threads.run(work).await.unwrap()
            }
        });
        let used = futures::future::join_all(all).await;
        let used: std::collections::HashSet<_> = used.into_iter().collect();
        assert_eq!(used.len(), count);
    }
}
