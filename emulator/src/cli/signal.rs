//! Ctrl-C: the first ends the command in good order, the second at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::problem::{Exit, Problem};

/// Listens from when it is made, so that nothing is missed before it is awaited.
pub(super) struct Interrupt {
    key: Signal,
    end: Signal,
}

impl Interrupt {
    /// Must be called inside a runtime.
    pub(super) fn listen() -> Result<Self, Problem> {
        let listen = |kind| {
            signal(kind)
                .map_err(|e| Problem::environment(format!("failed to listen for Ctrl-C: {e}")))
        };
        Ok(Self { key: listen(SignalKind::interrupt())?, end: listen(SignalKind::terminate())? })
    }

    /// Waits for Ctrl-C, or for a polite request to end. A second one ends the
    /// process on the spot.
    pub(super) async fn wait(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(i32::from(Exit::Interrupted.number()));
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.key.recv() => {}
            _ = self.end.recv() => {}
        }
    }
}
