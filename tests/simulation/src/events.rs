//! What happens while a simulation is played, and what of it must not be.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use handlers::ports::Timer as _;
use memory_ports::TestTimer;

use crate::{
    plan::{Id, Operation, Way},
    sequential::{Bookings, Told},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the beginning.
    pub at_ms: i64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody asked for something.
    Asked(Operation),
    /// It was delivered once more.
    DeliveredAgain(Id),
    /// Somebody was told something definite.
    Told(Id, Told),
    /// An attempt could not store its answer, and the next one told of the same booking as it is by then.
    ToldAgain(Id, Told),
    /// Somebody got an answer that leaves open what was done.
    LeftOpen(Id, String),
    /// An attempt at it crashed.
    Crashed(Id),
}

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// No order of events explains what was told and these bookings at the end.
    NotLinearizable(Bookings),
    /// Two answers to one text say different things.
    ToldTwoThings(Id),
    /// A sentence about the rows does not hold.
    Rows(String),
    /// It never ends.
    NeverEnds,
    /// The database could not be opened.
    NoDatabase(String),
}

/// What happened so far.
pub(crate) struct Log {
    pub timer: Arc<TestTimer>,
    pub events: RefCell<Vec<Event>>,
    pub told: RefCell<BTreeMap<Id, Told>>,
    /// Texts whose answer is not stored, so that a repeat may find that somebody has moved the booking.
    pub not_stored: RefCell<BTreeSet<Id>>,
    pub contradiction: RefCell<Option<Id>>,
    /// What an attempt called last before it crashed.
    pub crashes: RefCell<BTreeMap<Id, &'static str>>,
}

impl Log {
    pub fn note(&self, what: What) {
        self.events.borrow_mut().push(Event { at_ms: self.timer.unix_ms(), what });
    }

    /// An answer to an operation. The first definite one counts.
    pub fn answered(&self, operation: &Operation, told: Result<Told, String>) {
        let told = match told {
            Ok(told) => told,
            Err(open) => return self.note(What::LeftOpen(operation.id, open)),
        };
        let before = self.told.borrow().get(&operation.id).cloned();
        match before {
            None => {
                self.told.borrow_mut().insert(operation.id, told.clone());
                self.note(What::Told(operation.id, told));
            }
            Some(Told::Booked(booking, _))
                if booking == operation.id
                    && matches!(told, Told::Booked(same, _) if same == booking)
                    && before.as_ref() != Some(&told)
                    && self.not_stored.borrow_mut().remove(&operation.id) =>
            {
                self.note(What::ToldAgain(operation.id, told));
            }
            // An answer to a text is stored before it is given, but for an outage.
            Some(before) if before != told && operation.way == Way::Text => {
                self.note(What::Told(operation.id, told));
                self.contradiction.borrow_mut().get_or_insert(operation.id);
            }
            Some(_) => {}
        }
    }
}
