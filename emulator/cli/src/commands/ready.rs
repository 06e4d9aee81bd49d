//! `rehearse ready`

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    app::App,
    control::ControlArgs,
    duration,
    error::{CommandError, Exit},
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
pub(crate) struct Args {
    /// How long to wait for it, such as `10s` or `500ms`.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    wait: Option<Duration>,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn ready(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    app.block_on(async {
        let deadline = Instant::now() + args.wait.unwrap_or_default();
        loop {
            match client.ready().await {
                Ok(_) => break,
                Err(ClientError::NotRunning { .. }) if Instant::now() + PAUSE < deadline => {
                    sleep(PAUSE).await;
                }
                Err(error) => return Err(CommandError::from(error)),
            }
        }
        app.ui.line("ready")?;
        Ok(Exit::Passed)
    })?
}
