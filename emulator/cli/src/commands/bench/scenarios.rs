//! How fast scenarios and their turns are.

use std::time::{Duration, Instant};

use crate::execute::{Limits, default_jobs, execute, passed, whole};
use rehearse_core::journal::{Exchange, ExchangeDetail};
use rehearse_scenario::{Runner, Scenario};

/// All scenarios, several times.
pub(crate) struct Batch {
    pub(crate) count: usize,
    pub(crate) failed: usize,
    pub(crate) took: Duration,
    times: usize,
}

impl Batch {
    /// How long all scenarios take once.
    pub(crate) fn once(&self) -> Duration {
        self.took.div_f64(self.times.max(1) as f64)
    }
}

/// Runs all scenarios so many times on all cores.
pub(crate) async fn in_parallel(runner: &Runner, all: &[Scenario], times: usize) -> Batch {
    let started = Instant::now();
    let count = all.len() * times;
    let mut failed = 0;
    let start = |i: usize| {
        let (runner, scenario) = (runner.clone(), all[i % all.len()].clone());
        async move { runner.run(&scenario).await }
    };
    let done = |_, ended| {
        failed += usize::from(!passed(&ended));
        false
    };
    let limits = Limits { at_once: default_jobs().get(), fail_fast: false };
    execute(whole(0..count), limits, start, std::future::pending(), done).await;
    Batch { count, failed, took: started.elapsed(), times }
}

/// How long turns with one tool call take, each scenario alone, sorted.
pub(crate) async fn one_tool_turns(runner: &Runner, all: &[Scenario]) -> Vec<Duration> {
    let mut took = Vec::new();
    for scenario in all {
        let journal = runner.run(scenario).await.journal;
        took.extend(journal.iter().filter_map(|exchange| one_tool_turn(exchange, &journal)));
    }
    took.sort();
    took
}

/// How long a webhook took that was answered after exactly two good rounds of
/// the model, while nothing else went on.
fn one_tool_turn(webhook: &Exchange, journal: &[Exchange]) -> Option<Duration> {
    if webhook.name != "webhook.sms" {
        return None;
    }
    let during = webhook.started_us..=webhook.started_us + webhook.took_us?;
    let meanwhile = || journal.iter().filter(|exchange| during.contains(&exchange.started_us));
    let alone = meanwhile().filter(|exchange| exchange.name == webhook.name).count() == 1;
    let rounds: Vec<&Exchange> = meanwhile()
        .filter(|exchange| matches!(exchange.detail, ExchangeDetail::Model { .. }))
        .collect();
    let good =
        |exchange: &&Exchange| exchange.outcome.as_ref().is_some_and(|o| o.status == Some(200));
    (alone && rounds.len() == 2 && rounds.iter().all(good))
        .then(|| webhook.took_us.map(Duration::from_micros))
        .flatten()
}
