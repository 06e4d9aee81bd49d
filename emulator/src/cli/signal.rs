//! Ctrl-C: the first ends the command in good order, the second at once.

use super::problem::Exit;

/// Waits for Ctrl-C (or a polite request to end), then lets a second one end
/// the process on the spot. Must be called before the work begins.
pub(super) async fn interrupted() {
    wait().await;
    tokio::spawn(async {
        wait().await;
        std::process::exit(i32::from(Exit::Interrupted.number()));
    });
}

async fn wait() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut end) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = end.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without a handler Ctrl-C ends the process by itself.
        std::future::pending::<()>().await;
    }
}
