//! The threads that serve every embedded database of a process.

use std::{fmt, io, sync::Arc};

use tokio::runtime::{Builder, Handle, Runtime};

/// A condition of 2,000 nested parentheses overflows the default stack of a
/// thread, and with it the process.
const STACK_BYTES: usize = 16 << 20;

/// A runtime on threads of its own, shared by all worlds. Clones share it; the
/// last one to go stops it.
#[derive(Clone)]
pub struct Engine(Arc<Threads>);

struct Threads(Option<Runtime>);

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name("dynamodb")
            .thread_stack_size(STACK_BYTES)
            .on_thread_start(silence)
            .build()?;
        Ok(Self(Arc::new(Threads(Some(runtime)))))
    }

    pub(super) fn handle(&self) -> io::Result<&Handle> {
        let runtime = self.0.0.as_ref();
        runtime.map(Runtime::handle).ok_or_else(|| io::Error::other("the engine has stopped"))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Dropping a runtime inside another one panics; this neither blocks nor panics.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The embedded engine warns of every 4xx, and a failed condition is not worth
/// a line in anyone's log. What crosses is in the journal.
fn silence() {
    thread_local! {
        static SILENT: tracing::subscriber::DefaultGuard =
            tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::new());
    }
    SILENT.with(|_| ());
}
