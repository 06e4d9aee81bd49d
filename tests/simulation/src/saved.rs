//! A schedule as a scenario file, as far as scenarios can say what happened in it.
//!
//! A scenario has no tasks that go on call by call. What overlaps becomes a group of steps, which meet at
//! the transaction that changes the calendar, in the order in which it was written; a call of it that
//! failed becomes a fault, a crash behind it a crash, a repeated delivery a repeated webhook. What is left
//! out stands in a comment. What must be answered is what some order of the steps allows
//! ([`Expected`]), not what was answered in the schedule.

mod expected;
mod groups;
mod steps;

use std::collections::BTreeSet;

use memory_ports::{CallFate, NOW, scenario_text};
use serde_json::{Value, json};

use self::{
    expected::Expected,
    groups::{Group, groups},
    steps::Steps,
};
use crate::{
    events::What,
    plan::{self, Id, Operation, Way, Wish},
    report,
    simulation::{Outcome, Simulation},
};

/// A call that changes the calendar.
pub(crate) const WRITES: [&str; 3] = ["book", "cancel", "reschedule"];

/// The scenario file of the schedule that a simulation plays with a seed.
pub fn scenario(simulation: &Simulation, seed: u64) -> String {
    let outcome = simulation.play(seed);
    let groups = groups(&outcome);
    let mut expected = Expected::default();
    let mut steps = Vec::new();
    for group in &groups {
        Steps { outcome: &outcome, group }.write(&mut expected, &mut steps);
    }
    steps.extend(expected.rows());
    let people: serde_json::Map<_, _> = (0..simulation.size.customers)
        .map(|customer| (person(customer), json!(plan::phone(customer))))
        .collect();
    let scenario = json!({
        "name": format!("Schedule {seed} of the simulation"),
        "tags": ["simulation"],
        "now": NOW,
        "people": people,
        "given": { "fixtures": ["owner-at-shop"], "env": { "TURN_LEASE_MS": "500" } },
        "steps": steps,
    });
    scenario_text(&scenario, &notes(&outcome, seed, &report::again(simulation, seed)))
}

/// A customer's name in scenarios.
fn person(customer: plan::Customer) -> String {
    plan::name(customer).to_lowercase()
}

/// What was violated, and what the file cannot say.
fn notes(outcome: &Outcome, seed: u64, again: &str) -> String {
    let sentence = outcome.violation.as_ref().map(report::sentence).unwrap_or_default();
    let mut notes = format!(
        "Schedule {seed} of the simulation, as near as a scenario comes to it.\nViolated: {sentence}\nAgain: {again}\n"
    );
    let left_out = left_out(outcome);
    if !left_out.is_empty() {
        notes.push_str("Of the schedule this file leaves out\n");
        left_out.iter().for_each(|what| notes.push_str(&format!("- {what}\n")));
    }
    notes.push_str("What was told there:\n");
    notes.push_str(&report::table(outcome));
    notes
}

/// What of a schedule no step says.
fn left_out(outcome: &Outcome) -> BTreeSet<String> {
    let mut left_out = BTreeSet::new();
    for call in &outcome.calls {
        let what = match call.fate {
            CallFate::Works => continue,
            CallFate::FailsBefore | CallFate::FailsAfter if WRITES.contains(&call.name) => continue,
            CallFate::FailsBefore => "fails",
            CallFate::FailsAfter => "loses its answer",
            CallFate::Slow(..) => "is slow",
        };
        left_out.insert(format!("a call {} of operation {} that {what}", call.name, call.of));
    }
    for (id, last) in &outcome.crashes {
        if !WRITES.contains(last) {
            left_out.insert(format!("the crash of operation {id} behind a call {last}"));
        }
    }
    if outcome.calls.iter().any(|call| call.name != "model") {
        left_out.insert("which task was next at calls that change nothing".into());
    }
    left_out
}

/// Whether a call that changes the calendar failed for an operation, and how.
fn failed_write(outcome: &Outcome, id: Id) -> Option<CallFate> {
    let writes = outcome.calls.iter().filter(|call| call.of == id && WRITES.contains(&call.name));
    let is_failed = |fate: &CallFate| matches!(fate, CallFate::FailsBefore | CallFate::FailsAfter);
    writes.map(|call| call.fate).find(is_failed)
}

/// Whether an operation crashed behind a call that changes the calendar.
fn crashed(outcome: &Outcome, operation: &Operation) -> bool {
    operation.way != Way::Owner
        && outcome.crashes.get(&operation.id).is_some_and(|last| WRITES.contains(last))
}

/// Whether an operation was delivered twice without a crash, and at the same time.
fn duplicate(outcome: &Outcome, id: Id) -> Option<Duplicate> {
    let of = |wanted: fn(&What, Id) -> bool| {
        outcome.events.iter().position(|event| wanted(&event.what, id))
    };
    let again = of(|what, id| *what == What::DeliveredAgain(id))?;
    if outcome.crashes.contains_key(&id) {
        return None;
    }
    let answered =
        of(|what, id| matches!(what, What::Told(of, _) | What::LeftOpen(of, _) if *of == id));
    Some(match answered.is_some_and(|answered| answered < again) {
        true => Duplicate::Later,
        false => Duplicate::AtOnce,
    })
}

/// How a webhook comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duplicate {
    AtOnce,
    Later,
}

/// The name of a booking's reference in scenarios.
fn saved_name(booking: Id) -> String {
    format!("booking{booking}")
}

/// The reference of a booking.
fn reference(booking: Id) -> String {
    format!("{{{{ {} }}}}", saved_name(booking))
}

/// The booking that an operation changes.
fn changed(operation: &Operation) -> Option<Id> {
    match operation.wish {
        Wish::Book(_) => None,
        Wish::Cancel(booking) | Wish::Move(booking, _) => Some(booking),
    }
}

/// A value as an alternative among several, or alone.
fn one_of(mut alternatives: Vec<Value>) -> Value {
    match alternatives.len() {
        1 => alternatives.remove(0),
        _ => json!({ "one_of": alternatives }),
    }
}
