//! Which DynamoDB a command uses.

use rehearse_core::errors::with_causes;
use std::path::PathBuf;

use crate::{app::App, problem::Problem};
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
    /// What stands before the tables' names at a URL; something unique when left out.
    #[arg(long, value_name = "NAME", value_parser = prefix)]
    dynamodb_prefix: Option<String>,
    /// Let the URL be on another machine; its tables are made and deleted there.
    #[arg(long)]
    allow_remote: bool,
    /// Leave the container, or the tables at a URL, and print where they are.
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

    /// Begins to start it. Must be closed with [`close`], whatever happens meanwhile.
    pub(crate) fn start(&self, data: Option<PathBuf>) -> Result<Service, Problem> {
        if data.is_some() && self.dynamodb != EngineChoice::Embedded {
            return Err(Problem::wrong("--data is for the embedded database alone")
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
        Service::start(options).map_err(|error| problem(&error))
    }
}

/// Ends it, and says what is left of it.
pub(crate) async fn close(service: &Service, app: &App) {
    let closed = service.close().await;
    if let Some(kept) = closed.kept {
        app.ui.remark(format_args!("kept {kept}"));
    }
    if let Some(left) = closed.left {
        app.ui.warn(format_args!("failed to remove {left}"));
    }
}

/// Why there is no database, and what to do.
pub(crate) fn problem(error: &ServiceError) -> Problem {
    let text = with_causes(error);
    let problem =
        if error.is_users_choice() { Problem::wrong(text) } else { Problem::environment(text) };
    Problem { help: error.help(), ..problem }
}

fn prefix(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    fits.then(|| text.to_owned()).ok_or_else(|| "it is 1 to 64 letters, digits and `_`".to_owned())
}
