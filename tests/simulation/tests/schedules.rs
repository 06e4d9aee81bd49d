//! What the simulation finds, and that it finds the same again.
//!
//! `cargo run --release -p simulation -- --schedules 1000000` plays more of it.

use memory_ports::PlantedRace;
use simulation::{DatabaseKind, Outcome, Rates, Simulation, Violation, report};

/// How many schedules every change is tried with.
const SCHEDULES: u64 = 2_000;

/// How many of them on the DynamoDB adapter, which take ten times as long.
const SCHEDULES_ON_DYNAMODB: u64 = 150;

/// The first violation among the seeds 1 to [`SCHEDULES`].
fn first_violation(simulation: &Simulation) -> Option<(u64, Outcome)> {
    first_violation_of(SCHEDULES, simulation)
}

fn first_violation_of(schedules: u64, simulation: &Simulation) -> Option<(u64, Outcome)> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    simulation.search(1..schedules + 1, threads, None).violation
}

#[test]
fn what_everybody_is_told_fits_some_order_of_events() {
    fail_with(first_violation(&Simulation::default()));
}

#[track_caller]
fn fail_with(found: Option<(u64, Outcome)>) {
    let told = found.map(|(seed, outcome)| {
        let sentence = outcome.violation.as_ref().map(report::sentence).unwrap_or_default();
        format!("seed {seed}: {sentence}\n{}", report::table(&outcome))
    });
    assert!(told.is_none(), "{}", told.unwrap_or_default());
}

/// With the SDK's own repeats, conflicts, and requests that arrive after their caller has given up.
#[test]
fn what_everybody_is_told_fits_some_order_of_events_on_the_dynamodb_adapter() {
    let simulation = Simulation { database: DatabaseKind::DynamoDb, ..Simulation::default() };
    fail_with(first_violation_of(SCHEDULES_ON_DYNAMODB, &simulation));
}

/// A request that was sent again because its answer took too long arrives all the same, after the second one.
#[test]
fn requests_arrive_that_a_living_client_has_given_up() {
    let rates = Rates { crashes: 0, ..Rates::default() };
    let simulation =
        Simulation { database: DatabaseKind::DynamoDb, rates, ..Simulation::default() };
    let late: usize = (1..=20).map(|seed| simulation.play(seed).late_requests).sum();
    assert!(late > 0);
}

#[test]
fn writes_without_their_conditions_are_found_on_the_dynamodb_adapter() {
    let database = DatabaseKind::DynamoDbWithoutConditions;
    let planted = Simulation { database, ..Simulation::default() };
    let found = first_violation_of(SCHEDULES_ON_DYNAMODB, &planted);
    let violation = found.and_then(|(_, outcome)| outcome.violation);
    let told = format!("{violation:?}");
    match violation.expect("nothing was found") {
        Violation::NotLinearizable(_) | Violation::ToldTwoThings(_) => {}
        Violation::Rows(sentence) => {
            let is_of_bookings =
                ["slot", "booking", "books once"].iter().any(|of| sentence.contains(of));
            assert!(is_of_bookings && !sentence.contains("a read asks"), "{told}");
        }
        Violation::NeverEnds | Violation::NoDatabase(_) => unreachable!("{told}"),
    }
}

#[test]
fn a_seed_gives_the_same_history_again_on_the_dynamodb_adapter() {
    let simulation = Simulation { database: DatabaseKind::DynamoDb, ..Simulation::default() };
    for seed in 1..=10 {
        assert_eq!(simulation.play(seed).hash, simulation.play(seed).hash, "seed {seed}");
    }
}

#[test]
fn each_planted_race_is_found() {
    for race in PlantedRace::ALL {
        let planted = Simulation { race: Some(race), ..Simulation::default() };
        let found = first_violation(&planted);
        assert!(found.is_some(), "{} is not found", race.name());
    }
}

#[test]
fn a_seed_gives_the_same_history_again() {
    let simulation = Simulation::default();
    for seed in 1..=50 {
        assert_eq!(simulation.play(seed).hash, simulation.play(seed).hash, "seed {seed}");
    }
}

/// On every machine and at every time. Whatever changes the calls of ports changes these.
#[test]
fn a_seed_gives_the_same_history_everywhere() {
    let hashes: Vec<String> = (1..=5).map(|seed| Simulation::default().play(seed).hash).collect();
    let committed: Vec<&str> = include_str!("hashes.txt").lines().collect();
    assert_eq!(
        hashes,
        committed,
        "if the calls of ports were changed on purpose, tests/hashes.txt must be:\n{}\n",
        hashes.join("\n")
    );
}

#[test]
fn a_violation_shrinks_and_stays_one() {
    let planted = Simulation { race: Some(PlantedRace::UnconditionalPut), ..Simulation::default() };
    let (seed, outcome) = first_violation(&planted).unwrap();
    let shortest = planted.shrink(seed);
    let again = shortest.play(seed);
    assert!(again.violation.is_some());
    assert!(again.events.len() <= outcome.events.len());
    assert!(!matches!(again.violation, Some(Violation::NeverEnds)));
    let table = report::table(&again);
    assert!(table.contains("told: ") && table.contains("by text: book"), "{table}");
}
