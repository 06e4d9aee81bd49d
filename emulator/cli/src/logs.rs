//! Logs of functions in this process and of the emulator itself, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

use crate::error::CommandError;

/// Environment variables with a filter such as `rehearse=debug`; the first that is set counts.
const VARIABLES: [&str; 2] = ["REHEARSE_LOG", "RUST_LOG"];

/// Shows log events by the filter of [`VARIABLES`], else those of at least this level.
///
/// The level is not the embedded database's: it warns of every 4xx, and a condition that fails is
/// no news. What providers are asked and what they respond is in the journal, not here.
///
/// # Errors
/// When a variable's filter cannot be parsed.
pub(crate) fn start(level: &str) -> Result<(), CommandError> {
    let subscriber = fmt()
        .with_env_filter(filter(level, |name| std::env::var(name).ok())?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .finish();
    // A second start in one process (tests) keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn filter(
    level: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<EnvFilter, CommandError> {
    let set = VARIABLES.iter().find_map(|name| {
        let filter = variable(name).filter(|filter| !filter.is_empty())?;
        Some((name, filter))
    });
    let Some((name, filter)) = set else {
        return Ok(EnvFilter::new(format!("{level},dynoxide=off")));
    };
    EnvFilter::try_new(&filter).map_err(|error| {
        CommandError::wrong(format!("{name}: '{filter}' is not a log filter"))
            .because(error)
            .help(format!("a filter is such as {name}=rehearse=debug,handlers=info"))
    })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Seek as _},
        sync::Mutex,
    };

    use rehearse_core::{
        clock::Clock,
        journal::{ExchangeDetail, Journal, Outcome},
    };

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<String, CommandError> {
        let value = |name: &str| {
            let set = variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        };
        filter("off", value).map(|filter| filter.to_string())
    }

    #[test]
    fn a_variable_replaces_the_level_and_a_wrong_one_is_told() {
        let level = with(&[]).unwrap();
        assert!(level.contains("off") && level.contains("dynoxide=off"), "{level}");
        assert_eq!(with(&[("RUST_LOG", "")]).unwrap(), level);
        assert_eq!(with(&[("RUST_LOG", "rehearse=debug")]).unwrap(), "rehearse=debug");
        let both = [("RUST_LOG", "warn"), ("REHEARSE_LOG", "rehearse=debug")];
        assert_eq!(with(&both).unwrap(), "rehearse=debug");
        let problem = with(&[("RUST_LOG", "rehearse=loud")]).unwrap_err();
        assert!(problem.texts()[0].contains("RUST_LOG: 'rehearse=loud'"), "{problem:?}");
    }

    #[test]
    fn each_exchange_is_a_span_with_its_position_and_name() {
        let mut file = tempfile::tempfile().unwrap();
        let writer = Mutex::new(file.try_clone().unwrap());
        let subscriber = fmt()
            .with_env_filter("rehearse=debug")
            .with_writer(writer)
            .with_ansi(false)
            .with_target(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let journal = Journal::new(Clock::running());
            let line =
                ExchangeDetail::Log { function: "F".into(), request_id: None, line: "x".into() };
            // Another test may have met these places first, without a subscriber: that is forgotten.
            Journal::new(Clock::running()).note("first", line.clone());
            tracing::callsite::rebuild_interest_cache();
            let mut written = &file;
            written.set_len(0).unwrap();
            written.rewind().unwrap();
            let pending = journal.begin("http.GET /people/+19045550102", line);
            pending.span().in_scope(|| tracing::debug!(target: "rehearse", "under way"));
            pending.end(Outcome::status(200, serde_json::Value::Null));
        });
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        for (line, says) in lines.iter().zip(["exchange began", "under way", "status=200"]) {
            assert!(line.contains("exchange{seq=0 name=\"http.GET\"}"), "{text}");
            assert!(line.contains(says), "{text}");
        }
    }
}
