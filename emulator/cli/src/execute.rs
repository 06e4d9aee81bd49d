//! Runs many scenarios, or trials of them, at once, and collects how each ended.

use rehearse_core::errors::panic_message;
use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
};

use tokio::task::{Id, JoinSet};

use rehearse_scenario::ScenarioResult;

/// How one job ended.
#[derive(Debug)]
pub(crate) enum JobResult<T = ScenarioResult> {
    /// It came to its end.
    Finished(Box<T>),
    /// It panicked.
    Panicked(String),
    /// It was not begun.
    NotStarted,
}

/// How much of a place a job takes while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// All of it.
    Whole,
    /// A quarter: it leaves the processor to others for most of its time.
    Quarter,
    /// An eighth: it does nothing but wait for most of its time.
    Eighth,
}

impl Place {
    const fn eighths(self) -> usize {
        match self {
            Self::Whole => 8,
            Self::Quarter => 2,
            Self::Eighth => 1,
        }
    }
}

/// Jobs that each take a whole place.
pub(crate) fn whole(jobs: impl IntoIterator<Item = usize>) -> impl Iterator<Item = (usize, Place)> {
    jobs.into_iter().map(|i| (i, Place::Whole))
}

/// How many jobs run at once, and whether a failure stops the start of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Places for jobs.
    pub(crate) at_once: usize,
    /// Start none after the first failure; running ones finish.
    pub(crate) fail_fast: bool,
}

/// How all of them ended.
#[derive(Debug, Default)]
pub(crate) struct JobsEnd {
    /// Whether `stop` came before the end.
    pub(crate) interrupted: bool,
    /// Jobs that were under way then.
    pub(crate) under_way: BTreeSet<usize>,
}

/// Runs jobs, started in the order of `jobs` as soon as there is a place for the next; calls `done` with each result, which returns whether
/// the job failed.
pub(crate) async fn execute<Job, T>(
    jobs: impl IntoIterator<Item = (usize, Place)>,
    limits: Limits,
    start: impl Fn(usize) -> Job,
    stop: impl Future<Output = ()>,
    mut done: impl FnMut(usize, JobResult<T>) -> bool,
) -> JobsEnd
where
    Job: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut under_way: HashMap<Id, (usize, Place)> = HashMap::new();
    let mut waiting = jobs.into_iter().peekable();
    let mut free = limits.at_once.saturating_mul(Place::Whole.eighths());
    let mut starting = true;
    let mut stop = std::pin::pin!(stop);
    loop {
        while starting
            && let Some((i, place)) = waiting.next_if(|(_, place)| place.eighths() <= free)
        {
            free -= place.eighths();
            under_way.insert(tasks.spawn(start(i)).id(), (i, place));
        }
        let joined = tokio::select! {
            biased;
            () = &mut stop => {
                tasks.shutdown().await;
                let under_way = under_way.into_values().map(|(i, _)| i).collect();
                return JobsEnd { interrupted: true, under_way };
            }
            joined = tasks.join_next_with_id() => joined,
        };
        let Some(joined) = joined else { return JobsEnd::default() };
        let (id, ended) = match joined {
            Ok((id, report)) => (id, JobResult::Finished(Box::new(report))),
            Err(error) => (error.id(), JobResult::Panicked(panic_text(error))),
        };
        let Some((i, place)) = under_way.remove(&id) else { continue };
        free += place.eighths();
        if done(i, ended) && limits.fail_fast {
            starting = false;
        }
    }
}

/// Four times the number of cores, because scenarios mostly wait for deadlines and scripted delays.
pub(crate) fn default_jobs() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores * 4).unwrap_or(NonZeroUsize::MIN)
}

/// The scenario's report, if it ran to its end.
pub(crate) fn result(ended: &JobResult) -> Option<&ScenarioResult> {
    match ended {
        JobResult::Finished(report) => Some(report),
        JobResult::Panicked(_) | JobResult::NotStarted => None,
    }
}

/// Whether a scenario ran and passed.
pub(crate) fn passed(ended: &JobResult) -> bool {
    matches!(ended, JobResult::Finished(report) if report.passed())
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "it was cancelled".into() };
    panic_message(panic.as_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::sync::{Notify, Semaphore};

    use super::*;
    use rehearse_scenario as scenario;

    fn result(passed: bool) -> ScenarioResult {
        let scenario::report::ScenarioReport { mut result, .. } =
            scenario::report::samples::run().scenarios.swap_remove(0);
        if !passed {
            result.status = scenario::Status::EnvironmentFailed;
        }
        result
    }

    fn limits(at_once: usize, fail_fast: bool) -> Limits {
        Limits { at_once, fail_fast }
    }

    /// Runs jobs; returns how many ran at once at most, and which ended.
    async fn run(
        at_once: usize,
        jobs: impl IntoIterator<Item = (usize, Place)>,
    ) -> (usize, BTreeSet<usize>) {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let start = |_| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                result(true)
            }
        };
        let mut seen = BTreeSet::new();
        let done = |i, _| {
            seen.insert(i);
            false
        };
        execute(jobs, limits(at_once, false), start, std::future::pending(), done).await;
        (most.load(Ordering::SeqCst), seen)
    }

    #[tokio::test]
    async fn no_more_than_allowed_run_at_once_and_all_run() {
        let (most, seen) = run(3, whole(0..20)).await;
        assert_eq!((most, seen.len()), (3, 20));
    }

    #[tokio::test]
    async fn four_that_mostly_wait_share_a_place() {
        let quarters = |count| (0..count).map(|i| (i, Place::Quarter));
        assert_eq!(run(2, quarters(9)).await.0, 8);
        assert_eq!(run(2, quarters(4).chain(whole(4..9))).await.0, 5);
        assert_eq!(run(2, quarters(1).chain(whole(1..9))).await.0, 2, "no whole place is left");
    }

    #[tokio::test]
    async fn jobs_start_in_the_order_that_is_given() {
        let mut seen = Vec::new();
        let done = |i, _| {
            seen.push(i);
            false
        };
        let start = |_| async { result(true) };
        execute(whole([2, 0, 1]), limits(1, false), start, std::future::pending(), done).await;
        assert_eq!(seen, [2, 0, 1]);
    }

    #[tokio::test]
    async fn after_a_failure_none_is_begun() {
        let mut ended = 0;
        let done = |_, ended_as: JobResult| {
            ended += 1;
            matches!(ended_as, JobResult::Finished(report) if !report.passed())
        };
        let start = |i| async move { result(i != 1) };
        execute(whole(0..10), limits(1, true), start, std::future::pending(), done).await;
        assert_eq!(ended, 2);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_others_go_on() {
        let mut told = Vec::new();
        let start = |i| async move {
            assert!(i != 0, "boom");
            result(true)
        };
        let done = |i, ended| {
            if let JobResult::Panicked(text) = ended {
                told.push((i, text));
            }
            false
        };
        execute(whole(0..2), limits(1, false), start, std::future::pending(), done).await;
        assert_eq!(told, [(0, "boom".to_owned())]);
    }

    #[tokio::test]
    async fn an_interruption_stops_what_runs_and_names_it() {
        let stop = Arc::new(Notify::new());
        let gate = Arc::new(Semaphore::new(0));
        let start = |i| {
            let (stop, gate) = (stop.clone(), gate.clone());
            async move {
                if i == 1 {
                    stop.notify_one();
                    let _ = gate.acquire().await;
                }
                result(true)
            }
        };
        let mut ended = Vec::new();
        let done = |i, _| {
            ended.push(i);
            false
        };
        let end = execute(whole(0..5), limits(1, false), start, stop.notified(), done).await;
        assert!(end.interrupted);
        assert_eq!(end.under_way, BTreeSet::from([1]));
        assert_eq!(ended, [0]);
    }
}
