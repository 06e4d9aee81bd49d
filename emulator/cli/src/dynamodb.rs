//! `--dynamodb` and related options.

use std::path::PathBuf;

use crate::{app::App, error::CommandError};
use rehearse_dynamodb::{DEFAULT_IMAGE, EngineChoice, Service, ServiceError, ServiceOptions};

/// What keeps the tables.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Database")]
pub(crate) struct DynamoDbArgs {
    /// What keeps the tables: `embedded`, `docker`, or the URL of a DynamoDB on this machine.
    #[arg(
        long,
        env = "REHEARSE_DYNAMODB",
        value_name = "DATABASE",
        default_value = "embedded",
        global = false
    )]
    dynamodb: EngineChoice,
    /// Image of DynamoDB Local, for `docker`.
    #[arg(long, value_name = "IMAGE", default_value = DEFAULT_IMAGE)]
    dynamodb_image: String,
    /// Prefix of the tables' names at a URL [default: something unique].
    #[arg(long, value_name = "NAME", value_parser = prefix)]
    dynamodb_prefix: Option<String>,
    /// Let the URL be on another machine; its tables are made and deleted there.
    #[arg(long)]
    allow_remote: bool,
    /// Keep the container, or the tables at a URL, and print where they are.
    #[arg(long)]
    keep: bool,
}

impl DynamoDbArgs {
    /// What a command has to say to choose it again.
    pub(crate) fn typed(&self) -> Vec<String> {
        match &self.dynamodb {
            EngineChoice::Embedded => Vec::new(),
            EngineChoice::Docker => vec!["--dynamodb".into(), "docker".into()],
            EngineChoice::Endpoint(endpoint) => vec!["--dynamodb".into(), endpoint.to_string()],
        }
    }

    /// Whether the tables are kept in this process.
    pub(crate) fn is_embedded(&self) -> bool {
        self.dynamodb == EngineChoice::Embedded
    }

    /// Begins to start it. Must be closed with [`close`], whatever happens meanwhile.
    pub(crate) fn start(&self, data: Option<PathBuf>) -> Result<Service, CommandError> {
        if data.is_some() && self.dynamodb != EngineChoice::Embedded {
            return Err(CommandError::wrong("--data is for the embedded database alone")
                .help("leave --dynamodb out, or --data"));
        }
        let options = ServiceOptions {
            choice: self.dynamodb.clone(),
            data,
            image: self.dynamodb_image.clone(),
            prefix: self.dynamodb_prefix.clone(),
            allow_remote: self.allow_remote,
            keep: self.keep,
        };
        Service::start(options).map_err(error)
    }
}

/// Stops the database, and notes what was kept or could not be removed.
pub(crate) async fn close(service: &Service, app: &App) {
    let closed = service.close().await;
    if let Some(kept) = closed.kept {
        app.ui.remark(format_args!("kept {kept}"));
    }
    if let Some(left) = closed.left {
        app.ui.warn(format_args!("failed to remove {left}"));
    }
}

/// The error of a database that did not start, with help.
pub(crate) fn error(error: ServiceError) -> CommandError {
    let help = error.help();
    let failed =
        if error.is_users_choice() { CommandError::wrong } else { CommandError::environment };
    CommandError { help, ..failed(error) }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fits.then(|| text.to_owned()).ok_or_else(|| "it is 1 to 64 letters, digits and `_`".to_owned())
}
