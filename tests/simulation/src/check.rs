//! Whether what everybody was told, and the rows at the end, can be.

use std::collections::{BTreeMap, BTreeSet};

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};

use crate::{
    events::{Event, Violation, What},
    plan::{Id, Way, Wish},
    rows,
    sequential::{Bookings, Question, SequentialCalendar, Told},
    shop::Shop,
};

/// What must not be, if it was.
pub(crate) fn violation(shop: &Shop, events: &[Event]) -> Option<Violation> {
    if let Some(id) = *shop.log.contradiction.borrow() {
        return Some(Violation::ToldTwoThings(id));
    }
    let bookings = match rows::check(&shop.store) {
        Ok(bookings) => bookings,
        Err(sentence) => return Some(Violation::Rows(sentence)),
    };
    let told = shop.log.told.borrow();
    let refused = |id: &&Id| matches!(told.get(*id), Some(Told::Taken | Told::Refused));
    if let Some(id) = bookings.keys().find(refused) {
        return Some(Violation::Rows(format!("who is refused has no booking: {id}")));
    }
    let is_linearizable = is_linearizable(events, bookings.clone());
    (!is_linearizable).then_some(Violation::NotLinearizable(bookings))
}

/// Whether some order of events explains what everybody was told and the rows at the end.
fn is_linearizable(events: &[Event], rows: Bookings) -> bool {
    // An attempt that crashed may have done it, and somebody may have changed that since: the answer of
    // the next attempt is true of what is then, and leaves open what was done.
    let mut asked: BTreeMap<Id, Wish> = BTreeMap::new();
    let mut crashed: BTreeSet<Id> = BTreeSet::new();
    let mut true_of_then: BTreeSet<Id> = BTreeSet::new();
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                asked.insert(operation.id, operation.wish);
            }
            What::Crashed(id) => {
                crashed.insert(*id);
            }
            What::Told(id, told) if crashed.contains(id) => {
                let is_of_then = match told {
                    Told::Taken | Told::Refused => true,
                    Told::Booked(_, hour) => asked.get(id) != Some(&Wish::Book(*hour)),
                    Told::Moved(..) | Told::Cancelled(_) | Told::Rows(_) => false,
                };
                if is_of_then {
                    true_of_then.insert(*id);
                }
            }
            _ => {}
        }
    }
    // Threads of the tester: an operation each, the questions of such refusals, and the rows.
    let question_of = |id: Id| id + Id::MAX / 2;
    let mut tester = LinearizabilityTester::new(SequentialCalendar::default());
    let mut is_valid = true;
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                let id = operation.id;
                is_valid &= tester.on_invoke(id, Question::Asked(*operation)).is_ok();
                if let Wish::Book(hour) | Wish::Move(_, hour) = operation.wish
                    && true_of_then.contains(&id)
                {
                    // The form tells nobody whose it is.
                    let is_form = operation.way == Way::Form;
                    let but_for = (!is_form).then_some(operation.customer);
                    let question = Question::IsTaken { hour, but_for };
                    is_valid &= tester.on_invoke(question_of(id), question).is_ok();
                }
            }
            What::Told(id, Told::Taken) if true_of_then.contains(id) => {
                is_valid &= tester.on_return(question_of(*id), Told::Taken).is_ok();
            }
            What::Told(id, _) if true_of_then.contains(id) => {}
            What::Told(id, told) => is_valid &= tester.on_return(*id, told.clone()).is_ok(),
            What::Crashed(_) | What::DeliveredAgain(_) | What::LeftOpen(..) => {}
        }
    }
    is_valid &= tester.on_invoke(0, Question::Rows).is_ok();
    is_valid &= tester.on_return(0, Told::Rows(rows)).is_ok();
    is_valid && tester.is_consistent()
}
