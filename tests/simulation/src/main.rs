//! `cargo run --release -p simulation -- --schedules 2000`: plays the shop in every order that a seed
//! can choose, with everything going wrong that can, and checks what customers were told.

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use clap::Parser;
use memory_ports::PlantedRace;
use simulation::{Outcome, Rates, Schedule, Size, report};

/// Plays schedules and checks that everything that customers were told fits one order of events.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many schedules to play, one for each seed.
    #[arg(long, default_value_t = 2_000)]
    schedules: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many minutes, whatever is left.
    #[arg(long)]
    minutes: Option<u64>,
    /// How many threads play; as many as there are processors unless given.
    #[arg(long)]
    jobs: Option<usize>,
    /// Only these operations of the plan, by their numbers: `1,4,7`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<u32>,
    /// Nothing fails, crashes or comes twice; only the order is open.
    #[arg(long)]
    no_faults: bool,
    /// Plant a race into the tables, to see that it is found: `all`, or one of unconditional-put,
    /// lost-acknowledgement-is-taken, separate-writes, delete-then-put, check-then-mark,
    /// cancel-without-owner, token-of-customer-and-slot.
    #[arg(long, value_name = "NAME")]
    plant: Option<String>,
}

/// The seeds to play.
struct Seeds {
    range: Range<u64>,
    jobs: usize,
    until: Option<Instant>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rates = if arguments.no_faults { Rates::NONE } else { Rates::default() };
    let schedule =
        Schedule { size: Size::default(), rates, only: arguments.only.clone(), race: None };
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let seeds = Seeds {
        range: arguments.seed..arguments.seed.saturating_add(arguments.schedules),
        jobs: arguments.jobs.unwrap_or_else(processors).max(1),
        until: arguments.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60)),
    };
    let Some(plant) = &arguments.plant else {
        let (played, found) = first_violation(&schedule, &seeds);
        return match found {
            None => {
                println!("{played}: nothing that must not be");
                ExitCode::SUCCESS
            }
            Some((seed, _)) => {
                println!("{played}");
                tell(&schedule, seed, &arguments);
                ExitCode::FAILURE
            }
        };
    };
    let is_meant = |race: &PlantedRace| plant == "all" || plant == race.name();
    let races: Vec<PlantedRace> = PlantedRace::ALL.into_iter().filter(is_meant).collect();
    if races.is_empty() {
        let names = PlantedRace::ALL.map(PlantedRace::name).join(", ");
        eprintln!("simulation: there is no race {plant}. There are all, {names}");
        return ExitCode::from(2);
    }
    let mut missed = 0;
    for race in races {
        let planted = Schedule { race: Some(race), ..schedule.clone() };
        let name = race.name();
        match first_violation(&planted, &seeds) {
            (played, None) => {
                missed += 1;
                println!("{name}: NOT FOUND in {played}");
            }
            (_, Some((seed, outcome))) => {
                let nth = seed - seeds.range.start + 1;
                let sentence = outcome.violation.as_ref().map(report::sentence).unwrap_or_default();
                println!("{name}: found by schedule {nth}: {sentence}");
                if plant != "all" {
                    tell(&planted, seed, &arguments);
                }
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the seeds, and returns a line about it and the violation with the lowest seed.
fn first_violation(schedule: &Schedule, seeds: &Seeds) -> (String, Option<(u64, Outcome)>) {
    let began = Instant::now();
    let next = AtomicU64::new(seeds.range.start);
    let is_over = AtomicBool::new(false);
    let played = AtomicU64::new(0);
    let calls = AtomicU64::new(0);
    let found: Mutex<Option<(u64, Outcome)>> = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..seeds.jobs {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed)
                    && seeds.until.is_none_or(|until| Instant::now() < until)
                {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.range.end {
                        return;
                    }
                    let outcome = schedule.play(seed);
                    played.fetch_add(1, Ordering::Relaxed);
                    calls.fetch_add(outcome.calls as u64, Ordering::Relaxed);
                    if outcome.violation.is_some() {
                        is_over.store(true, Ordering::Relaxed);
                        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                        if found.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
                            *found = Some((seed, outcome));
                        }
                    }
                }
            });
        }
    });
    let played = played.into_inner();
    let took = began.elapsed().as_secs_f64();
    let line = format!(
        "{played} schedules, {} calls of ports each, in {took:.1} s: {:.0} a second",
        calls.into_inner() / played.max(1),
        played as f64 / took.max(f64::EPSILON),
    );
    (line, found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Prints the shortest history of a seed, and how to see it again.
fn tell(schedule: &Schedule, seed: u64, arguments: &Arguments) {
    let shortest = schedule.shrink(seed);
    let outcome = shortest.play(seed);
    println!("\nseed {seed}:\n{}", report::table(&outcome));
    if let Some(violation) = &outcome.violation {
        println!("violated: {}", report::sentence(violation));
    }
    let only: Vec<String> = shortest.only.iter().map(u32::to_string).collect();
    let plant = schedule.race.map(|race| format!(" --plant {}", race.name())).unwrap_or_default();
    let faults = if arguments.no_faults { " --no-faults" } else { "" };
    println!(
        "again: cargo run --release -p simulation -- --schedules 1 --seed {seed} --only {}{plant}{faults}",
        only.join(",")
    );
}
