//! `--target URL`: a backend that somebody else started. There is one of it, so its
//! scenarios take turns in one world, whose fakes stay where it was told that they are.

use std::num::NonZeroUsize;

use super::Args;
use crate::{
    app::App,
    busy,
    execute::default_jobs,
    problem::Problem,
    project,
    project::Project,
    target::{self, ChosenTarget},
};
use rehearse_scenario::Runner;
use rehearse_world::{Bind, WorldError};

/// Refuses options that do not go together.
pub(crate) fn check(args: &Args, target: &ChosenTarget) -> Result<(), Problem> {
    if target.outside().is_none() {
        if args.wait.is_some() {
            return Err(Problem::wrong("--wait waits for a backend of --target URL"));
        }
        return args.ports.refuse();
    }
    match args.jobs {
        Some(jobs) if jobs > NonZeroUsize::MIN => {
            Err(Problem::wrong(format!("--jobs {jobs}, but there is one backend behind this URL"))
                .help("its scenarios share its tables and ports, so they run one after another"))
        }
        _ => Ok(()),
    }
}

/// How many scenarios run at the same time.
pub(crate) fn jobs(args: &Args, target: &ChosenTarget) -> NonZeroUsize {
    match target.outside() {
        Some(_) => NonZeroUsize::MIN,
        None => args.jobs.unwrap_or_else(default_jobs),
    }
}

/// What a command has to say besides, to run a scenario in this way again.
pub(crate) fn arguments(args: &Args, target: &ChosenTarget) -> Vec<String> {
    let mut words = target.typed();
    words.extend(args.dynamodb.typed());
    words.extend(args.ports.typed());
    words
}

/// The runner, with the one world that such a backend is pointed at. A backend that is not there
/// is found now, not by every scenario.
pub(crate) async fn start(
    runner: Runner,
    project: &Project,
    target: &ChosenTarget,
    args: &Args,
    app: &App,
) -> Result<Runner, Problem> {
    let Some(outside) = target.outside() else { return Ok(runner) };
    let ports = args.ports.over(project.settings.ports);
    target::apart(outside, &ports)?;
    let runner = match runner.with_shared_world(Bind::Fixed(ports)).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::problem(part, port, &source, &ports, app).await);
        }
        runner => runner.map_err(|error| project::world(&error))?,
    };
    // A backend may need the fakes to start, so they are there while it is waited for.
    target::listening(outside, args.wait.unwrap_or_default(), app).await?;
    Ok(runner)
}
