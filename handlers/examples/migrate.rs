//! Writes the rows that leads of the old system lack. `scripts/migrate` runs it.

use std::{io::Write as _, process::ExitCode};

use handlers::{
    compose::{self, Clients},
    config::Vars,
};

const USAGE: &str = "usage: scripts/migrate [--check | --apply]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let apply = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["--check"] => false,
        ["--apply"] => true,
        _ => return Err(USAGE.into()),
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let vars: Vars = std::env::vars().collect();
    let local = vars.get("AWS_ENDPOINT_URL_DYNAMODB").is_some_and(|url| url.starts_with("http:"));
    let clients = if local { Clients::plain()? } else { Clients::https()? };
    let (database, calendar) = compose::migration(&vars, &clients)?;
    #[expect(clippy::disallowed_methods, reason = "a command of the owner's has no other clock")]
    let now = jiff::Timestamp::now();
    let report = database.migrate(calendar.local(now), now, apply).await?;
    let mut out = std::io::stdout().lock();
    for (title, lines) in [
        ("Missing", &report.missing),
        ("Written", &report.written),
        ("To decide or mend by hand", &report.open),
    ] {
        writeln!(out, "{title}: {}", lines.len())?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
    }
    if !apply && !report.missing.is_empty() {
        writeln!(out, "Nothing was written. `scripts/migrate --apply` writes what is missing.")?;
    }
    Ok(if report.open.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
