//! What the steps of a scenario may be answered: what the sequential calendar says for some order.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stateright::semantics::SequentialSpec as _;

use super::one_of;
use crate::{
    plan::{self, HOURS, Id, Operation},
    sequential::{Bookings, Question, SequentialCalendar, Told},
};

/// The calendars that there may be by now.
pub(super) struct Expected(Vec<SequentialCalendar>);

impl Default for Expected {
    fn default() -> Self {
        Self(vec![SequentialCalendar::default()])
    }
}

impl Expected {
    /// What each operation may be told, when they take effect in the order given or in any. Those that
    /// `may_fail` may leave everything as it is.
    pub fn ask(
        &mut self,
        operations: &[Operation],
        in_any_order: bool,
        may_fail: impl Fn(&Operation) -> bool,
    ) -> BTreeMap<Id, Vec<Told>> {
        let mut told: BTreeMap<Id, Vec<Told>> = BTreeMap::new();
        let mut after = Vec::new();
        let orders = if in_any_order { orders(operations) } else { vec![operations.to_vec()] };
        for before in &self.0 {
            for order in &orders {
                let mut calendars = vec![before.clone()];
                for operation in order {
                    let mut next = Vec::new();
                    for calendar in calendars {
                        if may_fail(operation) {
                            add(&mut next, calendar.clone());
                        }
                        let mut calendar = calendar;
                        let answer = calendar.invoke(&Question::Asked(*operation));
                        add(told.entry(operation.id).or_default(), answer);
                        add(&mut next, calendar);
                    }
                    calendars = next;
                }
                calendars.into_iter().for_each(|calendar| add(&mut after, calendar));
            }
        }
        self.0 = after;
        told
    }

    /// Whether an operation, asked next and alone, changes the calendar whatever it is by now.
    pub fn is_change(&self, operation: &Operation) -> bool {
        self.0.iter().all(|calendar| {
            let mut after = calendar.clone();
            after.invoke(&Question::Asked(*operation));
            after != *calendar
        })
    }

    /// The rows that there must be in the end.
    pub fn rows(&self) -> Vec<Value> {
        let ends: Vec<Bookings> = self.0.iter().map(SequentialCalendar::bookings).collect();
        let mut tables = serde_json::Map::new();
        if let [only] = ends.as_slice() {
            let at = |hour: u8| plan::slot(hour).time().to_string();
            let phone = |customer: u8| plan::phone(customer);
            let rows = |row: &dyn Fn(Id, u8, u8) -> Value| -> Value {
                let rows: Vec<Value> =
                    only.iter().map(|(id, (customer, hour))| row(*id, *customer, *hour)).collect();
                json!({ "where": { "status": "booked" }, "rows": rows })
            };
            let lead = |id: Id, customer: u8, hour: u8| json!({ "device": plan::device(id), "phone": phone(customer), "appointment_time": at(hour) });
            tables.insert("Leads".into(), rows(&lead));
            let hold = |_: Id, customer: u8, hour: u8| json!({ "slot_time": at(hour), "phone": phone(customer) });
            tables.insert("Schedule".into(), rows(&hold));
            let count = json!({ "where": { "lead_id": { "any": "string" } }, "count": only.len() });
            tables.insert("CustomerBookings".into(), count);
            return vec![json!({ "expect": { "tables": tables } })];
        }
        // Whoever came first has it.
        let hours = (0..HOURS.len()).filter_map(|hour| u8::try_from(hour).ok());
        hours.map(|hour| counted(&ends, hour)).collect()
    }
}

/// How many bookings an hour may have.
fn counted(ends: &[Bookings], hour: u8) -> Value {
    let time = plan::slot(hour).time().to_string();
    let of_hour = |end: &Bookings| end.values().filter(|(_, at)| *at == hour).count();
    let least = ends.iter().map(of_hour).min().unwrap_or_default();
    let most = ends.iter().map(of_hour).max().unwrap_or_default();
    let count = json!({ "at_least": least, "at_most": most });
    json!({ "expect": { "tables": {
        "Leads": { "where": { "status": "booked", "appointment_time": time }, "count": count },
        "Schedule": { "where": { "status": "booked", "slot_time": time }, "count": count },
    } } })
}

/// The lines of answers that say one of these, as a matcher of an answer.
pub(super) fn answer(told: &[Told]) -> Value {
    one_of(told.iter().map(|told| json!({ "contains": words(told) })).collect())
}

fn words(told: &Told) -> String {
    let slot = |hour: &u8| plan::slot(*hour);
    match told {
        Told::Booked(_, hour) => format!("Confirmed: {}", slot(hour)),
        Told::Moved(_, hour) => format!("Moved: {}", slot(hour)),
        Told::Cancelled(_) => "Cancelled: ".into(),
        Told::Taken => crate::model::TAKEN.into(),
        Told::Refused | Told::Rows(_) => crate::model::REFUSED.into(),
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// Every order of a few operations.
fn orders(operations: &[Operation]) -> Vec<Vec<Operation>> {
    if operations.len() <= 1 {
        return vec![operations.to_vec()];
    }
    let mut all = Vec::new();
    for (at, first) in operations.iter().enumerate() {
        let mut rest = operations.to_vec();
        rest.remove(at);
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}
