//! The command line with the shop's functions linked in.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use handlers::{compose::Clients, ports::Timer};
use rehearse_aws::{Function, function::BuildError};
use rehearse_core::elapsed::ElapsedTime;

fn main() -> ExitCode {
    rehearse_cli::main("rehearse-shop", functions)
}

fn functions() -> Result<Vec<Function>, BuildError> {
    let clients = Clients::plain()?;
    let functions = handlers::functions().map(|function| {
        let clients = clients.clone();
        Function::timed(function.id, move |vars, time| {
            let clients = clients.clone().with_timer(Arc::new(WorldTimer(time.clone())));
            Ok((function.build)(vars, &clients)?)
        })
    });
    Ok(functions.into())
}

/// The elapsed time of a world, so that the functions' deadlines and leases stand still while somebody
/// answers the model's round by hand.
struct WorldTimer(ElapsedTime);

#[async_trait]
impl Timer for WorldTimer {
    fn unix_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.saturating_sub(self.0.stood()).as_millis()).unwrap_or(i64::MAX)
    }

    async fn sleep(&self, time: Duration) {
        self.0.sleep(time).await;
    }
}
