//! That `--save` writes the scenarios which `cargo run -- run scenarios/simulation` plays.
//!
//! They pass; with the fault of `tests/faults` that has the same race they fail.

use std::path::Path;

use memory_ports::PlantedRace;
use simulation::Simulation;

/// The races that a scenario can show.
const SAVED: [PlantedRace; 3] = [
    PlantedRace::UnconditionalPut,
    PlantedRace::LostAcknowledgementIsTaken,
    PlantedRace::TokenOfCustomerAndSlot,
];

#[test]
fn the_scenarios_of_planted_races_are_what_the_simulation_writes() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for race in SAVED {
        let planted = Simulation { race: Some(race), ..Simulation::default() };
        let (seed, simplest) = planted.simplest(1..501, threads).unwrap();
        let written = simulation::scenario(&simplest, seed);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/simulation");
        let committed = folder.join(format!("{}.yaml", race.name()));
        let committed = std::fs::read_to_string(committed).unwrap_or_default();
        assert!(
            written == committed,
            "scenarios/simulation/{name}.yaml is another one. If the calls of ports were changed on purpose, write it \
             anew and see that it passes, and fails with tests/faults/race-{name}.patch:\ncargo run --release -p \
             simulation -- --schedules 500 --plant {name} --save scenarios/simulation/{name}.yaml\n{written}",
            name = race.name(),
        );
    }
}
