//! Signals: the first Ctrl-C ends a command in good order, the second at once. `exec` passes all
//! signals on to the command that it started. SIGTERM and SIGHUP do what Ctrl-C does, and the exit code
//! says which it was.

use std::{
    sync::atomic::{AtomicI32, Ordering},
    thread,
};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
};

use crate::error::{CommandError, Exit};

/// The first signal that asked this process to end; 0 while none has come.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// How the process ends: as shells tell it, with the number of the signal that ended it.
pub(crate) fn exit(exit: Exit) -> Exit {
    match (exit, FIRST.load(Ordering::Relaxed)) {
        (Exit::Interrupted, signal) if signal != 0 => {
            u8::try_from(128 + signal).map_or(exit, Exit::Command)
        }
        _ => exit,
    }
}

/// Ends the process at once.
fn end() -> ! {
    std::process::exit(i32::from(exit(Exit::Interrupted).number()))
}

/// Resolves when the process is asked to end. It listens from its creation on, so a signal that comes
/// before it is awaited counts.
#[derive(Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Must be called inside a tokio runtime, which must outlive every clone.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let mut signals = Signals::listen()?;
        let (interrupted, interrupt) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            interrupted.send_replace(true);
            signals.next().await;
            end();
        });
        Ok(Self(interrupt))
    }

    /// Whether a signal has come.
    pub(crate) fn has_come(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for SIGINT, SIGTERM or SIGHUP. A second one ends the process at once.
    pub(crate) async fn wait(mut self) {
        if self.0.wait_for(|interrupted| *interrupted).await.is_err() {
            // The listener ended with its runtime, so no signal can come.
            std::future::pending::<()>().await;
        }
    }
}

/// Runs work that blocks, while nothing needs an orderly end: Ctrl-C ends the process at once. Unlike
/// the default action of the system, this also holds for a process that a script started in the
/// background, for which shells ignore SIGINT.
pub(crate) fn or_end<T>(work: impl FnOnce() -> T) -> Result<T, CommandError> {
    let failed = |e| CommandError::environment("failed to listen for signals").because(e);
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let (done, ended) = oneshot::channel::<()>();
    let listener = thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = signals.next() => end(),
                _ = ended => {}
            }
        });
    });
    let result = work();
    drop(done);
    // It only waits.
    let _ = listener.join();
    Ok(result)
}

/// Signals for a command that was started, which decides itself when to end.
pub(crate) struct Signals {
    key: Signal,
    end: Signal,
    hang_up: Signal,
}

/// A signal that was received.
pub(crate) struct Received {
    /// Which one.
    pub(crate) signal: rustix::process::Signal,
    /// Whether the command received it too: a terminal sends it to its whole foreground group.
    pub(crate) heard: bool,
}

impl Signals {
    /// Must be called inside a runtime.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|e| CommandError::environment("failed to listen for signals").because(e))
        };
        Ok(Self {
            key: listen(SignalKind::interrupt())?,
            end: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Received {
        use rustix::process::Signal;
        let received = tokio::select! {
            _ = self.key.recv() => Received { signal: Signal::INT, heard: in_front() },
            _ = self.end.recv() => Received { signal: Signal::TERM, heard: false },
            _ = self.hang_up.recv() => Received { signal: Signal::HUP, heard: in_front() },
        };
        let number = received.signal.as_raw();
        let _ = FIRST.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        received
    }
}

/// Whether this process, and so its command, is in the foreground of a terminal.
fn in_front() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|front| front == rustix::process::getpgrp())
}
