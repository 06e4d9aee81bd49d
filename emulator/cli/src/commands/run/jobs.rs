//! Running the chosen scenarios, and showing how it goes.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    Args, Job,
    order::{InOrder, longest_first},
    progress::Progress,
    reports::RunOutput,
};
use crate::{
    app::App,
    error::Exit,
    execute::{JobResult, Limits, Place, execute},
    signal::{self, Interrupt},
};
use rehearse_scenario::{
    Runner, Status,
    invariants::Invariants,
    report::{Reporter, Run, ScenarioReport, terminal},
    sweep::Injection,
};

/// In which order jobs start, and how many run at once.
pub(crate) struct JobOrder {
    starts: Vec<(usize, Place)>,
    at_once: usize,
}

/// A scenario that waits for real time takes about as long as it waits; others are over in less.
const MOSTLY_WAITS: Duration = Duration::from_secs(1);

impl JobOrder {
    /// The jobs that took longest in earlier runs start first; those that wait for something and were
    /// never run start before all. Jobs that run one at a time start as they are listed: there, no
    /// order is faster. `shared` places are those of the machine, of which scenarios that mostly wait
    /// take little; without it, no more than `at_once` ever run.
    pub(crate) fn new(
        jobs: &[Job],
        durations: &BTreeMap<String, Duration>,
        at_once: usize,
        shared: bool,
    ) -> Self {
        if at_once == 1 {
            let starts = (0..jobs.len()).map(|i| (i, Place::Whole)).collect();
            return Self { starts, at_once };
        }
        let expected = |job: &Job| {
            let recorded = durations.get(&job.scenario.full_name()).copied();
            let unknown = if job.scenario.waits() { Duration::MAX } else { Duration::ZERO };
            recorded.unwrap_or(unknown)
        };
        let expected: Vec<Duration> = jobs.iter().map(expected).collect();
        let place = |i: usize| {
            let mostly_waits = jobs[i].scenario.waits() && expected[i] >= MOSTLY_WAITS;
            if shared && mostly_waits { Place::Quarter } else { Place::Whole }
        };
        let starts = longest_first(&expected).into_iter().map(|i| (i, place(i))).collect();
        Self { starts, at_once }
    }
}

/// Runs jobs and shows a line for each, in the order of `jobs`; failures and the summary come at the
/// end. With `judged`, what must always hold is judged in place of what steps expect, and with its
/// injection a call of each fails.
#[expect(clippy::too_many_arguments, reason = "what runs, how, and where it is shown")]
pub(crate) async fn run_jobs(
    jobs: &[Job],
    order: JobOrder,
    runner: &Runner,
    judged: Option<(&Arc<Invariants>, Option<&Injection>)>,
    reporter: &Reporter,
    interrupt: Interrupt,
    args: &Args,
    app: &App,
) -> Run {
    let screen = args.reports.screen(app);
    let width = jobs.iter().map(|job| reporter.folder(job.scenario.path()).chars().count()).max();
    let width = width.unwrap_or(0);
    let progress = Progress::new(jobs.len(), app.ui.interactive() && screen.is_shown());
    let mut results = InOrder::new(jobs.len());
    let (started, clock) = (Timestamp::now(), Instant::now());
    let limits = Limits { at_once: order.at_once, fail_fast: args.fail_fast };
    let start = |i: usize| {
        let (scenario, runner) = (jobs[i].scenario.clone(), jobs[i].runner(runner));
        progress.began(&jobs[i].name());
        let judged = judged.map(|(invariants, injection)| (invariants.clone(), injection.cloned()));
        async move {
            match judged {
                None => runner.run(&scenario).await,
                Some((invariants, injection)) => {
                    runner.trial(&scenario, &invariants, injection).await.result
                }
            }
        }
    };
    let done = |i: usize, ended: JobResult| {
        let mut ran = view(reporter, &jobs[i], ended);
        if !args.reports.keep_journals() {
            ran.result.journal = Vec::new();
        }
        let failed = !matches!(ran.result.status, Status::Passed | Status::Skipped);
        progress.ended(&ran.name, failed);
        for ran in results.push(i, ran).filter_map(|i| results.get(i)) {
            progress.above(|| screen.line(&terminal::line(ran, width, app.ui.width())));
        }
        failed
    };
    let ended = execute(order.starts, limits, start, interrupt.wait(), done).await;
    progress.finish();
    let hidden = results.first_hidden();
    let mut scenarios = results.into_all(|i| view(reporter, &jobs[i], JobResult::NotStarted));
    for i in &ended.under_way {
        scenarios[*i].result.status = Status::Interrupted;
    }
    // What an interruption left behind a gap.
    let left = scenarios[hidden..].iter().filter(|ran| ran.result.status != Status::NotRun);
    left.for_each(|ran| screen.line(&terminal::line(ran, width, app.ui.width())));
    let run = Run {
        started,
        took: clock.elapsed(),
        seed: args.seed,
        interrupted: ended.interrupted.then(|| signal::exit(Exit::Interrupted).number()),
        scenarios,
        not_started: None,
    };
    finish(&screen, &run, app);
    run
}

/// A run that was interrupted before its first scenario.
pub(crate) fn interrupted_run(jobs: &[Job], reporter: &Reporter, args: &Args) -> Run {
    Run {
        started: Timestamp::now(),
        took: Duration::ZERO,
        seed: args.seed,
        interrupted: Some(signal::exit(Exit::Interrupted).number()),
        scenarios: jobs.iter().map(|job| view(reporter, job, JobResult::NotStarted)).collect(),
        not_started: None,
    }
}

fn finish(screen: &RunOutput<'_>, run: &Run, app: &App) {
    screen.line(terminal::endings(run, app.ui.width()).trim_end());
}

fn view(reporter: &Reporter, job: &Job, ended: JobResult) -> ScenarioReport {
    let ran = match ended {
        JobResult::NotStarted => reporter.not_run(&job.scenario),
        JobResult::Panicked(how) => reporter.panicked(&job.scenario, &how),
        JobResult::Finished(result) => reporter.report(*result),
    };
    ScenarioReport { name: job.name(), ..ran }
}
