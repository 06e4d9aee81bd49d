//! Ctrl-C: the first ends the command in good order, the second at once; or all are
//! passed on to a command that was started.

use std::thread;

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
};

use crate::problem::{Exit, Problem};

/// Listens from when it is made, so that nothing is missed before it is awaited.
#[derive(Clone)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Must be called inside a runtime, which must live as long as somebody listens.
    pub(crate) fn listen() -> Result<Self, Problem> {
        let mut signals = Signals::listen()?;
        let (interrupted, interrupt) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            interrupted.send_replace(true);
            signals.next().await;
            std::process::exit(i32::from(Exit::Interrupted.number()));
        });
        Ok(Self(interrupt))
    }

    /// Waits for Ctrl-C, a polite request to end, or the end of the terminal. A
    /// second one ends the process on the spot.
    pub(crate) async fn wait(mut self) {
        if self.0.wait_for(|interrupted| *interrupted).await.is_err() {
            // The listener is gone with its runtime: nothing comes any more.
            std::future::pending::<()>().await;
        }
    }
}

/// Does work that blocks, before there is anything to end in good order: Ctrl-C ends the process on
/// the spot. Unlike the system's own way it does so also for a process that was started in the
/// background of a script, which shells let ignore Ctrl-C.
pub(crate) fn or_end<T>(work: impl FnOnce() -> T) -> Result<T, Problem> {
    let failed = |e| Problem::environment(format!("failed to listen for signals: {e}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    let (done, ended) = oneshot::channel::<()>();
    let listener = thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = signals.next() => std::process::exit(i32::from(Exit::Interrupted.number())),
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

/// Signals that are passed on to a command, which then decides when to end.
pub(crate) struct Signals {
    key: Signal,
    end: Signal,
    hang_up: Signal,
}

/// A signal that came.
pub(crate) struct Passed {
    /// Which one.
    pub(crate) signal: rustix::process::Signal,
    /// Whether the command has heard it already, as the terminal tells everybody in front of it.
    pub(crate) heard: bool,
}

impl Signals {
    /// Must be called inside a runtime.
    pub(crate) fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind)
                .map_err(|e| Problem::environment(format!("failed to listen for signals: {e}")))
        };
        Ok(Self {
            key: listen(SignalKind::interrupt())?,
            end: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) -> Passed {
        use rustix::process::Signal;
        tokio::select! {
            _ = self.key.recv() => Passed { signal: Signal::INT, heard: in_front() },
            _ = self.end.recv() => Passed { signal: Signal::TERM, heard: false },
            _ = self.hang_up.recv() => Passed { signal: Signal::HUP, heard: in_front() },
        }
    }
}

/// Whether this process, and with it the command, stands in front of a terminal.
fn in_front() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|front| front == rustix::process::getpgrp())
}
