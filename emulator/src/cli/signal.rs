//! Ctrl-C: the first ends the command in good order, the second at once.

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::problem::{Exit, Problem};

/// Listens from when it is made, so that nothing is missed before it is awaited.
#[derive(Clone)]
pub(super) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Must be called inside a runtime, which must live as long as somebody listens.
    pub(super) fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind)
                .map_err(|e| Problem::environment(format!("failed to listen for Ctrl-C: {e}")))
        };
        let mut signals = Signals {
            key: listen(SignalKind::interrupt())?,
            end: listen(SignalKind::terminate())?,
            gone: listen(SignalKind::hangup())?,
        };
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
    pub(super) async fn wait(mut self) {
        if self.0.wait_for(|interrupted| *interrupted).await.is_err() {
            // The listener is gone with its runtime: nothing comes any more.
            std::future::pending::<()>().await;
        }
    }
}

struct Signals {
    key: Signal,
    end: Signal,
    gone: Signal,
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.key.recv() => {}
            _ = self.end.recv() => {}
            _ = self.gone.recv() => {}
        }
    }
}
