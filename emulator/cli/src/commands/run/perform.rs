//! Running the chosen scenarios, and showing how it goes.

use std::time::Instant;

use jiff::Timestamp;

use super::{Args, Job, order::InOrder, progress::Progress, reports::RunOutput};
use crate::{
    app::App,
    execute::{Ended, Limits, execute},
    signal::Interrupt,
};
use rehearse_scenario::{
    Runner,
    report::{Ran, Run, Status, Viewer, terminal},
};

/// Runs jobs and shows a line for each; failures and the summary come at the end.
pub(crate) async fn perform(
    jobs: &[Job],
    runner: &Runner,
    viewer: &Viewer,
    interrupt: Interrupt,
    at_once: usize,
    args: &Args,
    app: &App,
) -> Run {
    let screen = args.reports.screen(app);
    let width = jobs.iter().map(|job| viewer.folder(&job.scenario).chars().count()).max();
    let width = width.unwrap_or(0);
    let progress = Progress::new(jobs.len(), app.ui.interactive() && screen.is_shown());
    let mut results = InOrder::new(jobs.len());
    let (started, clock) = (Timestamp::now(), Instant::now());
    let limits = Limits { at_once, fail_fast: args.fail_fast };
    let start = |i: usize| {
        let Job { scenario, seed, .. } = jobs[i].clone();
        progress.began(&jobs[i].name());
        let runner = match seed {
            Some(seed) => runner.clone().with_seed(seed),
            None => runner.clone(),
        };
        async move { runner.run(&scenario).await }
    };
    let done = |i: usize, ended: Ended| {
        let mut ran = view(viewer, &jobs[i], ended);
        if !args.reports.keep_journals() {
            ran.journal = Vec::new();
        }
        let failed = !matches!(ran.status, Status::Passed | Status::Skipped);
        progress.ended(&ran.name, failed);
        for ran in results.push(i, ran).filter_map(|i| results.get(i)) {
            progress.above(|| screen.line(&terminal::line(ran, width)));
        }
        failed
    };
    let outcome = execute(jobs.len(), limits, start, interrupt.wait(), done).await;
    progress.finish();
    let hidden = results.first_hidden();
    let mut scenarios = results.into_all(|i| view(viewer, &jobs[i], Ended::NotBegun));
    for i in &outcome.under_way {
        scenarios[*i].status = Status::Interrupted;
    }
    // What an interruption left behind a gap.
    let left = scenarios[hidden..].iter().filter(|ran| ran.status != Status::NotRun);
    left.for_each(|ran| screen.line(&terminal::line(ran, width)));
    let run = Run {
        started,
        took: clock.elapsed(),
        seed: args.seed,
        interrupted: outcome.interrupted,
        scenarios,
    };
    finish(&screen, &run, app);
    run
}

fn finish(screen: &RunOutput<'_>, run: &Run, app: &App) {
    screen.line(terminal::endings(run, app.ui.width()).trim_end());
}

fn view(viewer: &Viewer, job: &Job, ended: Ended) -> Ran {
    let ran = match ended {
        Ended::NotBegun => viewer.not_run(&job.scenario),
        Ended::Panicked(how) => viewer.broke(&job.scenario, &how),
        Ended::Ran(report) => viewer.ran(&job.scenario, *report),
    };
    Ran { name: job.name(), ..ran }
}
