//! `rehearse ready`

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, sleep};

use super::{
    app::App,
    args::Control,
    problem::{Exit, Problem},
};
use rehearse_control::{Client, ClientError};

/// How often a world that is not there yet is asked again.
const PAUSE: Duration = Duration::from_millis(25);

/// Say whether a world is running
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, in a script:
  rehearse up &
  rehearse ready --wait 10s && pytest")]
pub(super) struct Args {
    /// How long to wait for it, such as `10s` or `500ms`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    wait: Option<Duration>,
    #[command(flatten)]
    control: Control,
}

pub(super) fn ready(args: Args, app: &App) -> Result<Exit, Problem> {
    let client = Client::new(&args.control.control)?;
    app.block_on(async {
        let deadline = Instant::now() + args.wait.unwrap_or_default();
        loop {
            match client.ready().await {
                Ok(_) => break,
                Err(ClientError::NotRunning { .. }) if Instant::now() + PAUSE < deadline => {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(Problem::from(error)),
            }
        }
        app.ui.line("ready")?;
        Ok(Exit::Passed)
    })?
}

/// A length of time as people write it.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is not a length of time such as 10s or 500ms");
    let time: SignedDuration = text.parse().map_err(|_| wrong())?;
    time.try_into().map_err(|_| wrong())
}
