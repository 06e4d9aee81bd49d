//! `--control`: where the control API of a running world is.

use crate::{app::App, error::CommandError, project::Project};
use rehearse_aws::template::Ports;

/// Selects the running world that a command talks to.
#[derive(Debug, clap::Args)]
pub(crate) struct ControlArgs {
    /// URL of the world's control API [default: the `control` port of rehearse.toml on this
    /// machine; 4040 outside of any project].
    #[arg(long, global = true, env = "REHEARSE_CONTROL", value_name = "URL", value_parser = http_url)]
    control: Option<String>,
}

impl ControlArgs {
    /// The URL of the control API: as given, else by the `[ports]` of the project that the current
    /// folder belongs to, else the default port.
    ///
    /// # Errors
    /// When the project's settings are needed and cannot be read.
    pub(crate) fn url(&self, app: &App) -> Result<String, CommandError> {
        if let Some(url) = &self.control {
            return Ok(url.clone());
        }
        let ports = match Project::find_any(app)? {
            Some(project) => project.settings.ports,
            None => Ports::default(),
        };
        Ok(format!("http://127.0.0.1:{}", ports.control))
    }
}

fn http_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.has_host());
    url.map(|_| text.to_owned()).ok_or_else(|| "a URL is such as http://127.0.0.1:4040".into())
}

/// One thing of a running world by its id, or all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OneOrAll {
    One(u64),
    All,
}

/// Reads an id or `all`.
pub(crate) fn one_or_all(text: &str) -> Result<OneOrAll, String> {
    match text {
        "all" => Ok(OneOrAll::All),
        id => id.parse().map(OneOrAll::One).map_err(|_| {
            "an id is a number, as the command shows it without arguments; or `all`".into()
        }),
    }
}

/// Prints a response of the control API as one line of JSON.
///
/// # Errors
/// When the output cannot be written.
pub(crate) fn print_json(app: &App, response: &impl serde::Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string(response)
        .map_err(|e| CommandError::environment("failed to write JSON").because(e))?;
    app.ui.line(text)?;
    Ok(())
}
