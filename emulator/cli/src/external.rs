//! `--target URL`: a backend that is started separately. There is only one, so scenarios run one
//! after another in one world, whose fakes keep the ports that the backend was configured with.

use std::{num::NonZeroUsize, time::Duration};

use crate::{
    app::App,
    busy, duration,
    dynamodb::DynamoDbArgs,
    error::CommandError,
    execute::default_jobs,
    ports::PortArgs,
    project,
    project::Project,
    target::{self, ChosenTarget},
};
use rehearse_scenario::Runner;
use rehearse_world::{Bind, WorldError};

/// What is for a backend at a URL only.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct UrlArgs {
    /// How long to wait for the backend of --target URL to listen, such as `10s`.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    wait: Option<Duration>,
    #[command(flatten)]
    pub(crate) ports: PortArgs,
}

/// The options of a backend and what is around it as they were typed, for a command that runs a scenario in
/// the same way again.
pub(crate) fn typed(target: &ChosenTarget, dynamodb: &DynamoDbArgs, args: &UrlArgs) -> Vec<String> {
    let mut words = target.typed();
    words.extend(dynamodb.typed());
    words.extend(args.ports.typed());
    words
}

/// Refuses options that do not go together.
pub(crate) fn check(
    args: &UrlArgs,
    jobs: Option<NonZeroUsize>,
    target: &ChosenTarget,
) -> Result<(), CommandError> {
    if target.external().is_none() {
        if args.wait.is_some() {
            return Err(CommandError::wrong("--wait waits for a backend of --target URL"));
        }
        return args.ports.refuse();
    }
    match jobs {
        Some(jobs) if jobs > NonZeroUsize::MIN => Err(CommandError::wrong(format!(
            "--jobs {jobs}, but there is one backend behind this URL"
        ))
        .help("its scenarios share its tables and ports, so they run one after another")),
        _ => Ok(()),
    }
}

/// How many scenarios run at the same time.
pub(crate) fn jobs_at_once(jobs: Option<NonZeroUsize>, target: &ChosenTarget) -> NonZeroUsize {
    match target.external() {
        Some(_) => NonZeroUsize::MIN,
        None => jobs.unwrap_or_else(default_jobs),
    }
}

/// Gives the runner the one world of such a backend, and waits until the backend listens, so that a
/// missing one fails once and not in every scenario.
pub(crate) async fn start(
    runner: Runner,
    project: &Project,
    target: &ChosenTarget,
    args: &UrlArgs,
    app: &App,
) -> Result<Runner, CommandError> {
    let Some(external) = target.external() else { return Ok(runner) };
    let ports = args.ports.over(project.settings.ports);
    target::apart(external, &ports)?;
    let runner = match runner.with_shared_world(Bind::Fixed(ports)).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::error(part, port, source, &ports, app).await);
        }
        runner => runner.map_err(project::world)?,
    };
    // A backend may need the fakes to start, so they are there while it is waited for.
    target::listening(external, args.wait.unwrap_or_default(), app).await?;
    Ok(runner)
}
