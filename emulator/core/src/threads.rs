//! The threads that worlds run on.
//!
//! One turn makes requests over a dozen sockets, and each request wakes the task on the other side.
//! When that task runs on another thread, the operating system has to wake the thread as well, which
//! costs more than the request. So every part of a world shares one thread, and worlds are spread
//! over the cores.

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

/// With the default stack size, a condition of 2,000 nested parentheses overflows the stack in the
/// embedded database and ends the process.
const STACK_BYTES: usize = 16 << 20;

thread_local! {
    /// The runtime of the current thread, if worlds can run on it.
    static WORLD_RUNTIME: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// One thread with its own runtime for each core. Clones share the threads, which end when the last
/// clone is dropped.
#[derive(Clone)]
pub struct Threads(Arc<ThreadPool>);

struct ThreadPool {
    threads: Vec<Thread>,
    /// Counts the uses of [`Threads::handle`], which takes the threads in turn.
    next: AtomicUsize,
}

struct Thread {
    handle: Handle,
    /// How many futures of [`Threads::run`] are running here.
    running: Arc<AtomicUsize>,
    /// Dropping this ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Threads {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system refuses to start a thread.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..cores).map(|_| Thread::start()).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(ThreadPool { threads, next: AtomicUsize::new(0) })))
    }

    /// A runtime on a thread with a large stack: the current thread's if worlds can run on it, else
    /// that of one of these threads, in turn.
    ///
    /// # Errors
    /// When there are no threads.
    pub fn handle(&self) -> io::Result<Handle> {
        if let Some(current) = WORLD_RUNTIME.with_borrow(Clone::clone) {
            return Ok(current);
        }
        let ThreadPool { threads, next } = self.0.as_ref();
        let index = next.fetch_add(1, Ordering::Relaxed);
        let thread = threads.get(index % threads.len().max(1));
        thread.map(|t| t.handle.clone()).ok_or_else(|| io::Error::other("there are no threads"))
    }

    /// Runs a future on the thread that runs the fewest of them. Dropping the returned future cancels
    /// it.
    ///
    /// # Errors
    /// [`RunError`]: when there are no threads, and when the future panicked or was cancelled.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RunError> {
        let least = self.0.threads.iter().min_by_key(|t| t.running.load(Ordering::Relaxed));
        let thread = least.ok_or(RunError::NoThread)?;
        let running = CountGuard::new(&thread.running);
        let mut tasks = JoinSet::new();
        tasks.spawn_on(
            async move {
                let _running = running;
                work.await
            },
            &thread.handle,
        );
        match tasks.join_next().await {
            Some(result) => result.map_err(RunError::Failed),
            None => Err(RunError::NoThread),
        }
    }
}

/// Why [`Threads::run`] has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There are no threads.
    #[error("there are no threads")]
    NoThread,
    /// The future panicked or was cancelled.
    #[error("the work panicked or was cancelled")]
    Failed(#[source] JoinError),
}

/// Runs a future on a new thread that worlds can run on, and blocks until it has ended. Tasks that it
/// has spawned and that still run are cancelled.
///
/// # Errors
/// When the operating system refuses to start a runtime or a thread.
///
/// # Panics
/// When the future panics.
pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> io::Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    thread::scope(|scope| {
        let work = move || {
            WORLD_RUNTIME.set(Some(runtime.handle().clone()));
            let value = runtime.block_on(future);
            // Tasks that still run belong to worlds that are gone. Nothing waits for them.
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
        Ok(Self { handle, running: Arc::default(), _stop: stop })
    }
}

fn run(runtime: &Runtime, stopped: oneshot::Receiver<()>) {
    WORLD_RUNTIME.set(Some(runtime.handle().clone()));
    // The sender is never used: dropping it is the signal, and arrives as an error.
    let _ = runtime.block_on(stopped);
}

/// Adds one to a count until it is dropped.
struct CountGuard(Arc<AtomicUsize>);

impl CountGuard {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("threads", &self.0.threads.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use rehearse_testutils::until;

    use super::*;

    /// The threads of the caller and of a task on the runtime that it is given.
    async fn thread_ids(threads: Threads) -> (thread::ThreadId, thread::ThreadId) {
        let of_part = threads.handle().unwrap().spawn(async { thread::current().id() });
        (thread::current().id(), of_part.await.unwrap())
    }

    #[tokio::test]
    async fn work_and_the_parts_that_it_starts_share_a_thread() {
        let threads = Threads::start().unwrap();
        let work = threads.run(thread_ids(threads.clone()));
        let (work, part) = until("the work's result", work).await.unwrap();
        assert_eq!(work, part);
        assert_ne!(work, thread::current().id());
    }

    #[test]
    fn a_thread_of_block_on_is_shared_by_all_parts() {
        let threads = Threads::start().unwrap();
        let (work, part) = block_on(until("the work's result", thread_ids(threads))).unwrap();
        assert_eq!(work, part);
    }

    #[tokio::test]
    async fn dropping_the_future_cancels_the_work() {
        let threads = Threads::start().unwrap();
        let (sender, dropped) = oneshot::channel::<()>();
        let mut work = Box::pin(threads.run(async move {
            let _sender = sender;
            std::future::pending::<()>().await;
        }));
        let started = std::future::poll_fn(|context| Poll::Ready(work.as_mut().poll(context)));
        assert!(started.await.is_pending());
        drop(work);
        assert!(until("the work to be dropped", dropped).await.is_err());
    }

    #[tokio::test]
    async fn work_goes_to_the_thread_with_the_least_of_it() {
        let threads = Threads::start().unwrap();
        let count = threads.0.threads.len();
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
        let used = until("one future on every thread", futures::future::join_all(all)).await;
        let used: std::collections::HashSet<_> = used.into_iter().collect();
        assert_eq!(used.len(), count);
    }
}
