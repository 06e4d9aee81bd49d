//! `rehearse env`

use std::fmt::Write as _;

use crate::{
    app::App,
    backend,
    control::ControlArgs,
    error::{CommandError, Exit},
    exports::{self, CONTROL, Environment, export},
    ports::PortArgs,
    project::Project,
    target::{self, Target},
};
use rehearse_control::{Client, ClientError};

/// Print what to export for a running world, or for the fixed ports of --target URL
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  eval \"$(rehearse env)\"                                          beside `rehearse up`
  eval \"$(rehearse env --target http://127.0.0.1:3000/sms)\"       before `rehearse run --target`
  rehearse env --format dotenv > .env")]
pub(crate) struct Args {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print the variables for a backend at this URL; the world need not run yet.
    #[arg(long, value_name = "URL")]
    target: Option<Target>,
    #[command(flatten)]
    control: ControlArgs,
    #[command(flatten)]
    ports: PortArgs,
}

/// How an environment is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// `export NAME='value'`, for eval, and what each SDK needs as comments
    #[default]
    Shell,
    /// `NAME="value"`, for .env files
    Dotenv,
    /// One object
    Json,
}

pub(crate) fn env(args: Args, app: &App) -> Result<Exit, CommandError> {
    let environment = match &args.target {
        Some(target) => fixed(target, &args, app)?,
        None => running(&args, app)?,
    };
    app.ui.line(write(&environment, args.format).trim_end())?;
    Ok(Exit::Passed)
}

/// The environment of a world that is running, and where it is.
fn running(args: &Args, app: &App) -> Result<Environment, CommandError> {
    args.ports.refuse()?;
    let url = args.control.url(app)?;
    let client = Client::new(&url)?;
    let endpoints = app.block_on(async { client.endpoints().await })?;
    let mut environment = endpoints
        .map_err(|error| match error {
            ClientError::NotRunning { .. } => CommandError::from(error).help(
                "start one with `rehearse up`, name another with --control URL, or your own \
                 backend with --target URL",
            ),
            error => error.into(),
        })?
        .environment;
    environment.insert(CONTROL.into(), url);
    Ok(environment)
}

/// The environment of a world on fixed ports.
fn fixed(target: &Target, args: &Args, app: &App) -> Result<Environment, CommandError> {
    let Target::Url(external) = target else {
        return Err(CommandError::wrong(format!(
            "a world of --target {target} has no fixed ports"
        ))
        .help("start one with `rehearse up`, and leave --target out here"));
    };
    let project = Project::find(app)?;
    let ports = args.ports.over(project.settings.ports);
    target::apart(external, &ports)?;
    let backend = backend::at_url(&project, external)?;
    let endpoints = exports::endpoints(&ports, external.origin());
    Ok(exports::environment(backend.settings(), &endpoints))
}

/// The environment in a format.
fn write(environment: &Environment, format: Format) -> String {
    let mut text = String::new();
    for (name, value) in environment {
        let _ = match format {
            Format::Shell => writeln!(text, "{}", export(name, value)),
            Format::Dotenv => writeln!(text, "{name}=\"{}\"", escape(value)),
            Format::Json => return serde_json::json!(environment).to_string(),
        };
    }
    if format == Format::Shell {
        text.push_str(&exports::notes());
    }
    text
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_survives_quotes_and_dollars() {
        let map = |value: &str| Environment::from([("A".to_owned(), value.to_owned())]);
        let shell =
            |value: &str| write(&map(value), Format::Shell).lines().next().map(String::from);
        assert_eq!(shell("http://127.0.0.1:1").unwrap(), "export A=http://127.0.0.1:1");
        assert_eq!(shell("it's $x").unwrap(), "export A='it'\\''s $x'");
        assert_eq!(write(&map("a \"$b\""), Format::Dotenv), "A=\"a \\\"\\$b\\\"\"\n");
        assert_eq!(write(&map("x"), Format::Json), r#"{"A":"x"}"#);
    }
}
