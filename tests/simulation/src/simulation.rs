//! Plays schedules, each from its seed to what everybody was told.

use std::{
    collections::BTreeMap,
    ops::Range,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use memory_ports::{PlantedRace, TestTimer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use crate::{
    actor::Actor,
    chance::{Call, Chance, Rates},
    check,
    events::{Event, Violation},
    executor::{self, NewTask, Spawner},
    plan::{self, Id, Size},
    shop::Shop,
    tables::{DatabaseKind, Tables},
};

/// What is played, but for the seed.
#[derive(Debug, Clone, Default)]
pub struct Simulation {
    /// How many ask for how much.
    pub size: Size,
    /// What goes wrong how often.
    pub rates: Rates,
    /// Only these operations of the plan; all when empty.
    pub only: Vec<Id>,
    /// A race that is planted into the tables in memory.
    pub race: Option<PlantedRace>,
    /// On which database.
    pub database: DatabaseKind,
}

/// What came of a schedule.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What must not be, if it was.
    pub violation: Option<Violation>,
    /// The calls of ports, in order.
    pub calls: Vec<Call>,
    /// What an attempt called last before it crashed, by its operation.
    pub crashes: BTreeMap<Id, &'static str>,
    /// How many requests to the database arrived when nobody waited for their answer: their client had sent
    /// them again or given up, or crashed.
    pub late_requests: usize,
    /// SHA-256 over everything that happened, in hexadecimal digits.
    pub hash: String,
}

impl Outcome {
    /// That nothing could be played.
    fn of_no_database(error: String) -> Self {
        let violation = Some(Violation::NoDatabase(error));
        let (events, calls, crashes) = Default::default();
        Self { events, violation, calls, crashes, late_requests: 0, hash: String::new() }
    }
}

/// What came of many schedules.
#[derive(Debug)]
pub struct Played {
    /// How many were played.
    pub schedules: u64,
    /// How many calls of ports they had.
    pub calls: u64,
    /// The seed and outcome of the first violation.
    pub violation: Option<(u64, Outcome)>,
}

impl Simulation {
    /// Plays the schedule that a seed chooses. The same seed gives the same outcome.
    pub fn play(&self, seed: u64) -> Outcome {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut actors = plan::plan(&mut random, self.size);
        if !self.only.is_empty() {
            actors.iter_mut().for_each(|own| own.retain(|each| self.only.contains(&each.id)));
        }
        let timer = Arc::new(TestTimer::default());
        let spawner = Spawner::default();
        let running = spawner.running.clone();
        let chance = Arc::new(Chance::new(random.random(), self.rates, timer.clone(), running));
        // The SDK draws its delays from here.
        fastrand::seed(seed);
        let tables = match Tables::open(self.database, self.race, &timer, &chance) {
            Ok(tables) => tables,
            Err(error) => return Outcome::of_no_database(error),
        };
        let shop = Rc::new(Shop::open(&mut random, tables, &timer, &chance));

        for operations in actors {
            let random = ChaCha8Rng::seed_from_u64(random.random());
            let actor =
                Actor { shop: shop.clone(), spawner: spawner.clone(), rates: self.rates, random };
            spawner.spawn(NewTask {
                of: 0,
                start_ms: 0,
                crash_after: None,
                work: Box::pin(actor.ask_all(operations)),
                crashed: Box::new(|| {}),
            });
        }
        let ended = executor::run(&spawner, &timer, &mut random);

        shop.tables.settle();
        let events = shop.log.events.borrow().clone();
        let calls = chance.calls();
        let fates: Vec<_> = calls.iter().map(|call| (call.name, call.fate)).collect();
        let hash = Sha256::digest(format!("{events:?} {fates:?}").as_bytes());
        let violation =
            ended.err().map(|_| Violation::NeverEnds).or_else(|| check::violation(&shop, &events));
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let crashes = shop.log.crashes.borrow().clone();
        let late_requests = shop.tables.late_requests();
        Outcome { events, violation, calls, crashes, late_requests, hash }
    }

    /// The same with as few operations as still lead to a violation with this seed.
    #[must_use]
    pub fn shrink(&self, seed: u64) -> Self {
        // Those that are never asked count as well: what their actor draws from the seed does.
        let planned = plan::plan(&mut ChaCha8Rng::seed_from_u64(seed), self.size);
        let planned = planned.iter().flatten().map(|operation| operation.id);
        let is_played = |id: &Id| self.only.is_empty() || self.only.contains(id);
        let mut smallest = Self { only: planned.filter(is_played).collect(), ..self.clone() };
        let mut place = 0;
        while smallest.only.len() > 1 && place < smallest.only.len() {
            let mut fewer = smallest.clone();
            fewer.only.remove(place);
            if fewer.play(seed).violation.is_some() {
                smallest = fewer;
            } else {
                place += 1;
            }
        }
        smallest
    }

    /// The first schedule of some seeds that violates something while only one kind of thing goes wrong or
    /// none does, shortened; of the others the first, when there is no such schedule.
    pub fn simplest(&self, seeds: Range<u64>, threads: usize) -> Option<(u64, Self)> {
        let quieter = |rates: Rates| Self { rates, ..self.clone() };
        let of_one_kind = Rates::NAMES.map(|only| {
            let others = Rates::NAMES.into_iter().filter(|name| *name != only);
            quieter(others.fold(self.rates, |rates, name| rates.without(name)))
        });
        let all = [quieter(Rates::NONE)].into_iter().chain(of_one_kind).chain([self.clone()]);
        all.into_iter().find_map(|simulation| {
            let (seed, _) = simulation.search(seeds.clone(), threads, None).violation?;
            Some((seed, simulation.shrink(seed)))
        })
    }

    /// Plays the schedules of some seeds on as many threads, until the first violation or a moment.
    pub fn search(&self, seeds: Range<u64>, threads: usize, until: Option<Instant>) -> Played {
        let next = AtomicU64::new(seeds.start);
        let schedules = AtomicU64::new(0);
        let calls = AtomicU64::new(0);
        let found: Mutex<Option<(u64, Outcome)>> = Mutex::new(None);
        let is_time_up = || until.is_some_and(|until| Instant::now() >= until);
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end || is_time_up() {
                            return;
                        }
                        let outcome = self.play(seed);
                        schedules.fetch_add(1, Ordering::Relaxed);
                        calls.fetch_add(outcome.calls.len() as u64, Ordering::Relaxed);
                        if outcome.violation.is_some() {
                            // None is begun any more; of those under way the lowest counts.
                            next.store(seeds.end, Ordering::Relaxed);
                            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                            if found.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
                                *found = Some((seed, outcome));
                            }
                        }
                    }
                });
            }
        });
        Played {
            schedules: schedules.into_inner(),
            calls: calls.into_inner(),
            violation: found.into_inner().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
