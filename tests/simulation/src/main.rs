//! `cargo run --release -p simulation -- --schedules 2000`: plays the shop in every order that a seed
//! can choose, with everything going wrong that can, and checks what customers were told.

use std::{
    ops::Range,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, builder::PossibleValuesParser, error::ErrorKind};
use memory_ports::PlantedRace;
use simulation::{DatabaseKind, Played, Rates, Simulation, Size, report};

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
    /// Play on the DynamoDB adapter, its SDK and an engine in this process instead of tables in memory:
    /// slower, and requests are repeated, conflict, and arrive after their caller has given up.
    #[arg(long, conflicts_with = "plant")]
    dynamodb: bool,
    /// What never goes wrong: `failed,slow`.
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(Rates::NAMES))]
    without: Vec<String>,
    /// Plant a race into the tables, or each of them in turn, to see that it is found.
    #[arg(long, value_name = "NAME", value_parser = plants())]
    plant: Option<String>,
    /// Write the first schedule that fails as a scenario file, as near as a scenario comes to it.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

const ALL: &str = "all";

fn plants() -> PossibleValuesParser {
    PossibleValuesParser::new(PlantedRace::ALL.map(PlantedRace::name).into_iter().chain([ALL]))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let rates = if arguments.no_faults { Rates::NONE } else { Rates::default() };
    let rates = arguments.without.iter().fold(rates, |rates, name| rates.without(name));
    if arguments.save.is_some() && arguments.plant.as_deref() == Some(ALL) {
        let told = "--save writes one schedule: plant one race, not all\n";
        clap::Error::raw(ErrorKind::ArgumentConflict, told).exit();
    }
    let only = arguments.only.clone();
    let database = if arguments.dynamodb { DatabaseKind::DynamoDb } else { DatabaseKind::Memory };
    let simulation = Simulation { size: Size::default(), rates, only, race: None, database };
    if let Some(unknown) = simulation.only.iter().find(|id| !simulation.size.has(**id)) {
        let told = format!("a plan has operations 1 to {}, not {unknown}", simulation.size.all());
        clap::Error::raw(ErrorKind::ValueValidation, told + "\n").exit();
    }
    let Some(plant) = &arguments.plant else {
        let (played, figures) = search(&simulation, &arguments);
        let Some((seed, _)) = played.violation else {
            println!("{figures}: nothing that must not be");
            return ExitCode::SUCCESS;
        };
        println!("{figures}");
        tell(&simulation, seed);
        save(&simulation, &arguments);
        return ExitCode::FAILURE;
    };
    let mut missed = 0;
    for race in PlantedRace::ALL {
        let name = race.name();
        if plant != ALL && plant != name {
            continue;
        }
        let planted = Simulation { race: Some(race), ..simulation.clone() };
        let (played, figures) = search(&planted, &arguments);
        let Some((seed, outcome)) = played.violation else {
            missed += 1;
            println!("{name}: NOT FOUND in {figures}");
            continue;
        };
        let nth = seed - arguments.seed + 1;
        let sentence = outcome.violation.as_ref().map(report::sentence).unwrap_or_default();
        println!("{name}: found by schedule {nth}: {sentence}");
        if plant != ALL {
            tell(&planted, seed);
            missed += u32::from(!save(&planted, &arguments));
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays the seeds, and says how many were played and how fast.
fn search(simulation: &Simulation, arguments: &Arguments) -> (Played, String) {
    let began = Instant::now();
    let until = arguments.minutes.map(|minutes| began + Duration::from_secs(minutes * 60));
    let played = simulation.search(seeds(arguments), threads(arguments), until);
    let took = began.elapsed().as_secs_f64();
    let figures = format!(
        "{} schedules, {} calls each, in {took:.1} s: {:.0} a second",
        played.schedules,
        played.calls / played.schedules.max(1),
        played.schedules as f64 / took.max(f64::EPSILON),
    );
    (played, figures)
}

/// Prints the shortest history of a seed, and how to see it again.
fn tell(simulation: &Simulation, seed: u64) {
    let shortest = simulation.shrink(seed);
    let outcome = shortest.play(seed);
    println!("\nseed {seed}:\n{}", report::table(&outcome));
    if let Some(violation) = &outcome.violation {
        println!("violated: {}", report::sentence(violation));
    }
    println!("again: {}", report::again(&shortest, seed));
}

/// Writes a schedule that fails as a scenario file, if one is asked for: one in which little goes wrong, if
/// there is one. False when it cannot be written.
fn save(simulation: &Simulation, arguments: &Arguments) -> bool {
    let Some(file) = &arguments.save else { return true };
    let Some((seed, simplest)) = simulation.simplest(seeds(arguments), threads(arguments)) else {
        return false;
    };
    match std::fs::write(file, simulation::scenario(&simplest, seed)) {
        Ok(()) => {
            println!("saved: cargo run -- run {}", file.display());
            true
        }
        Err(error) => {
            eprintln!("{} cannot be written: {error}", file.display());
            false
        }
    }
}

fn seeds(arguments: &Arguments) -> Range<u64> {
    arguments.seed..arguments.seed.saturating_add(arguments.schedules)
}

fn threads(arguments: &Arguments) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    arguments.jobs.unwrap_or_else(processors)
}
