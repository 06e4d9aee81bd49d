//! Whether what everybody was told, and the rows at the end, can be.

use std::collections::{BTreeMap, BTreeSet};

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};

use crate::{
    events::{Event, Violation, What},
    plan::{Id, Operation, Way, Wish},
    rows,
    sequential::{Bookings, Question, SequentialCalendar, Told},
    shop::Shop,
};

/// What must not be, if it was.
pub(crate) fn violation(shop: &Shop, events: &[Event]) -> Option<Violation> {
    if let Some(id) = *shop.log.contradiction.borrow() {
        return Some(Violation::ToldTwoThings(id));
    }
    let bookings = match rows::check(&shop.tables) {
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
    // Another attempt may have done it, one that crashed or one that ran beside, and somebody may have
    // changed that since. The answer is true of what is then, and leaves open what was done.
    let mut asked: BTreeMap<Id, Operation> = BTreeMap::new();
    let (mut crashed, mut delivered_again) = (BTreeSet::new(), BTreeSet::new());
    let mut true_of_then: BTreeMap<Id, Option<Question>> = BTreeMap::new();
    let mut told_again: BTreeMap<Id, Question> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                asked.insert(operation.id, *operation);
            }
            What::Crashed(id) => {
                crashed.insert(*id);
            }
            What::DeliveredAgain(id) => {
                delivered_again.insert(*id);
            }
            What::Told(id, told) if crashed.contains(id) || delivered_again.contains(id) => {
                let question = match (told, &asked[id]) {
                    (Told::Taken, operation)
                        if crashed.contains(id) && !matches!(operation.wish, Wish::Cancel(_)) =>
                    {
                        is_taken(operation)
                    }
                    (Told::Refused, _) if crashed.contains(id) => None,
                    (Told::Booked(booking, hour), Operation { wish: Wish::Book(wish), .. })
                        if booking == id && hour != wish =>
                    {
                        Some(Question::IsAt { booking: *booking, hour: *hour })
                    }
                    _ => continue,
                };
                true_of_then.insert(*id, question);
            }
            What::ToldAgain(id, Told::Booked(booking, hour)) => {
                told_again.insert(*id, Question::IsAt { booking: *booking, hour: *hour });
            }
            What::Told(..) | What::ToldAgain(..) | What::LeftOpen(..) => {}
        }
    }
    // Threads of the tester: an operation each, the questions of such answers, and the rows.
    let question_of = |id: Id| id + Id::MAX / 2;
    let second_question_of = |id: Id| id + Id::MAX / 4;
    let mut tester = LinearizabilityTester::new(SequentialCalendar::default());
    let mut is_valid = true;
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                let id = operation.id;
                is_valid &= tester.on_invoke(id, Question::Asked(*operation)).is_ok();
                if let Some(Some(question)) = true_of_then.get(&id) {
                    is_valid &= tester.on_invoke(question_of(id), question.clone()).is_ok();
                }
            }
            What::Told(id, told) => {
                match true_of_then.get(id) {
                    None => is_valid &= tester.on_return(*id, told.clone()).is_ok(),
                    Some(None) => {}
                    Some(Some(_)) => {
                        is_valid &= tester.on_return(question_of(*id), told.clone()).is_ok();
                    }
                }
                // What is told next is true of later.
                if let Some(question) = told_again.get(id) {
                    let thread = second_question_of(*id);
                    is_valid &= tester.on_invoke(thread, question.clone()).is_ok();
                }
            }
            What::ToldAgain(id, told) => {
                is_valid &= tester.on_return(second_question_of(*id), told.clone()).is_ok();
            }
            What::Crashed(_) | What::DeliveredAgain(_) | What::LeftOpen(..) => {}
        }
    }
    is_valid &= tester.on_invoke(0, Question::Rows).is_ok();
    is_valid &= tester.on_return(0, Told::Rows(rows)).is_ok();
    is_valid && tester.is_consistent()
}

/// Whether somebody has the hour that is asked for.
fn is_taken(operation: &Operation) -> Option<Question> {
    match operation.wish {
        Wish::Book(hour) | Wish::Move(_, hour) => {
            // The form tells nobody whose it is.
            let is_form = operation.way == Way::Form;
            Some(Question::IsTaken { hour, but_for: (!is_form).then_some(operation.customer) })
        }
        Wish::Cancel(_) => None,
    }
}
