//! Runs scenarios, each in a world of its own or one after another in a shared one.

use rehearse_core::errors::panic_message;
use std::{
    any::Any,
    collections::BTreeMap,
    io,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::BoxFuture};
use jiff::tz::TimeZone;
use tokio::sync::Mutex;
use tracing::Instrument;

use super::{
    check::{self, KnownNames},
    external,
    invariants::Invariants,
    model::Scenario,
    outcome::{ScenarioResult, Status, StepLabel, Verdict},
    read::{LoadError, LoadErrors},
    run::{PlayedTrial, Running, StepError, names},
    sweep::{Injection, Trial},
};
use rehearse_core::{clock::Clock, journal::Exchange};
use rehearse_world::{Backend, Bind, World, WorldConfig, WorldError};

/// How scenarios are run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides the order in which the steps of a group begin, and the ids of texts. `None` begins
    /// steps as they are written.
    pub seed: Option<u64>,
    /// Elapsed time after which a scenario is stopped as an environment failure.
    pub limit: Duration,
    /// Further arguments of the command that runs a scenario again, such as `--target URL`.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: None, limit: Duration::from_secs(120), arguments: Vec::new() }
    }
}

/// Runs scenarios against one backend. Clones are cheap and share the backend; each run has a world
/// of its own, unless all share one.
#[derive(Debug, Clone)]
pub struct Runner {
    backend: Backend,
    options: Options,
    shared: Option<Arc<SharedWorld>>,
}

/// The world of all runs.
#[derive(Debug)]
struct SharedWorld {
    world: Arc<World>,
    /// Held by the run that uses the world.
    lock: Mutex<()>,
}

impl Runner {
    /// A runner for a backend.
    pub fn new(backend: Backend, options: Options) -> Self {
        Self { backend, options, shared: None }
    }

    /// The same runner with one world for all runs, which then run one after another: an external backend is
    /// configured with one set of ports. The world stops when the last clone is dropped.
    ///
    /// # Errors
    /// A port is busy, or a part of the world cannot be started.
    pub async fn with_shared_world(mut self, bind: Bind) -> Result<Self, WorldError> {
        let config =
            WorldConfig { bind, ..WorldConfig::new(self.backend.clone(), Clock::running()) };
        let start = async move { World::start(config).await.map(Arc::new) };
        let started = self.backend.threads().run(start).await;
        let world = started.map_err(|error| WorldError::Part {
            part: "threads",
            source: io::Error::other(error),
        })??;
        self.shared = Some(Arc::new(SharedWorld { world, lock: Mutex::default() }));
        Ok(self)
    }

    /// The same runner with another seed (`--repeat`).
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// The world that all runs share; `None` if each has its own.
    pub fn world(&self) -> Option<&Arc<World>> {
        self.shared.as_ref().map(|shared| &shared.world)
    }

    /// The backend.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// What is wrong with scenarios for this backend: unknown tables, people, fixtures, names.
    pub fn check(&self, scenarios: &[Scenario]) -> Vec<LoadError> {
        let known = KnownNames::of(&self.backend);
        let mut errors: Vec<LoadError> = check::fixtures(scenarios, &self.backend);
        errors.extend(check::defaults(&self.backend, &known));
        let mut seen = std::collections::HashSet::new();
        for scenario in scenarios {
            // The entries of an `each` share their file.
            if seen.insert(scenario.path()) {
                let mut wrong = check::for_backend(scenario.file(), &known);
                wrong.extend(check::rows(scenario, &self.backend));
                errors.extend(wrong.into_iter().map(LoadError::File));
            }
        }
        errors
    }

    /// Runs a scenario on the least busy of the backend's threads. Never fails: a panic inside is an
    /// environment failure of the result.
    pub async fn run(&self, scenario: &Scenario) -> ScenarioResult {
        let began = Instant::now();
        let (runner, on_thread) = (self.clone(), scenario.clone());
        let span = tracing::info_span!("scenario", name = scenario.name());
        let run = async move { runner.run_orders(&on_thread).await };
        let ended = self.on_thread(run.instrument(span)).await;
        let ended = ended.unwrap_or_else(Execution::new);
        let replay = self.replay(scenario, ended.seed);
        ended.result(scenario, began, replay)
    }

    /// Runs a scenario with one call failing, or with none, and judges it by invariants. Never fails: what
    /// goes wrong inside is part of the result.
    pub async fn trial(
        &self,
        scenario: &Scenario,
        invariants: &Arc<Invariants>,
        injection: Option<Injection>,
    ) -> Trial {
        let began = Instant::now();
        let mut replay = self.replay(scenario, self.options.seed);
        replay = match &injection {
            Some(injection) => format!("{replay} --inject {injection}"),
            None => format!("{replay} --always"),
        };
        let (runner, on_thread) = (self.clone(), scenario.clone());
        let invariants = Arc::clone(invariants);
        let span = tracing::info_span!("trial", name = scenario.name());
        let trial = async move { runner.trial_once(&on_thread, invariants, injection).await };
        let ended = self.on_thread(trial.instrument(span)).await;
        let (played, execution) = ended
            .unwrap_or_else(|verdict| (PlayedTrial::ended_by(&verdict), Execution::new(verdict)));
        let PlayedTrial { end, of_steps, things } = played;
        Trial { end, of_steps, things, result: execution.result(scenario, began, replay) }
    }

    async fn trial_once(
        &self,
        scenario: &Scenario,
        invariants: Arc<Invariants>,
        injection: Option<Injection>,
    ) -> (PlayedTrial, Execution) {
        // The first of the orders in which its groups run, where it has several.
        let seed = self.options.seed.or(scenario.orders().map(|_| 0));
        let environment = invariants.environment().clone();
        let in_world = self.in_world(scenario, seed, &environment, |running| {
            async move {
                let start = running.rows_of(&invariants).await?;
                let armed = injection.map(|one| running.inject(&one, invariants.slow()));
                running.trial(&invariants, armed, start).await
            }
            .boxed()
        });
        let (played, execution) = in_world.await;
        let verdict = match played.map_err(Err).and_then(|played| played.map_err(Ok)) {
            Ok(played) => {
                let (status, problems) = (played.end.status(), played.end.problems());
                let verdict = Verdict { status, step: None, problems };
                return (played, Execution { verdict, ..execution });
            }
            Err(Ok(error)) => before_steps(error),
            Err(Err(verdict)) => verdict,
        };
        (PlayedTrial::ended_by(&verdict), Execution { verdict, ..execution })
    }

    /// Runs on the least busy of the backend's threads. What does not come to its end there is an
    /// environment failure.
    async fn on_thread<T: Send + 'static>(
        &self,
        run: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Verdict> {
        let run = AssertUnwindSafe(Box::pin(run)).catch_unwind();
        match self.backend.threads().run(run).await {
            Ok(Ok(ended)) => Ok(ended),
            Ok(Err(panic)) => Err(panicked(panic.as_ref())),
            Err(error) => {
                Err(Verdict::environment_failed(format!("the scenario was not run: {error}")))
            }
        }
    }

    /// Runs it once, or once for each of its `schedules` until one fails. Each seed is one order.
    async fn run_orders(&self, scenario: &Scenario) -> Execution {
        let orders = scenario.orders().filter(|_| self.options.seed.is_none());
        let Some(orders) = orders else {
            return self.run_with_seed(scenario, self.options.seed).await;
        };
        let mut ended = self.run_with_seed(scenario, Some(0)).await;
        for seed in 1..orders {
            if ended.verdict.status != Status::Passed {
                break;
            }
            ended = self.run_with_seed(scenario, Some(seed)).await;
        }
        ended
    }

    async fn run_with_seed(&self, scenario: &Scenario, seed: Option<u64>) -> Execution {
        Execution { seed, ..self.run_once(scenario, seed).await }
    }

    async fn run_once(&self, scenario: &Scenario, seed: Option<u64>) -> Execution {
        let none = BTreeMap::new();
        let in_world = self.in_world(scenario, seed, &none, |running| running.steps().boxed());
        let (verdict, execution) = in_world.await;
        Execution { verdict: verdict.unwrap_or_else(|verdict| verdict), ..execution }
    }

    /// Starts the scenario's world, or waits for the shared one, and plays in it. Returns what came of
    /// that, or the verdict on what ended it before, and the execution without its verdict. Functions get
    /// the variables of `environment` unless the scenario gives them others.
    async fn in_world<T>(
        &self,
        scenario: &Scenario,
        seed: Option<u64>,
        environment: &BTreeMap<String, String>,
        play: impl for<'r> FnOnce(&'r mut Running<'_>) -> BoxFuture<'r, T> + Send,
    ) -> (Result<T, Verdict>, Execution) {
        let mut execution = Execution::new(Verdict::passed());
        if self.backend.external_backend().is_some()
            && let Some(problem) =
                external::unsupported(scenario, &self.backend.settings().defaults)
        {
            return (Err(Verdict::skipped(problem)), execution);
        }
        let shared = self.shared.as_deref();
        let _lock = match shared {
            Some(shared) => Some(shared.lock.lock().await),
            None => None,
        };
        let world = shared.map(|shared| Arc::clone(&shared.world));
        let names = match names(scenario, self.backend.settings(), world.as_deref()) {
            Ok(names) => names,
            Err(error) => return (Err(before_steps(error)), execution),
        };
        (execution.people, execution.zone) = (names.people.by_number(), names.zone.clone());
        let started = Running::start(scenario, &self.backend, world, names, seed, environment);
        let mut running = match Box::pin(started).await {
            Ok(running) => running,
            Err(error) => return (Err(before_steps(error)), execution),
        };
        let played = AssertUnwindSafe(play(&mut running)).catch_unwind();
        let played = match tokio::time::timeout(self.options.limit, played).await {
            Ok(Ok(played)) => Ok(played),
            Ok(Err(panic)) => Err(panicked(panic.as_ref())),
            Err(_) => Err(Verdict::environment_failed(format!(
                "the scenario was still running after {:?}",
                self.options.limit
            ))),
        };
        execution.journal = running.into_journal();
        (emulator_failure(&execution.journal).map_or(played, Err), execution)
    }

    /// The command that runs a scenario again, quoted for a shell.
    fn replay(&self, scenario: &Scenario, seed: Option<u64>) -> String {
        let mut words =
            vec!["rehearse".into(), "run".into(), scenario.path().display().to_string()];
        if scenario.each().is_some() {
            words.extend(["--name".into(), scenario.full_name()]);
        }
        if let Some(seed) = seed {
            words.extend(["--seed".into(), seed.to_string()]);
        }
        words.extend(self.options.arguments.iter().cloned());
        shell_words::join(words)
    }
}

impl Scenario {
    /// Checks the scenario against a backend and runs it in a world of its own.
    ///
    /// It may take as long as [`Options::limit`] says by default; a [`Runner`] takes other options.
    ///
    /// # Errors
    /// The scenario names people, tables, fixtures or functions that the backend does not have, or
    /// gives rows that do not fit their tables. What goes wrong later is in the result.
    pub async fn run(&self, backend: &Backend) -> Result<ScenarioResult, LoadErrors> {
        let runner = Runner::new(backend.clone(), Options::default());
        let errors = runner.check(std::slice::from_ref(self));
        if errors.is_empty() { Ok(runner.run(self).await) } else { Err(LoadErrors(errors)) }
    }
}

struct Execution {
    verdict: Verdict,
    journal: Vec<Exchange>,
    people: BTreeMap<String, String>,
    zone: TimeZone,
    /// The seed it ran with.
    seed: Option<u64>,
}

impl Execution {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            journal: Vec::new(),
            people: Default::default(),
            zone: TimeZone::UTC,
            seed: None,
        }
    }

    fn result(self, scenario: &Scenario, began: Instant, replay: String) -> ScenarioResult {
        ScenarioResult {
            status: self.verdict.status,
            step: self.verdict.step,
            problems: self.verdict.problems,
            took: began.elapsed(),
            journal: self.journal,
            people: self.people,
            zone: self.zone,
            replay,
            ..ScenarioResult::not_run(scenario)
        }
    }
}

/// The verdict on an error before the first step.
fn before_steps(error: StepError) -> Verdict {
    Verdict::of_step(error, StepLabel { number: "0".into(), title: "given".into() })
}

/// The verdict on a scenario during which the emulator itself failed: whatever else is wrong may
/// follow from that and says nothing about the backend.
fn emulator_failure(journal: &[Exchange]) -> Option<Verdict> {
    journal.iter().find_map(|exchange| {
        let reason = exchange.outcome.as_ref()?.as_emulator_failure()?;
        let message = format!("the emulator failed in {}: {reason}", exchange.name);
        Some(Verdict::environment_failed(message))
    })
}

fn panicked(panic: &(dyn Any + Send)) -> Verdict {
    Verdict::environment_failed(format!("the emulator panicked: {}", panic_message(panic)))
}

#[cfg(test)]
mod tests {
    use rehearse_core::{
        clock::Clock,
        journal::{ExchangeDetail, Journal, Outcome},
    };

    use super::*;

    #[test]
    fn a_failure_of_the_emulator_is_the_environments_and_a_cut_is_not() {
        let journal = Journal::new(Clock::running());
        let log =
            || ExchangeDetail::Log { function: "F".into(), request_id: None, line: String::new() };
        journal.begin("dynamodb.Query", log()).end(Outcome::cut());
        assert!(emulator_failure(&journal.since(0)).is_none());
        journal.begin("dynamodb.PutItem", log()).end(Outcome::emulator_failure("no copy"));
        let verdict = emulator_failure(&journal.since(0)).unwrap();
        assert_eq!(verdict.status, Status::EnvironmentFailed);
        let summary = "the emulator failed in dynamodb.PutItem: no copy";
        assert_eq!(verdict.problems[0].summary, summary);
    }

    #[test]
    fn running_can_be_spawned() {
        fn is_send(_: impl Send) {}
        let _ = |runner: &Runner, scenario: &Scenario| is_send(runner.run(scenario));
    }
}
