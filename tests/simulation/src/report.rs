//! A violation as a table of who did what when.

use std::fmt::Write as _;

use crate::{
    chance::Rates,
    events::{Violation, What},
    plan,
    sequential::Told,
    simulation::{Outcome, Simulation},
    tables::DatabaseKind,
};

/// The violated sentence.
pub fn sentence(violation: &Violation) -> String {
    match violation {
        Violation::NotLinearizable(bookings) => {
            let rows: Vec<String> = bookings
                .iter()
                .map(|(id, (customer, hour))| {
                    format!(
                        "booking {id} of {} at {}",
                        plan::name(*customer),
                        plan::slot(*hour).time()
                    )
                })
                .collect();
            let rows = if rows.is_empty() { "no booking".into() } else { rows.join(", ") };
            format!(
                "no order of events explains what everybody was told and the rows at the end: {rows}"
            )
        }
        Violation::ToldTwoThings(id) => {
            format!("two answers to operation {id} say different things")
        }
        Violation::Rows(sentence) => sentence.clone(),
        Violation::NeverEnds => "every turn ends".into(),
        Violation::NoDatabase(error) => format!("the database could not be opened: {error}"),
    }
}

/// The command that plays a schedule again.
pub fn again(simulation: &Simulation, seed: u64) -> String {
    let mut command = format!("cargo run --release -p simulation -- --schedules 1 --seed {seed}");
    let only: Vec<String> = simulation.only.iter().map(ToString::to_string).collect();
    let quiet = simulation.rates.quiet();
    if !only.is_empty() {
        let _ = write!(command, " --only {}", only.join(","));
    }
    if let Some(race) = simulation.race {
        let _ = write!(command, " --plant {}", race.name());
    }
    if simulation.database != DatabaseKind::Memory {
        command.push_str(" --dynamodb");
    }
    if quiet.len() == Rates::NAMES.len() {
        command.push_str(" --no-faults");
    } else if !quiet.is_empty() {
        let _ = write!(command, " --without {}", quiet.join(","));
    }
    command
}

/// What happened, a line for each event.
pub fn table(outcome: &Outcome) -> String {
    let mut table = format!("{:>9}  {:<9}  what\n", "ms", "operation");
    for event in &outcome.events {
        let (id, what) = match &event.what {
            What::Asked(operation) => (operation.id, format!("{operation}")),
            What::DeliveredAgain(id) => (*id, "  delivered once more".into()),
            What::Told(id, told) | What::ToldAgain(id, told) => {
                (*id, format!("  told: {}", words(told)))
            }
            What::LeftOpen(id, answer) => {
                (*id, format!("  left open: {}", answer.replace('\n', " ")))
            }
            What::Crashed(id) => (*id, "  the attempt crashed".into()),
        };
        // Writing to a string never fails.
        let _ = writeln!(table, "{:>9}  {id:<9}  {what}", event.at_ms);
    }
    table
}

fn words(told: &Told) -> String {
    let time = |hour: &u8| plan::slot(*hour).time();
    match told {
        Told::Booked(booking, hour) => format!("booking {booking} is confirmed for {}", time(hour)),
        Told::Moved(booking, hour) => format!("booking {booking} was moved to {}", time(hour)),
        Told::Cancelled(booking) => format!("booking {booking} was cancelled"),
        Told::Taken => "somebody else has that time".into(),
        Told::Refused => "nothing was changed".into(),
        Told::Rows(bookings) => format!("{bookings:?}"),
    }
}
