//! `--sweep` and `--inject`: runs that what always holds judges.

use std::sync::Arc;

use super::{Args, Job, progress::Progress};
use crate::{
    app::App,
    error::{CommandError, Exit},
    execute::{JobResult, JobsEnd, Limits, Place, execute},
    signal::Interrupt,
};
use rehearse_scenario::{
    Runner, ScenarioResult, Status,
    invariants::Invariants,
    report::{Reporter, text::count},
    sweep::{self, Injection, Matrix, Trial, TrialEnd},
};
use rehearse_world::Backend;

/// Trials that take the place of one scenario where places are those of the machine.
const TRIALS_A_PLACE: usize = 3;

/// One trial to run.
struct TrialJob {
    /// Index of the scenario's job.
    job: usize,
    injection: Injection,
}

/// Refuses an injection that the backend cannot have.
pub(super) fn check(injection: Option<&Injection>, backend: &Backend) -> Result<(), CommandError> {
    let Some(function) = injection.and_then(|injection| injection.function.as_deref()) else {
        return Ok(());
    };
    if let Some(external) = backend.external_backend() {
        let url = external.to_string();
        return Err(CommandError::wrong(format!("the backend at {url} cannot be made to crash"))
            .help("run its functions with --target lambda"));
    }
    let ids: Vec<&str> =
        backend.template().functions.iter().map(|function| function.id.as_str()).collect();
    if ids.contains(&function) {
        return Ok(());
    }
    Err(CommandError::wrong(format!("the template has no function {function}"))
        .help(format!("it has {}", ids.join(", "))))
}

/// What a sweep runs, and where.
pub(super) struct Sweep<'s> {
    pub(super) jobs: &'s [Job],
    pub(super) runner: &'s Runner,
    pub(super) invariants: &'s Arc<Invariants>,
    pub(super) reporter: &'s Reporter,
    /// How many places there are for trials.
    pub(super) at_once: usize,
    /// Whether places are those of the machine, of which trials that wait take little.
    pub(super) shared: bool,
}

impl Sweep<'_> {
    /// Sweeps scenarios and prints the matrix.
    pub(super) async fn run(
        &self,
        interrupt: Interrupt,
        args: &Args,
        app: &App,
    ) -> Result<Exit, CommandError> {
        // Most trials wait for real time: for what the SDK repeats, and for calls that time out.
        let at_once = self.at_once * if self.shared { TRIALS_A_PLACE } else { 1 };
        let limits = Limits { at_once, fail_fast: args.fail_fast };
        let mut matrix = Matrix::default();
        let limits_of_list = Limits { fail_fast: false, ..limits };
        let Some(all) = self.list(&mut matrix, limits_of_list, interrupt.clone(), app).await?
        else {
            return Ok(Exit::Interrupted);
        };
        let screen = args.reports.screen(app);
        let progress = Progress::new(all.len(), app.ui.interactive() && screen.is_shown());
        let name =
            |trial: &TrialJob| format!("{} {}", trial.injection, self.jobs[trial.job].name());
        let start = |i: usize| {
            progress.began(&name(&all[i]));
            let TrialJob { job, injection } = &all[i];
            let job = &self.jobs[*job];
            let (runner, scenario) = (job.runner(self.runner), job.scenario.clone());
            let (invariants, injection) = (self.invariants.clone(), injection.clone());
            async move { runner.trial(&scenario, &invariants, Some(injection)).await }
        };
        let done = |i: usize, ended: JobResult<Trial>| {
            let not_run = || self.reporter.not_run(&self.jobs[all[i].job].scenario).result;
            let trial = judged(ended, not_run);
            let failed = !matches!(trial.end, TrialEnd::Held | TrialEnd::NotReached);
            progress.ended(&name(&all[i]), failed);
            matrix.add(&all[i].injection, &trial, self.reporter.command(&trial.result.replay));
            failed
        };
        let waits = |trial: &TrialJob| {
            trial.injection.kind.waits() || self.jobs[trial.job].scenario.waits()
        };
        let order = spread(&all.iter().map(waits).collect::<Vec<_>>(), self.shared);
        let ended: JobsEnd = execute(order, limits, start, interrupt.wait(), done).await;
        progress.finish();
        let sentences: Vec<&str> = self.invariants.sentences().collect();
        screen.line(sweep::terminal(&matrix, &sentences).trim_end());
        args.reports.write_sweep(&matrix, &sentences, app)?;
        Ok(match () {
            () if ended.interrupted => Exit::Interrupted,
            () if matrix.red().any(|red| red.not_judged.is_some()) => Exit::Environment,
            () if matrix.red().next().is_some() => Exit::Failed,
            // A part of `--shard` that has no scenario.
            () if self.jobs.is_empty() => Exit::Passed,
            () if matrix.trials() == 0 => Exit::Wrong,
            () => Exit::Passed,
        })
    }

    /// Runs every scenario without a failure, and lists what can fail in it; `None` when interrupted.
    ///
    /// # Errors
    /// A scenario does not pass, or a sentence does not hold or cannot be judged when nothing fails.
    async fn list(
        &self,
        matrix: &mut Matrix,
        limits: Limits,
        interrupt: Interrupt,
        app: &App,
    ) -> Result<Option<Vec<TrialJob>>, CommandError> {
        let mut found: Vec<Vec<Injection>> = self.jobs.iter().map(|_| Vec::new()).collect();
        let mut wrong: Vec<(Exit, String)> = Vec::new();
        let start = |i: usize| {
            let job = &self.jobs[i];
            let (runner, scenario) = (job.runner(self.runner), job.scenario.clone());
            let invariants = self.invariants.clone();
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
        let processes = self.runner.backend().external_backend().is_none();
        let done = |i: usize, ended: JobResult<(ScenarioResult, Option<Trial>)>| {
            let name = self.jobs[i].name();
            let (run, trial) = match ended {
                JobResult::Finished(both) => *both,
                JobResult::Panicked(why) => {
                    wrong
                        .push((Exit::Environment, format!("{name}: the emulator panicked: {why}")));
                    return true;
                }
                JobResult::NotStarted => return true,
            };
            match trial {
                Some(trial) if trial.end == TrialEnd::Held => {
                    let journal = &trial.result.journal;
                    let of_steps = journal.get(..trial.of_steps).unwrap_or(journal);
                    let listing = sweep::injections(of_steps, processes);
                    matrix.add_scenario(&listing);
                    found[i] = listing.injections;
                }
                Some(trial) => wrong.extend(told(&name, "when nothing fails", &trial.result)),
                None if run.status == Status::Skipped => {}
                None => wrong.extend(told(&name, "it does not pass", &run)),
            }
            false
        };
        let order = (0..self.jobs.len()).map(|i| (i, Place::Whole));
        if execute(order, limits, start, interrupt.wait(), done).await.interrupted {
            return Ok(None);
        }
        let worst = wrong.iter().map(|(exit, _)| *exit).max_by_key(|exit| exit.number());
        if let Some(exit) = worst {
            let errors = wrong.into_iter().map(|(_, why)| why.into()).collect();
            let scenarios = count(self.jobs.len(), "scenario");
            let help = format!(
                "a sweep needs {scenarios} that pass, and sentences that hold when nothing fails; \
                 `{}` runs them",
                app.command("run")
            );
            return Err(CommandError { exit, errors, help: Some(help) });
        }
        let all = found.into_iter().enumerate().flat_map(|(job, injections)| {
            injections.into_iter().map(move |injection| TrialJob { job, injection })
        });
        Ok(Some(all.collect()))
    }
}

/// What is wrong with a run without a failure, and with which exit code it ends.
fn told<'t>(
    name: &'t str,
    how: &'t str,
    result: &'t ScenarioResult,
) -> impl Iterator<Item = (Exit, String)> + 't {
    let exit = match result.status {
        Status::EnvironmentFailed => Exit::Environment,
        Status::Broken => Exit::Wrong,
        _ => Exit::Failed,
    };
    result.problems.iter().map(move |problem| {
        let notes: Vec<String> = problem.notes.iter().map(|note| format!(": {note}")).collect();
        (exit, format!("{name}: {how}: {}{}", problem.summary, notes.concat()))
    })
}

/// The order in which trials start. Those that wait for real time are spread over the first half of the
/// others, which use the processor meanwhile, and take little of a place where places are `shared`.
fn spread(waits: &[bool], shared: bool) -> Vec<(usize, Place)> {
    let place = |waits| if waits && shared { Place::Eighth } else { Place::Whole };
    let mut order: Vec<(usize, Place)> =
        waits.iter().enumerate().map(|(i, waits)| (i, place(*waits))).collect();
    if shared {
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

/// The trial, also when it ended otherwise than by its end.
fn judged(ended: JobResult<Trial>, not_run: impl Fn() -> ScenarioResult) -> Trial {
    let why = match ended {
        JobResult::Finished(trial) => return *trial,
        JobResult::Panicked(why) => format!("the emulator panicked: {why}"),
        JobResult::NotStarted => "it was not run".into(),
    };
    Trial { end: TrialEnd::NotJudged(why), result: not_run(), of_steps: 0, things: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_spread_over_the_first_half_of_the_others() {
        let waits = vec![false, false, false, false, false, false, true, true];
        let order: Vec<usize> = spread(&waits, true).into_iter().map(|(i, _)| i).collect();
        assert_eq!(order, [0, 6, 1, 2, 7, 3, 4, 5]);
        let alone: Vec<usize> = spread(&waits, false).into_iter().map(|(i, _)| i).collect();
        assert_eq!(alone, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
