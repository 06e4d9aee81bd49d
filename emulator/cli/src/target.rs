//! `--target`: what runs the backend.

use std::{fmt, str::FromStr, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use crate::{app::App, lambda::LambdaArgs, problem::Problem};
use rehearse_aws::template::Ports;
use rehearse_core::names::hint;
use rehearse_world::Outside;

/// How long a backend on this machine may take to accept a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a backend that is not there yet is looked for again.
const PAUSE: Duration = Duration::from_millis(25);

/// Names of targets that are no URLs.
const NAMES: [&str; 2] = ["in-process", "lambda"];

/// What runs the backend, and how.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TargetArgs {
    /// What runs the backend: in-process, lambda (its binaries, behind a Runtime API), or the URL
    /// of a webhook that somebody else serves.
    #[arg(long, default_value_t, value_name = "TARGET")]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) lambda: LambdaArgs,
}

impl TargetArgs {
    /// Refuses options of another target.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        match self.lambda.given() {
            Some(option) if self.target != Target::Lambda => {
                Err(Problem::wrong(format!("{option} is for --target lambda")))
            }
            _ => Ok(()),
        }
    }

    /// The backend that somebody else started.
    pub(crate) fn outside(&self) -> Option<&Outside> {
        match &self.target {
            Target::Url(outside) => Some(outside),
            Target::InProcess | Target::Lambda => None,
        }
    }
}

/// What runs the backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Target {
    /// Plain functions in this process.
    #[default]
    InProcess,
    /// The functions' own binaries, each in processes behind a Lambda Runtime API.
    Lambda,
    /// Somebody else, who started it: the URL of its webhook.
    Url(Outside),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "in-process" => Ok(Self::InProcess),
            "lambda" => Ok(Self::Lambda),
            // A name has neither; anything else is meant as a URL.
            _ if text.contains([':', '/']) => text
                .parse()
                .map(Self::Url)
                .map_err(|error: rehearse_world::OutsideError| error.to_string()),
            _ => {
                let known = NAMES.join(", ");
                let hint = hint(text, NAMES);
                Err(format!(
                    "there is no such target{hint} ({known}, or the URL of a webhook such as \
                     http://127.0.0.1:3000/sms)"
                ))
            }
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InProcess => f.write_str("in-process"),
            Self::Lambda => f.write_str("lambda"),
            Self::Url(outside) => outside.fmt(f),
        }
    }
}

/// Refuses a backend whose port one of the fakes is to have.
pub(crate) fn apart(outside: &Outside, ports: &Ports) -> Result<(), Problem> {
    let (_, port) = outside.address();
    // No gateway is started in front of such a backend.
    let taken = ports.by_name().into_iter().find(|(name, p)| *p == port && *name != "gateway");
    match taken {
        None => Ok(()),
        Some((part, _)) => Err(Problem::wrong(format!("{outside} is where {part} will listen"))
            .help(format!("give the backend's own port, or move {part} with --{part}-port N"))),
    }
}

/// Waits so long for the backend to listen.
pub(crate) async fn listening(outside: &Outside, wait: Duration, app: &App) -> Result<(), Problem> {
    let (host, port) = outside.address();
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        let connected = timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await;
        let why = match connected {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it does not accept calls".into(),
        };
        if tokio::time::Instant::now() + PAUSE >= deadline {
            let env = app.command(&format!("env --target {outside}"));
            return Err(Problem::environment(format!("no backend listens at {outside}: {why}"))
                .help(format!("start it with what `{env}` prints, then run this again")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_urls_are_told_apart_and_slips_are_named() {
        let parse = str::parse::<Target>;
        assert_eq!(parse("in-process").unwrap(), Target::InProcess);
        assert!(matches!(parse("http://127.0.0.1:3000/sms").unwrap(), Target::Url(_)));
        for (wrong, says) in [
            ("in-proces", "did you mean `in-process`?"),
            ("lamda", "did you mean `lambda`?"),
            ("nothing", "or the URL of a webhook"),
            ("localhost:3000/sms", "did you mean http://localhost:3000/sms?"),
            ("http://example.com/sms", "not on this machine"),
            ("https://localhost/sms", "http://"),
        ] {
            let error = parse(wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_backend_and_a_fake_cannot_share_a_port() {
        let at = |url: &str| apart(&url.parse().unwrap(), &Ports::default());
        assert!(at("http://127.0.0.1:4010/sms").unwrap_err().errors[0].contains("twilio"));
        assert!(at("http://127.0.0.1:4000/sms").is_ok(), "there is no gateway");
    }
}
