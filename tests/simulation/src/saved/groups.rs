//! Which operations of a schedule overlap.

use std::collections::BTreeMap;

use super::{WRITES, changed};
use crate::{
    events::What,
    plan::{Id, Operation, Way},
    simulation::Outcome,
};

/// Operations that overlap, in the order in which they changed the calendar.
pub(super) struct Group {
    pub operations: Vec<Operation>,
    /// Whether a later operation changes a booking that one of these makes: then their order counts.
    pub is_order_fixed: bool,
}

/// The groups of a schedule, one after the other. An operation that outlasts its group is not continued
/// in the next one.
pub(super) fn groups(outcome: &Outcome) -> Vec<Group> {
    let mut groups: Vec<Vec<Operation>> = Vec::new();
    let ends = ends(outcome);
    for (at, event) in outcome.events.iter().enumerate() {
        let What::Asked(operation) = event.what else { continue };
        let overlaps = |other: &Operation| ends.get(&other.id).is_none_or(|end| *end > at);
        // One customer's texts are answered in order, and nobody changes what is not there.
        let may_join = |other: &Operation| {
            let ways = [other.way, operation.way];
            let waits = other.customer == operation.customer && ways == [Way::Text; 2];
            overlaps(other) && changed(&operation) != Some(other.id) && !waits
        };
        match groups.last_mut() {
            Some(last) if last.iter().all(may_join) => last.push(operation),
            _ => groups.push(vec![operation]),
        }
    }
    let first_write = |operation: &Operation| {
        let is_its = |call: &crate::Call| call.of == operation.id && WRITES.contains(&call.name);
        outcome.calls.iter().position(is_its).unwrap_or(usize::MAX)
    };
    let later = |groups: &[Vec<Operation>]| -> Vec<Id> {
        groups.iter().flatten().filter_map(changed).collect()
    };
    let mut all = Vec::new();
    for (at, operations) in groups.iter().enumerate() {
        let changed_later = later(groups.get(at + 1..).unwrap_or_default());
        let is_order_fixed = operations.iter().any(|one| changed_later.contains(&one.id));
        let mut operations = operations.clone();
        operations.sort_by_key(first_write);
        all.push(Group { operations, is_order_fixed });
    }
    all
}

/// The last event of each operation.
fn ends(outcome: &Outcome) -> BTreeMap<Id, usize> {
    let mut ends = BTreeMap::new();
    for (at, event) in outcome.events.iter().enumerate() {
        match &event.what {
            What::Told(id, _) | What::ToldAgain(id, _) | What::LeftOpen(id, _) => {
                ends.insert(*id, at);
            }
            What::Asked(_) | What::Crashed(_) | What::DeliveredAgain(_) => {}
        }
    }
    ends
}
