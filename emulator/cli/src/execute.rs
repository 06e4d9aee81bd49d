//! Runs many scenarios at once, and collects how each ended.

use rehearse_core::errors::panic_message;
use std::{
    collections::{BTreeSet, HashMap},
    num::NonZeroUsize,
};

use tokio::task::{Id, JoinSet};

use rehearse_scenario::Report;

/// How one job ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It ran to its end.
    Ran(Box<Report>),
    /// It panicked.
    Panicked(String),
    /// It was not started.
    NotBegun,
}

/// How many jobs run at once, and whether a failure stops the start of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) at_once: usize,
    /// Start none after the first failure; running ones finish.
    pub(crate) fail_fast: bool,
}

/// How all of them ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether `stop` came before the end.
    pub(crate) interrupted: bool,
    /// Jobs that were under way then.
    pub(crate) under_way: BTreeSet<usize>,
}

/// Runs jobs `0..count` until `stop` resolves. `done` is called with each that ended, and returns
/// whether it failed.
pub(crate) async fn execute<Job>(
    count: usize,
    limits: Limits,
    start: impl Fn(usize) -> Job,
    stop: impl Future<Output = ()>,
    mut done: impl FnMut(usize, Ended) -> bool,
) -> Outcome
where
    Job: Future<Output = Report> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    let mut under_way: HashMap<Id, usize> = HashMap::new();
    let mut waiting = 0..count;
    let mut stop = std::pin::pin!(stop);
    loop {
        while tasks.len() < limits.at_once {
            let Some(i) = waiting.next() else { break };
            under_way.insert(tasks.spawn(start(i)).id(), i);
        }
        let joined = tokio::select! {
            biased;
            () = &mut stop => {
                tasks.shutdown().await;
                let under_way = under_way.into_values().collect();
                return Outcome { interrupted: true, under_way };
            }
            joined = tasks.join_next_with_id() => joined,
        };
        let Some(joined) = joined else { return Outcome::default() };
        let (id, ended) = match joined {
            Ok((id, report)) => (id, Ended::Ran(Box::new(report))),
            Err(error) => (error.id(), Ended::Panicked(panic_text(error))),
        };
        let Some(i) = under_way.remove(&id) else { continue };
        if done(i, ended) && limits.fail_fast {
            waiting = count..count;
        }
    }
}

/// Four times the number of cores, because scenarios mostly wait for deadlines and scripted delays.
pub(crate) fn default_jobs() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(cores * 4).unwrap_or(NonZeroUsize::MIN)
}

/// The scenario's report, if it ran to its end.
pub(crate) fn result(ended: &Ended) -> Option<&Report> {
    match ended {
        Ended::Ran(report) => Some(report),
        Ended::Panicked(_) | Ended::NotBegun => None,
    }
}

/// Whether a scenario ran and passed.
pub(crate) fn passed(ended: &Ended) -> bool {
    matches!(ended, Ended::Ran(report) if report.passed())
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "it was cancelled".into() };
    panic_message(panic.as_ref())
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::sync::{Notify, Semaphore};

    use super::*;
    use rehearse_scenario as scenario;

    fn report(passed: bool) -> Report {
        let status = if passed {
            scenario::Status::Passed
        } else {
            scenario::Status::EnvironmentFailed("no".into())
        };
        Report {
            name: "a".into(),
            path: "a.yaml".into(),
            tags: Vec::new(),
            each: None,
            status,
            took: Duration::ZERO,
            journal: Vec::new(),
            people: Default::default(),
            zone: jiff::tz::TimeZone::UTC,
            replay: String::new(),
        }
    }

    fn limits(at_once: usize, fail_fast: bool) -> Limits {
        Limits { at_once, fail_fast }
    }

    #[tokio::test]
    async fn no_more_than_allowed_run_at_once_and_all_run() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let start = |_| {
            let (now, most) = (now.clone(), most.clone());
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                report(true)
            }
        };
        let mut seen = BTreeSet::new();
        let done = |i, _| {
            seen.insert(i);
            false
        };
        execute(20, limits(3, false), start, std::future::pending(), done).await;
        assert_eq!(seen.len(), 20);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn after_a_failure_none_is_begun() {
        let mut ended = 0;
        let done = |_, ended_as: Ended| {
            ended += 1;
            matches!(ended_as, Ended::Ran(report) if !report.passed())
        };
        let start = |i| async move { report(i != 1) };
        execute(10, limits(1, true), start, std::future::pending(), done).await;
        assert_eq!(ended, 2);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_the_others_go_on() {
        let mut told = Vec::new();
        let start = |i| async move {
            assert!(i != 0, "boom");
            report(true)
        };
        let done = |i, ended| {
            if let Ended::Panicked(text) = ended {
                told.push((i, text));
            }
            false
        };
        execute(2, limits(1, false), start, std::future::pending(), done).await;
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
                report(true)
            }
        };
        let mut ended = Vec::new();
        let done = |i, _| {
            ended.push(i);
            false
        };
        let outcome = execute(5, limits(1, false), start, stop.notified(), done).await;
        assert!(outcome.interrupted);
        assert_eq!(outcome.under_way, BTreeSet::from([1]));
        assert_eq!(ended, [0]);
    }
}
