//! `rehearse run`

mod jobs;
mod last;
mod order;
mod progress;
mod reports;
mod select;
mod sweep;

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use self::{
    jobs::{JobOrder, interrupted_run, run_jobs},
    last::LastRun,
    reports::ReportArgs,
    select::Selection,
    sweep::Sweep,
};
use crate::{
    always,
    app::App,
    backend,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    external::{self, UrlArgs},
    logs,
    project::Project,
    signal::Interrupt,
    target::{ChosenTarget, Target, TargetArgs},
};
use rehearse_dynamodb::Service;
use rehearse_scenario::{
    Options, Runner, Scenario,
    invariants::Invariants,
    report::{
        style::{DIM, paint},
        text::count,
    },
    sweep::Injection,
};
use rehearse_world::Backend;

/// Run scenarios
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse run                                   every scenario under scenarios/
  rehearse run scenarios/booking --tag phase10
  rehearse run --name \"two customers\" --repeat 50
  rehearse run --last-failed --fail-fast
  rehearse run --target http://127.0.0.1:3000/sms    your own backend, in any language
  rehearse run --report junit=report.xml --report json=report.json
  rehearse run --report html=report.html        one page, to open from disk
  rehearse run --shard 1/3                      one of three parts, for machines at the same time
  rehearse run --tag core --sweep                    every call of every scenario fails once, in every way
  rehearse run scenarios/booking/a.yaml --inject cut-after@dynamodb.PutItem#1
  rehearse run found/exploration-7.yaml --always   what `rehearse explore` has found")]
pub(crate) struct Args {
    /// Scenario files and folders; those of rehearse.toml when left out.
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    /// Print the chosen scenarios; run nothing.
    #[arg(long)]
    list: bool,
    /// How many scenarios run at the same time [default: four times the number of cores; one with --target URL].
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Seed of every order that a scenario leaves open.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often to run each scenario, with seeds counting up.
    #[arg(long, value_name = "N", default_value = "1")]
    repeat: NonZeroUsize,
    /// Start no further scenario after a failure.
    #[arg(long)]
    fail_fast: bool,
    /// Run each scenario once for every call and every way in which it can fail, and check what always.yaml says.
    #[arg(long, conflicts_with_all = ["list", "repeat", "inject"])]
    sweep: bool,
    /// Judge each scenario by what always.yaml says, in place of what its steps expect.
    #[arg(long, conflicts_with_all = ["list", "repeat", "sweep", "inject"])]
    always: bool,
    /// Let one call fail, such as `cut-after@dynamodb.PutItem#1`, and check what always.yaml says.
    #[arg(long, value_name = "FAILURE@EXCHANGE#N", conflicts_with_all = ["list", "repeat"])]
    inject: Option<Injection>,
    #[command(flatten)]
    reports: ReportArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    /// Show the functions' logs.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    url: UrlArgs,
}

/// One scenario to run, once.
#[derive(Clone)]
struct Job {
    scenario: Scenario,
    /// From 1, when scenarios are repeated.
    iteration: Option<usize>,
    seed: Option<u64>,
}

impl Job {
    /// The runner with this job's seed.
    fn runner(&self, runner: &Runner) -> Runner {
        match self.seed {
            Some(seed) => runner.clone().with_seed(seed),
            None => runner.clone(),
        }
    }

    /// The scenario's name, and which repetition it is.
    fn name(&self) -> String {
        match self.iteration {
            Some(i) => format!("{} #{i}", self.scenario.full_name()),
            None => self.scenario.full_name(),
        }
    }
}

pub(crate) fn run(args: Args, app: &App) -> Result<Exit, CommandError> {
    args.reports.check(args.sweep)?;
    logs::start(if args.verbose { "info" } else { "off" })?;
    if args.list {
        return list(&Project::find(app)?, &args, app);
    }
    let mut reported = false;
    start(&args, &mut reported, app).map_err(|error| {
        if args.sweep || reported { error } else { args.reports.write_not_started(error, app) }
    })
}

/// Runs what is chosen. `reported` becomes true when reports are written, whether they can be or not.
fn start(args: &Args, reported: &mut bool, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let target = args.target.choose(&project, app)?;
    external::check(&args.url, args.jobs, &target)?;
    let is_judged = args.sweep || args.always || args.inject.is_some();
    let invariants = is_judged.then(|| always::invariants(&project, app)).transpose()?;
    // A build blocks, so it is over before there is a database that would have to be closed.
    let built = match target.target {
        Target::Lambda => Some(prepare(&project, &target, args, app)?),
        Target::InProcess | Target::Url(_) => None,
    };
    app.block_on(async {
        let interrupt = Interrupt::listen()?;
        // It starts beside everything else that has to be read.
        let databases = args.dynamodb.start(None)?;
        let prepared = built.map_or_else(|| prepare(&project, &target, args, app), Ok);
        let result = match prepared {
            Ok(prepared) => {
                let prepared = Prepared { invariants, ..prepared };
                run_on(&databases, prepared, &project, &target, interrupt, args, reported, app)
                    .await
            }
            Err(problem) => Err(problem),
        };
        dynamodb::close(&databases, app).await;
        result
    })?
}

/// The scenarios to run and the backend to run them against.
struct Prepared {
    last: LastRun,
    chosen: Vec<Scenario>,
    backend: Backend,
    /// What must always hold, when that is what scenarios are judged by.
    invariants: Option<Arc<Invariants>>,
}

fn prepare(
    project: &Project,
    target: &ChosenTarget,
    args: &Args,
    app: &App,
) -> Result<Prepared, CommandError> {
    let (last, chosen) = choose(project, args, app)?;
    let backend = backend::of(project, target, app)?;
    Ok(Prepared { last, chosen, backend, invariants: None })
}

#[expect(clippy::too_many_arguments, reason = "what runs, where, and how")]
async fn run_on(
    databases: &Service,
    prepared: Prepared,
    project: &Project,
    target: &ChosenTarget,
    interrupt: Interrupt,
    args: &Args,
    reported: &mut bool,
    app: &App,
) -> Result<Exit, CommandError> {
    let Prepared { last, chosen, backend, invariants } = prepared;
    let options = Options {
        arguments: external::typed(target, &args.dynamodb, &args.url),
        ..Options::default()
    };
    let backend = backend.with_databases(databases.clone());
    let runner = project.runner(backend, options, &chosen)?;
    project.remark_missing(runner.backend().template(), app);
    project.remark_unresolved(runner.backend(), app);
    let jobs = jobs(chosen, args.repeat.get(), args.seed);
    sweep::check(args.inject.as_ref(), runner.backend())?;
    let judged = invariants.as_ref().map(|invariants| (invariants, args.inject.as_ref()));
    let reporter = project.reporter(app, runner.backend());
    // An earlier run's report must not be taken for this one's.
    let mut interrupted = || {
        *reported = true;
        if !args.sweep {
            args.reports.write(&interrupted_run(&jobs, &reporter, args), app)?;
        }
        Ok(Exit::Interrupted)
    };
    tokio::select! {
        ready = databases.ready() => ready.map_err(dynamodb::error)?,
        () = interrupt.clone().wait() => return interrupted(),
    }
    let runner = tokio::select! {
        runner = external::start(runner, project, target, &args.url, app) => runner?,
        () = interrupt.clone().wait() => return interrupted(),
    };
    let at_once = external::jobs_at_once(args.jobs, target).get();
    // What runs in other processes has work of its own while a scenario waits.
    let is_alone = target.target == Target::InProcess && args.dynamodb.is_embedded();
    let shared = args.jobs.is_none() && is_alone;
    if let Some(invariants) = invariants.as_ref().filter(|_| args.sweep) {
        let (jobs, runner, reporter) = (&jobs, &runner, &reporter);
        let sweep = Sweep { jobs, runner, invariants, reporter, at_once, shared };
        return sweep.run(interrupt, args, app).await;
    }
    let order = JobOrder::new(&jobs, &last.durations(), at_once, shared);
    let run = run_jobs(&jobs, order, &runner, judged, &reporter, interrupt, args, app).await;
    // What fails by what must always hold says nothing of what the scenario expects.
    if judged.is_none()
        && let Err(error) = last.update(&run, &app.root)
    {
        let why = rehearse_core::errors::io_words(&error);
        app.ui.warn(format_args!("failed to keep the result for --last-failed: {why}"));
    }
    *reported = true;
    args.reports.write(&run, app)?;
    Ok(Exit::of(run.exit_code()))
}

/// The scenarios that the command line asks for.
fn choose(
    project: &Project,
    args: &Args,
    app: &App,
) -> Result<(LastRun, Vec<Scenario>), CommandError> {
    let last = LastRun::at(&project.root);
    let all = match args.selection.paths(&last) {
        files if args.paths.is_empty() && !files.is_empty() => project.scenarios_in(&files)?,
        _ => project.scenarios(app, &args.paths)?,
    };
    let chosen = args.selection.apply(all, &last, app)?;
    Ok((last, chosen))
}

fn list(project: &Project, args: &Args, app: &App) -> Result<Exit, CommandError> {
    let (_, chosen) = choose(project, args, app)?;
    for scenario in &chosen {
        let tags = scenario.tags().join(" ");
        let path = scenario.path().strip_prefix(&app.root).unwrap_or(scenario.path());
        let line = format!("{}  {}  {}", path.display(), scenario.full_name(), paint(DIM, tags));
        app.ui.line(line.trim_end())?;
    }
    app.ui.note(paint(DIM, count(chosen.len(), "scenario")));
    Ok(Exit::Passed)
}

/// Every scenario as often as asked, one iteration after the other.
fn jobs(chosen: Vec<Scenario>, repeat: usize, seed: Option<u64>) -> Vec<Job> {
    (0..repeat)
        .flat_map(|i| chosen.iter().map(move |scenario| (i, scenario.clone())))
        .map(|(i, scenario)| {
            let repeated = repeat > 1;
            let seed = if repeated { Some(seed.unwrap_or(0).wrapping_add(i as u64)) } else { seed };
            Job { scenario, iteration: repeated.then_some(i + 1), seed }
        })
        .collect()
}
