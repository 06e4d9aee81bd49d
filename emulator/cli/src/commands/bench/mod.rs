//! `rehearse bench`: measures this machine; it passes whatever the figures are.

mod database;
mod fakes;
mod figures;
mod load;
mod memory;
mod scenarios;

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use self::figures::Figures;
use crate::{
    app::App,
    backend,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    project::{self, Project},
    signal::Interrupt,
    target::TargetArgs,
};
use rehearse_core::clock::Clock;
use rehearse_dynamodb::Service;
use rehearse_scenario::{
    Options, Runner, Scenario,
    report::{text::count, time},
};
use rehearse_world::{Backend, World, WorldConfig};

/// Worlds that are started one after the other.
const WORLDS: usize = 50;

/// What may be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Worlds, turns, and all scenarios.
    Scenarios,
    /// The database's operations.
    Database,
    /// The fakes under load.
    Fakes,
}

/// Measure this machine: scenarios, turns, database, fakes
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Build with --release for figures that mean something. The fakes are loaded from
inside this process; wrk, from outside, gives the authoritative number.

Examples:
  rehearse bench
  rehearse bench database --dynamodb docker")]
pub(crate) struct Args {
    /// What to measure; everything when left out.
    #[arg(value_name = "PARTS", value_enum)]
    parts: Vec<Part>,
    /// How often all scenarios are run.
    #[arg(long, value_name = "N", default_value = "5")]
    times: NonZeroUsize,
    /// How long each fake and each operation of the database is loaded.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = crate::duration::parse)]
    load: Duration,
    /// Print each figure as a line of JSON; units are seconds, bytes, or events a second.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn bench(args: Args, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let all = project.scenarios(app, &[])?;
    let backend =
        args.wants(Part::Scenarios).then(|| functions(&project, &args, app)).transpose()?;
    app.block_on_world(async {
        let interrupt = Interrupt::listen()?;
        let started = Instant::now();
        let databases = args.dynamodb.start(None)?;
        let result = tokio::select! {
            result = measure(&project, backend, &databases, started, &all, &args, app) => result,
            () = interrupt.wait() => Ok(Exit::Interrupted),
        };
        dynamodb::close(&databases, app).await;
        result
    })?
}

impl Args {
    /// Whether this part was asked for.
    fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

/// The backend whose scenarios are measured.
fn functions(project: &Project, args: &Args, app: &App) -> Result<Backend, CommandError> {
    let target = args.target.choose(project, app)?;
    if let Some(external) = target.external() {
        return Err(CommandError::wrong(format!(
            "{external} is one backend, and bench runs many at once"
        ))
        .help("use --target in-process or lambda, or measure `database` and `fakes` alone"));
    }
    backend::of(project, &target, app)
}

async fn measure(
    project: &Project,
    backend: Option<Backend>,
    databases: &Service,
    started: Instant,
    all: &[Scenario],
    args: &Args,
    app: &App,
) -> Result<Exit, CommandError> {
    let figures = Figures { app, json: args.json };
    databases.ready().await.map_err(dynamodb::error)?;
    if args.wants(Part::Database) {
        operations(databases, started, args.load, &figures).await?;
    }
    if let Some(backend) = backend {
        let backend = backend.with_databases(databases.clone());
        let runner = project.runner(backend, Options::default(), all)?;
        scenarios(&runner, all, args.times.get(), &figures, app).await?;
    }
    figures.memory()?;
    if args.wants(Part::Fakes) {
        let about = format!("{} connections, from inside", fakes::CONNECTIONS);
        let plain = fakes::openai(args.load, false).await?;
        figures.rate("OpenAI, plain", plain, args.load, &about)?;
        let streamed = fakes::openai(args.load, true).await?;
        figures.rate("OpenAI, streamed", streamed, args.load, &about)?;
        let sends = fakes::twilio(args.load).await?;
        figures.rate("Twilio, sends", sends, args.load, &about)?;
    }
    Ok(Exit::Passed)
}

async fn operations(
    databases: &Service,
    started: Instant,
    load: Duration,
    figures: &Figures<'_>,
) -> Result<(), CommandError> {
    let bench = database::Bench::start(databases).await?;
    figures.time("database, first row", started.elapsed(), "from its start, with its table")?;
    for operation in database::Operation::ALL {
        let name = operation.name();
        let one = bench.run(operation, 1, load).await?.took;
        let about = format!("p95 {}, one client", nth(&one, 95));
        figures.nth(&format!("{name}, p50"), &one, &about)?;
        let many = bench.run(operation, database::CLIENTS, load).await?.took;
        let about = format!("{} clients, p50 {}", database::CLIENTS, nth(&many, 50));
        figures.rate(name, many.len(), load, &about)?;
    }
    Ok(())
}

async fn scenarios(
    runner: &Runner,
    all: &[Scenario],
    times: usize,
    figures: &Figures<'_>,
    app: &App,
) -> Result<(), CommandError> {
    let worlds = worlds(runner.backend()).await?;
    figures.nth("world start", &worlds, &format!("p95 {}", nth(&worlds, 95)))?;

    let turns = scenarios::one_tool_turns(runner, all).await;
    let about = format!("p95 {}, {} one by one", nth(&turns, 95), count(turns.len(), "turn"));
    figures.nth("turn, one tool call", &turns, &about)?;

    let batch = scenarios::in_parallel(runner, all, times).await;
    let about = format!("{} for all {}", time::duration(batch.once()), all.len());
    figures.rate("scenarios", batch.count, batch.took, &about)?;
    if batch.failed > 0 {
        let failed = count(batch.failed, "scenario");
        app.ui.warn(format_args!("{failed} did not pass; `{}` shows why", app.command("run")));
    }
    Ok(())
}

/// How long worlds take to start, sorted.
async fn worlds(backend: &Backend) -> Result<Vec<Duration>, CommandError> {
    let mut took = Vec::with_capacity(WORLDS);
    for _ in 0..WORLDS {
        let started = Instant::now();
        let config = WorldConfig::new(backend.clone(), Clock::running());
        let world = World::start(config).await.map_err(project::world)?;
        took.push(started.elapsed());
        drop(world);
    }
    took.sort();
    Ok(took)
}

/// The duration below which `percent` of them are; `-` when there are none.
fn nth(sorted: &[Duration], percent: usize) -> String {
    rank(sorted, percent).map_or_else(|| "-".into(), figures::brief)
}

fn rank(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks_of_what_was_measured() {
        let ms: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        assert_eq!((nth(&ms, 50), nth(&ms, 95)), ("10 ms".into(), "19 ms".into()));
        assert_eq!(nth(&ms[..1], 95), "1.0 ms");
        assert_eq!(nth(&[Duration::from_nanos(143_600)], 50), "144 µs");
        assert_eq!(nth(&[], 50), "-");
    }
}
