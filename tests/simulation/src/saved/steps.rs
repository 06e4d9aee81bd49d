//! The steps of a group.

use std::collections::BTreeMap;

use memory_ports::CallFate;
use serde_json::{Value, json};

use super::{
    Duplicate, Expected, Group, changed, crashed, duplicate, expected, failed_write, one_of,
    person, reference, saved_name,
};
use crate::{
    model::{DONE, REFUSED, TAKEN},
    plan::{self, Id, Operation, Way, Wish},
    sequential::Told,
    simulation::Outcome,
};

/// What the SDK tries before it gives up.
const ATTEMPTS: u32 = 3;
/// Long enough that a repeat comes meanwhile.
const THINKS: &str = "500ms";

/// A group of a schedule.
pub(super) struct Steps<'s> {
    pub outcome: &'s Outcome,
    pub group: &'s Group,
}

impl Steps<'_> {
    /// Adds its steps.
    pub fn write(&self, expected: &mut Expected, steps: &mut Vec<Value>) {
        let operations = &self.group.operations;
        let meets = operations.len() > 1 && operations.iter().all(|one| expected.is_change(one));
        if operations.len() > 1 && !meets {
            // They cannot be made to race, so they come in the order in which they took effect.
            for operation in operations {
                let alone = Group { operations: vec![*operation], is_order_fixed: true };
                Steps { outcome: self.outcome, group: &alone }.write(expected, steps);
            }
            return;
        }
        let in_any_order = meets && !self.group.is_order_fixed;
        let may_fail = |operation: &Operation| {
            failed_write(self.outcome, operation.id) == Some(CallFate::FailsBefore)
        };
        let told = expected.ask(operations, in_any_order, may_fail);
        let faults: Vec<Value> = operations.iter().filter_map(|one| self.fault(one)).collect();
        if !faults.is_empty() {
            steps.push(json!({ "faults": faults }));
        }
        let all: Vec<Value> = operations.iter().map(|one| self.step(one, &told)).collect();
        if meets {
            let mut together = json!({
                "together": all,
                "meet": { "on": "dynamodb.TransactWriteItems", "table": "Schedule" },
            });
            if in_any_order {
                together["schedules"] = json!((1..=operations.len()).product::<usize>());
            }
            steps.push(together);
        } else {
            steps.extend(all);
        }
        // A form that got no answer is sent once more.
        let crashed =
            operations.iter().filter(|one| one.way == Way::Form && crashed(self.outcome, one));
        steps.extend(crashed.map(|one| form(one, told_to(one, &told))));
    }

    /// The failing of an operation's change of the calendar.
    fn fault(&self, operation: &Operation) -> Option<Value> {
        let fail = match failed_write(self.outcome, operation.id)? {
            CallFate::FailsAfter => json!("cut-after"),
            _ => json!(503),
        };
        // Whatever writes the lead is a part of the change.
        let mut fault = json!({ "on": "dynamodb.TransactWriteItems", "table": "Leads", "fail": fail, "times": ATTEMPTS });
        if matches!(operation.wish, Wish::Book(_)) {
            fault["key"] = json!({ "device": plan::device(operation.id) });
        }
        Some(fault)
    }

    fn step(&self, operation: &Operation, told: &BTreeMap<Id, Vec<Told>>) -> Value {
        let told = told_to(operation, told);
        let is_certain = failed_write(self.outcome, operation.id).is_none();
        let mut step = match operation.way {
            Way::Text => self.text(operation, told, is_certain),
            Way::Form => form(operation, told),
            Way::Owner => owner(operation, told),
        };
        if !is_certain && operation.way != Way::Text {
            // It may not be known whether it was done.
            step["response"] = json!({ "status": { "any": "number" } });
        }
        if crashed(self.outcome, operation) {
            let function = if operation.way == Way::Form { "Scheduler" } else { "Dispatcher" };
            step["crash"] = json!({ "function": function, "after": "dynamodb.TransactWriteItems" });
            if operation.way == Way::Form {
                step["response"] = json!({ "status": 500 });
                if let Some(step) = step.as_object_mut() {
                    step.remove("save");
                }
            }
        }
        step
    }

    fn text(&self, operation: &Operation, told: &[Told], is_certain: bool) -> Value {
        let duplicate = duplicate(self.outcome, operation.id);
        let mut first = json!({});
        if duplicate == Some(Duplicate::AtOnce) {
            first["fail"] = json!({ "delay": THINKS });
        }
        first["call"] = json!([call(operation)]);
        let mut step = json!({
            // No two texts are alike, so that each reaches its own script.
            "customer": format!("{}, please (operation {})", operation.wish, operation.id),
            "from": person(operation.customer),
            "model": [first, { "either": rounds(operation, told, is_certain) }],
        });
        let reply = expected::answer(told);
        match duplicate {
            Some(Duplicate::AtOnce) => step["duplicate"] = json!({ "times": 2, "gap": "0s" }),
            Some(Duplicate::Later) => step["duplicate"] = json!({ "times": 2 }),
            None => {}
        }
        if is_certain {
            let count = if duplicate.is_some() { 2 } else { 1 };
            step["replies"] = json!(vec![reply; count]);
        }
        step
    }
}

fn told_to<'t>(operation: &Operation, told: &'t BTreeMap<Id, Vec<Told>>) -> &'t [Told] {
    told.get(&operation.id).map(Vec::as_slice).unwrap_or_default()
}

/// What the model says of what it may be told of its call.
fn rounds(operation: &Operation, told: &[Told], is_certain: bool) -> Vec<Value> {
    let mut rounds = Vec::new();
    let is_success =
        |told: &Told| matches!(told, Told::Booked(..) | Told::Moved(..) | Told::Cancelled(_));
    if told.iter().any(is_success) {
        let mut round = json!({ "sees": { "results": [{ "success": true }] } });
        if matches!(operation.wish, Wish::Book(_)) {
            round["save"] = json!({ saved_name(operation.id): "results[0].lead_id" });
        }
        round["say"] = json!(DONE);
        rounds.push(round);
    }
    if told.contains(&Told::Taken) {
        let sees =
            json!({ "results": [{ "success": false, "message": "That time is already taken" }] });
        rounds.push(json!({ "sees": sees, "say": TAKEN }));
    }
    if told.contains(&Told::Refused) || !is_certain {
        let sees = json!({ "results": [{ "success": false, "message": { "excludes": "already taken" } }] });
        rounds.push(json!({ "sees": sees, "say": REFUSED }));
    }
    rounds
}

fn call(operation: &Operation) -> Value {
    let lead_id = |booking: Id| reference(booking);
    match operation.wish {
        Wish::Book(hour) => {
            let slot = plan::slot(hour);
            json!({ "book_slot": {
                "date": slot.date().to_string(), "time": slot.time().to_string(),
                "repair_type": "screen", "device": plan::device(operation.id),
                "customer_name": null, "address": null,
            } })
        }
        Wish::Cancel(booking) => json!({ "cancel_booking": { "lead_id": lead_id(booking) } }),
        Wish::Move(booking, hour) => {
            let slot = plan::slot(hour);
            json!({ "reschedule_booking": {
                "lead_id": lead_id(booking), "date": slot.date().to_string(),
                "time": slot.time().to_string(),
            } })
        }
    }
}

fn form(operation: &Operation, told: &[Told]) -> Value {
    let Wish::Book(hour) = operation.wish else { return json!({}) };
    let slot = plan::slot(hour);
    let mut step = json!({
        "request": "POST /scheduler",
        "headers": { "Idempotency-Key": format!("key-{}", operation.id) },
        "json": {
            "phone": plan::phone(operation.customer), "date": slot.date().to_string(),
            "time": slot.time().to_string(), "repair_type": "screen",
            "device": plan::device(operation.id),
        },
        "response": { "status": status(told, 201) },
    });
    if told.iter().all(|told| matches!(told, Told::Booked(..))) {
        step["save"] = json!({ saved_name(operation.id): "json.lead_id" });
    }
    step
}

fn owner(operation: &Operation, told: &[Told]) -> Value {
    let mut body = json!({ "tell_customer": false });
    let change = match operation.wish {
        Wish::Move(_, hour) => {
            let slot = plan::slot(hour);
            body["date"] = json!(slot.date().to_string());
            body["time"] = json!(slot.time().to_string());
            "move"
        }
        Wish::Cancel(_) | Wish::Book(_) => "cancel",
    };
    let booking = changed(operation).map(reference).unwrap_or_default();
    json!({
        "request": format!("POST /owner/api/bookings/{booking}/{change}"),
        "headers": { "Authorization": "Bearer {{ env.ADMIN_TOKEN }}" },
        "json": body,
        "response": { "status": status(told, 200) },
    })
}

/// The statuses of what may be told.
fn status(told: &[Told], success: u16) -> Value {
    let mut all: Vec<u16> = Vec::new();
    for told in told {
        all.extend(match told {
            Told::Booked(..) | Told::Moved(..) | Told::Cancelled(_) | Told::Rows(_) => {
                vec![success]
            }
            Told::Taken => vec![409],
            Told::Refused => vec![400, 409],
        });
    }
    all.sort_unstable();
    all.dedup();
    one_of(all.into_iter().map(Value::from).collect())
}
