//! Runs scenarios, each in a world of its own or one after another in a shared one.

use rehearse_core::errors::panic_message;
use std::{
    any::Any,
    io,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt;
use jiff::tz::TimeZone;
use tokio::sync::Mutex;
use tracing::Instrument;

use super::{
    check::{self, KnownNames},
    external,
    invariants::Invariants,
    model::Scenario,
    outcome::{Problem, ScenarioResult, Status, StepLabel, Verdict},
    read::{LoadError, LoadErrors},
    run::{Running, StepError, names},
    sweep::{Injection, Trial, TrialEnd},
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
        let work = self.backend.threads().run(async move {
            let run = Box::pin(runner.run_orders(&on_thread)).instrument(span);
            let run = AssertUnwindSafe(run).catch_unwind();
            run.await.unwrap_or_else(|panic| Execution::new(panicked(panic.as_ref())))
        });
        let ended = work.await.unwrap_or_else(|error| {
            Execution::new(Verdict::environment_failed(format!(
                "the scenario was not run: {error}"
            )))
        });
        ScenarioResult {
            status: ended.verdict.status,
            step: ended.verdict.step,
            problems: ended.verdict.problems,
            took: began.elapsed(),
            journal: ended.journal,
            people: ended.people,
            zone: ended.zone,
            replay: self.replay(scenario, ended.seed),
            ..ScenarioResult::not_run(scenario)
        }
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
        // The first of the orders in which its groups run, where it has several.
        let seed = self.options.seed.or(scenario.orders().map(|_| 0));
        let mut replay = self.replay(scenario, self.options.seed);
        if let Some(injection) = &injection {
            replay = format!("{replay} --inject {injection}");
        }
        let (runner, on_thread) = (self.clone(), scenario.clone());
        let invariants = Arc::clone(invariants);
        let span = tracing::info_span!("trial", name = scenario.name());
        let work = self.backend.threads().run(async move {
            let run = runner.trial_once(&on_thread, &invariants, injection.as_ref(), seed);
            let run = AssertUnwindSafe(Box::pin(run).instrument(span)).catch_unwind();
            run.await.unwrap_or_else(|panic| {
                let why = format!("the emulator panicked: {}", panic_message(panic.as_ref()));
                (TrialEnd::NotJudged(why), 0, Execution::new(Verdict::passed()))
            })
        });
        let (end, of_steps, ended) = work.await.unwrap_or_else(|error| {
            let why = format!("it was not run: {error}");
            (TrialEnd::NotJudged(why), 0, Execution::new(Verdict::passed()))
        });
        let result = ScenarioResult {
            status: end.status(),
            problems: end.problems(),
            took: began.elapsed(),
            journal: ended.journal,
            people: ended.people,
            zone: ended.zone,
            replay,
            ..ScenarioResult::not_run(scenario)
        };
        Trial { end, result, of_steps }
    }

    async fn trial_once(
        &self,
        scenario: &Scenario,
        invariants: &Invariants,
        injection: Option<&Injection>,
        seed: Option<u64>,
    ) -> (TrialEnd, usize, Execution) {
        let mut execution = Execution::new(Verdict::passed());
        let shared = self.shared.as_deref();
        let _lock = match shared {
            Some(shared) => Some(shared.lock.lock().await),
            None => None,
        };
        let world = shared.map(|shared| Arc::clone(&shared.world));
        let work = async {
            let names = names(scenario, self.backend.settings(), world.as_deref())?;
            (execution.people, execution.zone) = (names.people.by_number(), names.zone.clone());
            let environment = invariants.environment();
            let started = Running::start(scenario, &self.backend, world, names, seed, environment);
            let mut running = Box::pin(started).await?;
            let start = running.rows_of(invariants).await?;
            let armed = injection.map(|injection| running.inject(injection, invariants.slow()));
            let trial = Box::pin(running.trial(invariants, armed, start));
            let ended = tokio::time::timeout(self.options.limit, trial).await;
            execution.journal = running.into_journal();
            ended.unwrap_or_else(|_| {
                let limit = self.options.limit;
                Err(StepError::Environment(format!("it was still running after {limit:?}")))
            })
        };
        let ended = Box::pin(work).await;
        let failed = |problems: Vec<Problem>| {
            TrialEnd::NotJudged(problems.into_iter().next().map_or_else(String::new, |p| p.summary))
        };
        let (end, of_steps) = match (emulator_failure(&execution.journal), ended) {
            (Some(verdict), _) => (failed(verdict.problems), 0),
            (None, Ok((end, of_steps))) => (end, of_steps),
            (None, Err(StepError::Environment(why))) => (TrialEnd::NotJudged(why), 0),
            (None, Err(StepError::Broken(problem))) => (failed(vec![*problem]), 0),
            (None, Err(StepError::Failed(problems))) => (failed(problems), 0),
        };
        (end, of_steps, execution)
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
        if self.backend.external_backend().is_some()
            && let Some(problem) = external::unsupported(scenario)
        {
            return Execution::new(Verdict::skipped(problem));
        }
        let shared = self.shared.as_deref();
        let _lock = match shared {
            Some(shared) => Some(shared.lock.lock().await),
            None => None,
        };
        let world = shared.map(|shared| Arc::clone(&shared.world));
        let names = match names(scenario, self.backend.settings(), world.as_deref()) {
            Ok(names) => names,
            Err(error) => return Execution::new(before_steps(error)),
        };
        let (people, zone) = (names.people.by_number(), names.zone.clone());
        let none = std::collections::BTreeMap::new();
        let started = Running::start(scenario, &self.backend, world, names, seed, &none);
        let mut running = match Box::pin(started).await {
            Ok(running) => running,
            Err(error) => {
                return Execution { people, zone, ..Execution::new(before_steps(error)) };
            }
        };
        let steps = AssertUnwindSafe(Box::pin(running.steps())).catch_unwind();
        let verdict = match tokio::time::timeout(self.options.limit, steps).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(panic)) => panicked(panic.as_ref()),
            Err(_) => Verdict::environment_failed(format!(
                "the scenario was still running after {:?}",
                self.options.limit
            )),
        };
        let journal = running.into_journal();
        let verdict = emulator_failure(&journal).unwrap_or(verdict);
        Execution { journal, people, zone, ..Execution::new(verdict) }
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
    people: std::collections::BTreeMap<String, String>,
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
