//! `rehearse bench`: figures of this machine, never a verdict.

mod fakes;
mod load;
mod memory;
mod scenarios;

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use super::{
    app::App,
    dynamodb::{self, DynamoDbArgs},
    problem::{Exit, Problem},
    project::{self, Project},
    signal::Interrupt,
};
use crate::{
    clock::Clock,
    dynamodb::Service,
    report::{
        style::{BOLD, DIM, paint},
        text::count,
        time,
    },
    scenario::{Options, Scenario},
    world::{Backend, World, WorldConfig},
};

/// Worlds that are started one after the other.
const WORLDS: usize = 50;

/// Measure this machine: scenarios, turns, fakes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Build with --release for figures that mean something. The fakes are loaded from
inside this process; wrk, from outside, gives the authoritative number.")]
pub(super) struct Args {
    /// How often all scenarios are run.
    #[arg(long, value_name = "N", default_value = "5")]
    times: NonZeroUsize,
    /// How long each fake is loaded.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = super::ready::time)]
    load: Duration,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
}

pub(super) fn bench(args: Args, app: &App) -> Result<Exit, Problem> {
    let project = Project::find(app)?;
    let all = project.scenarios(app, &[])?;
    app.block_on_world(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(None)?;
        let result = tokio::select! {
            result = measure(&project, &databases, &all, &args, app) => result,
            () = interrupt.wait() => Ok(Exit::Interrupted),
        };
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn measure(
    project: &Project,
    databases: &Service,
    all: &[Scenario],
    args: &Args,
    app: &App,
) -> Result<Exit, Problem> {
    let backend = project.backend(app)?.with_databases(databases.clone());
    let runner = &project.runner(backend, Options::default(), all)?;
    let figure = |name: &str, value: &str, about: &str| {
        let (value, about) = (paint(BOLD, value), paint(DIM, about));
        app.ui.line(format_args!("{name:<20}  {value:>12}  {about}"))
    };
    databases.ready().await.map_err(|error| dynamodb::problem(&error))?;
    let worlds = worlds(runner.backend()).await?;
    figure("world start", &nth(&worlds, 50), &format!("p95 {}", nth(&worlds, 95)))?;

    let turns = scenarios::one_tool_turns(runner, all).await;
    let about = format!("p95 {}, {} one by one", nth(&turns, 95), count(turns.len(), "turn"));
    figure("turn, one tool call", &nth(&turns, 50), &about)?;

    let batch = scenarios::in_parallel(runner, all, args.times.get()).await;
    let about = format!("{} for all {}", time::duration(batch.once()), all.len());
    figure("scenarios", &rate(batch.count, batch.took), &about)?;
    if batch.failed > 0 {
        let failed = count(batch.failed, "scenario");
        app.ui.warn(format_args!("{failed} did not pass; `{}` shows why", app.command("run")));
    }
    figure("memory", &memory::resident(), &format!("at most {} so far", memory::peak()))?;

    let about = format!("{} connections, from inside", fakes::CONNECTIONS);
    let plain = fakes::openai(args.load, false).await?;
    figure("OpenAI, plain", &rate(plain, args.load), &about)?;
    let streamed = fakes::openai(args.load, true).await?;
    figure("OpenAI, streamed", &rate(streamed, args.load), &about)?;
    let sends = fakes::twilio(args.load).await?;
    figure("Twilio, sends", &rate(sends, args.load), &about)?;
    Ok(Exit::Passed)
}

/// How long worlds take to start, sorted.
async fn worlds(backend: &Backend) -> Result<Vec<Duration>, Problem> {
    let mut took = Vec::with_capacity(WORLDS);
    for _ in 0..WORLDS {
        let started = Instant::now();
        let config = WorldConfig::new(backend.clone(), Clock::running());
        let world = World::start(config).await.map_err(|e| project::world(&e))?;
        took.push(started.elapsed());
        drop(world);
    }
    took.sort();
    Ok(took)
}

/// The duration below which `percent` of them are; `-` when there are none.
fn nth(sorted: &[Duration], percent: usize) -> String {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).map_or_else(|| "-".into(), |took| time::duration(*took))
}

fn rate(count: usize, took: Duration) -> String {
    format!("{:.0} /s", count as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks_of_what_was_measured() {
        let ms: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!((nth(&ms, 50), nth(&ms, 95)), ("10 ms".into(), "19 ms".into()));
        assert_eq!(nth(&ms[..1], 95), "1.0 ms");
        assert_eq!(nth(&[], 50), "-");
    }
}
