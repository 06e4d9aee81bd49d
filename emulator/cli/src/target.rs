//! `--target`: what runs the backend.

use std::{fmt, str::FromStr, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use crate::{
    app::App,
    error::CommandError,
    lambda::LambdaArgs,
    project::{Project, SETTINGS},
};
use rehearse_aws::template::Ports;
use rehearse_core::names::hint;
use rehearse_world::ExternalBackend;

/// How long a backend on this machine may take to accept a call.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a backend that is not there yet is looked for again.
const PAUSE: Duration = Duration::from_millis(25);

/// Names of targets that are no URLs.
const NAMES: [&str; 2] = ["in-process", "lambda"];

/// What runs the backend, as the user chose it.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct TargetArgs {
    /// What runs the backend: `in-process` (functions linked into this program), `lambda` (their
    /// own programs, behind an emulated Runtime API), or the URL of a webhook that you serve
    /// [default: in-process if the template's functions are linked in, else the `url` under [webhook]
    /// in rehearse.toml, else lambda].
    #[arg(long, value_name = "TARGET")]
    target: Option<Target>,
    #[command(flatten)]
    lambda: LambdaArgs,
}

/// The target of a command once the default is known, with its options.
#[derive(Debug)]
pub(crate) struct ChosenTarget {
    /// What runs the backend.
    pub(crate) target: Target,
    /// How functions are run as processes, for [`Target::Lambda`].
    pub(crate) lambda: LambdaArgs,
    /// Whether the user named the target.
    named: bool,
}

impl TargetArgs {
    /// Chooses the target: the one that was named, else the project's default.
    ///
    /// # Errors
    /// When this program cannot run the target, an option belongs to another target, or the
    /// project has nothing that this program could run.
    pub(crate) fn choose(
        &self,
        project: &Project,
        app: &App,
    ) -> Result<ChosenTarget, CommandError> {
        let Self { target, lambda } = self;
        let named = target.is_some();
        let target = match target {
            Some(Target::InProcess) if app.functions.is_empty() => return Err(not_linked(app)),
            Some(target) => target.clone(),
            None => default(project, app)?,
        };
        tracing::debug!(backend = %target, named, "chose what runs the backend");
        match lambda.given() {
            Some(option) if target != Target::Lambda => {
                Err(CommandError::wrong(format!("{option} is for --target lambda")))
            }
            _ => Ok(ChosenTarget { target, lambda: lambda.clone(), named }),
        }
    }
}

impl ChosenTarget {
    /// The backend that is started separately, if that is the target.
    pub(crate) fn external(&self) -> Option<&ExternalBackend> {
        match &self.target {
            Target::Url(external) => Some(external),
            Target::InProcess | Target::Lambda => None,
        }
    }

    /// The options as they were typed, for a command that repeats this one.
    pub(crate) fn typed(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.named && self.target != Target::InProcess {
            words.extend(["--target".into(), self.target.to_string()]);
        }
        words.extend(self.lambda.typed());
        words
    }
}

/// The target of a command that names none.
fn default(project: &Project, app: &App) -> Result<Target, CommandError> {
    // Linked functions are one project's own: in any other, this program is the plain `rehearse`.
    if !app.functions.is_empty() && project.describes(&app.functions)? {
        return Ok(Target::InProcess);
    }
    let webhook = project.settings.webhook.as_ref();
    if let Some(url) = webhook.and_then(|webhook| webhook.url.as_ref()) {
        let parsed = url.parse().map(Target::Url);
        return parsed.map_err(|error: rehearse_world::ExternalBackendError| {
            CommandError::wrong(format!("{SETTINGS}: [webhook] url")).because(error)
        });
    }
    if !app.functions.is_empty() && project.tables()?.functions.is_empty() {
        // There is nothing to run as a process; what is missing is told by whoever runs them here.
        return Ok(Target::InProcess);
    }
    if !project.has_functions()? {
        return Err(CommandError::wrong("nothing says what runs the backend").help(format!(
            "name the URL of its webhook with --target URL, or as `url` under [webhook] in \
             {SETTINGS}; or describe its functions in {}",
            project.settings.template.display()
        )));
    }
    Ok(Target::Lambda)
}

/// Why the functions cannot run in this process.
fn not_linked(app: &App) -> CommandError {
    CommandError::wrong(format!(
        "--target in-process needs functions that are linked into the program, and `{}` has none",
        app.program
    ))
    .help(
        "use --target lambda, which runs them as processes, or --target URL for a backend that \
         you start; a Rust crate links its functions in with `rehearse_cli::main`",
    )
}

/// What runs the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Functions that are linked into this program.
    InProcess,
    /// The functions' own programs, each in processes behind a Lambda Runtime API.
    Lambda,
    /// A backend that is started separately: the URL of its webhook.
    Url(ExternalBackend),
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
                .map_err(|error: rehearse_world::ExternalBackendError| error.to_string()),
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
            Self::Url(external) => external.fmt(f),
        }
    }
}

/// Refuses a backend whose port one of the fakes is to have.
pub(crate) fn apart(external: &ExternalBackend, ports: &Ports) -> Result<(), CommandError> {
    let (_, port) = external.address();
    // No gateway is started in front of such a backend.
    let taken = ports.by_name().into_iter().find(|(name, p)| *p == port && *name != "gateway");
    match taken {
        None => Ok(()),
        Some((part, _)) => {
            Err(CommandError::wrong(format!("{external} is where {part} will listen"))
                .help(format!("give the backend's own port, or move {part} with --{part}-port N")))
        }
    }
}

/// Waits so long for the backend to listen.
pub(crate) async fn listening(
    external: &ExternalBackend,
    wait: Duration,
    app: &App,
) -> Result<(), CommandError> {
    let (host, port) = external.address();
    let deadline = tokio::time::Instant::now() + wait;
    loop {
        let connected = timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await;
        let why = match connected {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => rehearse_core::errors::io_words(&error),
            Err(_) => "it does not accept calls".into(),
        };
        if tokio::time::Instant::now() + PAUSE >= deadline {
            let env = app.command(&format!("env --target {external}"));
            return Err(CommandError::environment(format!(
                "no backend listens at {external}: {why}"
            ))
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
        assert!(at("http://127.0.0.1:4010/sms").unwrap_err().texts()[0].contains("twilio"));
        assert!(at("http://127.0.0.1:4000/sms").is_ok(), "there is no gateway");
    }
}
