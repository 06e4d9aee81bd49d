//! `rehearse doctor`

mod checks;
mod client;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use jiff::{Zoned, tz::TimeZone};

use self::{
    checks::{CheckResult, all},
    client::Client,
};
use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
    project::Project,
};
use rehearse_control as control;
use rehearse_scenario::report::{
    style::{BAD, DIM, GOOD, paint},
    text::count,
};

/// Check a deployed backend from outside, read-only
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse doctor --url https://abc123.execute-api.us-east-1.amazonaws.com
  rehearse doctor                    the gateway of a running world

Sends GETs, preflights and webhooks that are not signed: none of them changes anything.
Exit code 1: a check failed.")]
pub(crate) struct Args {
    /// The API's base URL, with its stage if that has a name.
    #[arg(long, value_name = "URL", value_parser = base)]
    url: Option<String>,
    #[command(flatten)]
    control: ControlArgs,
}

fn base(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    });
    url.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| "a base URL is such as https://api.example.com".into())
}

pub(crate) fn doctor(args: Args, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let template = project.template()?;
    // A date of UTC: in the backend's own time zone it is today or a day beside it.
    let today = Zoned::now().with_time_zone(TimeZone::UTC).date();
    let checks = all(&template, &project.settings, today);
    app.block_on(async {
        let url = match args.url {
            Some(url) => url,
            None => gateway(&args.control.url(app)?).await?,
        };
        let client = Client::new(url.clone())
            .map_err(|error| CommandError::environment("failed to start").because(error))?;
        app.ui.line(paint(DIM, &url))?;
        if let Err(error) = client.reach().await {
            return Err(CommandError::environment(format!("{url} does not answer"))
                .because(error)
                .help("name the API's own URL: the stack's output ApiUrl"));
        }
        let mut failed = 0;
        let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for check in &checks {
            let CheckResult { passed, summary } = check.run(&client).await;
            failed += usize::from(!passed);
            let mut line = String::new();
            let word = if passed { paint(GOOD, "  ok") } else { paint(BAD, "FAIL") };
            let _ = write!(line, "{word}  {:width$}  {}", check.name, paint(DIM, summary));
            app.ui.line(line.trim_end())?;
        }
        app.ui.line(format_args!("\n{}, {failed} failed", count(checks.len(), "check")))?;
        Ok(if failed == 0 { Exit::Passed } else { Exit::Failed })
    })?
}

/// The gateway of a running world.
async fn gateway(control: &str) -> Result<String, CommandError> {
    let parts = control::Client::new(control)?.endpoints().await?.parts;
    let gateway = parts.into_iter().find(|part| part.name == "gateway");
    gateway
        .map(|part| part.url)
        .ok_or_else(|| CommandError::environment("the world has no gateway"))
}
