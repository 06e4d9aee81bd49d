//! `--sweep` and `--inject`: runs that what always holds judges.

use std::sync::Arc;

use super::{Args, Job, external, progress::Progress};
use crate::{
    app::App,
    error::{CommandError, Exit},
    execute::{JobResult, JobsEnd, Limits, Place, execute},
    project::Project,
    signal::Interrupt,
    target::ChosenTarget,
};
use rehearse_scenario::{
    Runner, ScenarioResult, Status,
    invariants::Invariants,
    report::{Reporter, text::count},
    sweep::{self, Injection, Matrix, Trial, TrialEnd},
};

/// The invariants, when the command line asks for runs that they judge.
///
/// # Errors
/// There are none, or they cannot be read.
pub(super) fn invariants(
    project: &Project,
    args: &Args,
    app: &App,
) -> Result<Option<Arc<Invariants>>, CommandError> {
    if !args.sweep && args.inject.is_none() {
        return Ok(None);
    }
    let path = project.root.join(&project.settings.paths.always);
    if !path.exists() {
        return Err(CommandError::wrong(format!(
            "no {} says what must always hold",
            path.display()
        ))
        .help(format!("write one as docs/sweep.md describes; `{}` finds it", app.command("run"))));
    }
    Invariants::load(&path).map(|read| Some(Arc::new(read))).map_err(CommandError::wrong)
}

/// One trial to run.
struct TrialJob {
    /// Index of the scenario's job.
    job: usize,
    injection: Injection,
}

/// Sweeps scenarios and prints the matrix.
#[expect(clippy::too_many_arguments, reason = "what is swept, how, and where it is shown")]
pub(super) async fn run(
    jobs: &[Job],
    runner: &Runner,
    invariants: &Arc<Invariants>,
    reporter: &Reporter,
    interrupt: Interrupt,
    target: &ChosenTarget,
    args: &Args,
    app: &App,
) -> Result<Exit, CommandError> {
    let at_once = external::jobs_at_once(args, target).get();
    let limits = Limits { at_once, fail_fast: args.fail_fast };
    let mut matrix = Matrix::default();
    let Some(all) =
        list(jobs, runner, invariants, &mut matrix, limits, interrupt.clone(), app).await?
    else {
        return Ok(Exit::Interrupted);
    };
    let screen = args.reports.screen(app);
    let progress = Progress::new(all.len(), app.ui.interactive() && screen.is_shown());
    let name = |trial: &TrialJob| format!("{} {}", trial.injection, jobs[trial.job].name());
    let start = |i: usize| {
        progress.began(&name(&all[i]));
        let TrialJob { job, injection } = &all[i];
        let (runner, scenario) = (seeded(runner, &jobs[*job]), jobs[*job].scenario.clone());
        let (invariants, injection) = (invariants.clone(), injection.clone());
        async move { runner.trial(&scenario, &invariants, Some(injection)).await }
    };
    let done = |i: usize, ended: JobResult<Trial>| {
        let not_run = || reporter.not_run(&jobs[all[i].job].scenario).result;
        let trial = judged(ended, not_run);
        let failed = !matches!(trial.end, TrialEnd::Held | TrialEnd::NotReached);
        progress.ended(&name(&all[i]), failed);
        matrix.add(&all[i].injection, &trial, reporter.command(&trial.result.replay));
        failed
    };
    let waits = |trial: &TrialJob| trial.injection.kind.waits() || jobs[trial.job].scenario.waits();
    let order = spread(all.iter().map(waits).collect(), at_once > 1);
    let ended: JobsEnd = execute(order, limits, start, interrupt.wait(), done).await;
    progress.finish();
    screen.line(sweep::terminal(&matrix).trim_end());
    let sentences: Vec<&str> = invariants.sentences().collect();
    args.reports.write_sweep(&matrix, &sentences, app)?;
    Ok(match () {
        () if ended.interrupted => Exit::Interrupted,
        () if matrix.red().any(|red| red.not_judged.is_some()) => Exit::Environment,
        () if matrix.red().next().is_some() => Exit::Failed,
        () => Exit::Passed,
    })
}

/// Runs every scenario without a failure, and lists what can fail in it; `None` when interrupted.
///
/// # Errors
/// A scenario does not pass, or a sentence does not hold when nothing fails.
async fn list(
    jobs: &[Job],
    runner: &Runner,
    invariants: &Arc<Invariants>,
    matrix: &mut Matrix,
    limits: Limits,
    interrupt: Interrupt,
    app: &App,
) -> Result<Option<Vec<TrialJob>>, CommandError> {
    let mut found: Vec<Option<Vec<Injection>>> = jobs.iter().map(|_| None).collect();
    let mut wrong = Vec::new();
    let start = |i: usize| {
        let (runner, scenario) = (seeded(runner, &jobs[i]), jobs[i].scenario.clone());
        let invariants = invariants.clone();
        async move {
            let run = runner.run(&scenario).await;
            let trial = match run.passed() {
                true => Some(runner.trial(&scenario, &invariants, None).await),
                false => None,
            };
            (run, trial)
        }
    };
    // A backend that somebody else started cannot be made to crash.
    let processes = runner.backend().external_backend().is_none();
    let done = |i: usize, ended: JobResult<(ScenarioResult, Option<Trial>)>| {
        let name = jobs[i].name();
        let (run, trial) = match ended {
            JobResult::Finished(both) => *both,
            JobResult::Panicked(why) => {
                wrong.push(format!("{name}: the emulator panicked: {why}"));
                return true;
            }
            JobResult::NotStarted => return true,
        };
        if run.status == Status::Skipped {
            return false;
        }
        let Some(trial) = trial else {
            wrong.push(format!("{name}: it does not pass"));
            return false;
        };
        match &trial.end {
            TrialEnd::Held => {
                let journal =
                    &trial.result.journal[..trial.of_steps.min(trial.result.journal.len())];
                let listing = sweep::injections(journal, processes);
                matrix.add_scenario(&listing);
                found[i] = Some(listing.injections);
            }
            TrialEnd::Violated(violations) => wrong.extend(violations.iter().map(|violation| {
                format!("{name}: without any failure: {}: {}", violation.sentence, violation.about)
            })),
            TrialEnd::NotJudged(why) => wrong.push(format!("{name}: {why}")),
            TrialEnd::NotReached => {}
        }
        false
    };
    let order = (0..jobs.len()).map(|i| (i, Place::Whole));
    let ended = execute(order, limits, start, interrupt.wait(), done).await;
    if ended.interrupted {
        return Ok(None);
    }
    if !wrong.is_empty() {
        let run = app.command("run");
        let mut error = CommandError::wrong("");
        error.errors = wrong.into_iter().map(Into::into).collect();
        return Err(CommandError { exit: Exit::Failed, ..error }.help(format!(
            "a sweep needs {} that pass, and sentences that hold when nothing fails; `{run}` runs them",
            count(jobs.len(), "scenario")
        )));
    }
    let all = found.into_iter().enumerate().flat_map(|(job, injections)| {
        injections.into_iter().flatten().map(move |injection| TrialJob { job, injection })
    });
    Ok(Some(all.collect()))
}

/// The order in which trials start. Those that wait for real time are spread over the first half of the
/// others, which use the processor meanwhile, unless trials run one after another.
fn spread(waits: Vec<bool>, at_once: bool) -> Vec<(usize, Place)> {
    let place = |waits| if waits && at_once { Place::Eighth } else { Place::Whole };
    let mut order: Vec<(usize, Place)> =
        waits.iter().enumerate().map(|(i, waits)| (i, place(*waits))).collect();
    if at_once {
        let waiting = waits.iter().filter(|waits| **waits).count();
        let others = waits.len() - waiting;
        let (mut seen_waiting, mut seen_others) = (0, 0);
        // Positions as parts of their kind, so that both lists are merged evenly.
        let keys: Vec<usize> = waits
            .iter()
            .map(|waits| {
                if *waits {
                    seen_waiting += 1;
                    seen_waiting * others
                } else {
                    seen_others += 1;
                    seen_others * waiting * 2
                }
            })
            .collect();
        order.sort_by_key(|(i, _)| keys[*i]);
    }
    order
}

fn seeded(runner: &Runner, job: &Job) -> Runner {
    match job.seed {
        Some(seed) => runner.clone().with_seed(seed),
        None => runner.clone(),
    }
}

/// The trial, also when it ended otherwise than by its end.
fn judged(ended: JobResult<Trial>, not_run: impl Fn() -> ScenarioResult) -> Trial {
    let why = match ended {
        JobResult::Finished(trial) => return *trial,
        JobResult::Panicked(why) => format!("the emulator panicked: {why}"),
        JobResult::NotStarted => "it was not run".into(),
    };
    Trial { end: TrialEnd::NotJudged(why), result: not_run(), of_steps: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_spread_over_the_first_half_of_the_others() {
        let waits = vec![false, false, false, false, false, false, true, true];
        let order: Vec<usize> = spread(waits.clone(), true).into_iter().map(|(i, _)| i).collect();
        assert_eq!(order, [0, 6, 1, 2, 7, 3, 4, 5]);
        let alone: Vec<usize> = spread(waits, false).into_iter().map(|(i, _)| i).collect();
        assert_eq!(alone, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
