//! `rehearse env`

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    app::App,
    args::Control,
    problem::{Exit, Problem},
};
use crate::control::Client;

/// Print what to export for a running world
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  eval \"$(rehearse env)\"
  rehearse env --format dotenv > .env")]
pub(super) struct Args {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    control: Control,
}

/// How an environment is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// `export NAME='value'`, for eval
    #[default]
    Shell,
    /// `NAME="value"`, for .env files
    Dotenv,
    /// One object
    Json,
}

pub(super) fn env(args: Args, app: &App) -> Result<Exit, Problem> {
    let client = Client::new(&args.control.control)?;
    let endpoints = app.block_on(async { client.endpoints().await })??;
    app.ui.line(write(&endpoints.environment, args.format).trim_end())?;
    Ok(Exit::Passed)
}

/// The environment in a format.
fn write(environment: &BTreeMap<String, String>, format: Format) -> String {
    let mut text = String::new();
    for (name, value) in environment {
        let _ = match format {
            Format::Shell => writeln!(text, "{}", export(name, value)),
            Format::Dotenv => writeln!(text, "{name}=\"{}\"", escape(value)),
            Format::Json => return serde_json::json!(environment).to_string(),
        };
    }
    text
}

/// `export NAME=value`, quoted where a shell would read something else.
pub(super) fn export(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        format!("export {name}={value}")
    } else {
        format!("export {name}='{}'", value.replace('\'', r"'\''"))
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_survives_quotes_and_dollars() {
        let map = |value: &str| BTreeMap::from([("A".to_owned(), value.to_owned())]);
        assert_eq!(
            write(&map("http://127.0.0.1:1"), Format::Shell),
            "export A=http://127.0.0.1:1\n"
        );
        assert_eq!(write(&map("it's $x"), Format::Shell), "export A='it'\\''s $x'\n");
        assert_eq!(write(&map("a \"$b\""), Format::Dotenv), "A=\"a \\\"\\$b\\\"\"\n");
        assert_eq!(write(&map("x"), Format::Json), r#"{"A":"x"}"#);
    }
}
