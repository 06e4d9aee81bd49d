//! The calendar as everybody may believe it to be: one thing happens after the other. What customers
//! were told must fit some order of it.

use std::collections::BTreeMap;

use stateright::semantics::SequentialSpec;

use crate::plan::{Customer, Id, Operation, Way, Wish};

/// The open bookings: whose, and in which hour.
pub type Bookings = BTreeMap<Id, (Customer, u8)>;

/// The shop's calendar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequentialCalendar {
    open: Bookings,
    /// The last state of those that were cancelled.
    cancelled: Bookings,
}

/// What is asked of the calendar.
#[derive(Debug, Clone)]
pub enum Question {
    /// What somebody asked for.
    Asked(Operation),
    /// Whether anybody has the hour, but for one customer.
    IsTaken {
        /// The hour.
        hour: u8,
        /// Whose own bookings do not count.
        but_for: Option<Customer>,
    },
    /// Whether a booking is in that hour.
    IsAt {
        /// The booking.
        booking: Id,
        /// The hour.
        hour: u8,
    },
    /// Which rows there are at the end.
    Rows,
}

/// What somebody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// That this booking stands in that hour.
    Booked(Id, u8),
    /// That this booking was moved to that hour.
    Moved(Id, u8),
    /// That this booking was cancelled.
    Cancelled(Id),
    /// That somebody else has the hour.
    Taken,
    /// That nothing was changed.
    Refused,
    /// The rows.
    Rows(Bookings),
}

impl SequentialCalendar {
    /// The open bookings.
    pub fn bookings(&self) -> Bookings {
        self.open.clone()
    }

    fn holder(&self, hour: u8) -> Option<(Id, Customer)> {
        self.open
            .iter()
            .find(|(_, (_, at))| *at == hour)
            .map(|(id, (customer, _))| (*id, *customer))
    }

    fn book(&mut self, operation: &Operation, hour: u8) -> Told {
        let (id, customer) = (operation.id, operation.customer);
        match self.holder(hour) {
            None => {
                self.open.insert(id, (customer, hour));
                Told::Booked(id, hour)
            }
            // The same repair in the same hour is the same wish. The form tells nobody whose it is.
            Some((own, holder)) if holder == customer && operation.way == Way::Text => {
                Told::Booked(own, hour)
            }
            Some(_) => Told::Taken,
        }
    }

    fn change(&mut self, operation: &Operation, booking: Id, to: Option<u8>) -> Told {
        let is_theirs = |entry: Option<&(Customer, u8)>| {
            let is_owner = operation.way == Way::Owner;
            entry.is_some_and(|(customer, _)| is_owner || *customer == operation.customer)
        };
        if !is_theirs(self.open.get(&booking)) {
            let was_theirs = is_theirs(self.cancelled.get(&booking));
            return if was_theirs && to.is_none() {
                Told::Cancelled(booking)
            } else {
                Told::Refused
            };
        }
        let Some(hour) = to else {
            if let Some(entry) = self.open.remove(&booking) {
                self.cancelled.insert(booking, entry);
            }
            return Told::Cancelled(booking);
        };
        let customer = self.open.get(&booking).map(|(customer, _)| *customer);
        match self.holder(hour) {
            Some((holder, _)) if holder == booking => Told::Moved(booking, hour),
            // It is this customer's own already, for another booking.
            Some((_, holder)) if Some(holder) == customer => Told::Refused,
            Some(_) => Told::Taken,
            None => {
                if let Some((_, at)) = self.open.get_mut(&booking) {
                    *at = hour;
                }
                Told::Moved(booking, hour)
            }
        }
    }
}

impl SequentialSpec for SequentialCalendar {
    type Op = Question;
    type Ret = Told;

    fn invoke(&mut self, question: &Question) -> Told {
        let operation = match question {
            Question::Rows => return Told::Rows(self.open.clone()),
            Question::IsTaken { hour, but_for } => {
                let is_taken =
                    self.holder(*hour).is_some_and(|(_, holder)| Some(holder) != *but_for);
                return if is_taken { Told::Taken } else { Told::Refused };
            }
            Question::IsAt { booking, hour } => {
                let is_there = self.open.get(booking).is_some_and(|(_, at)| at == hour);
                return if is_there { Told::Booked(*booking, *hour) } else { Told::Refused };
            }
            Question::Asked(operation) => operation,
        };
        match operation.wish {
            Wish::Book(hour) => self.book(operation, hour),
            Wish::Cancel(booking) => self.change(operation, booking, None),
            Wish::Move(booking, hour) => self.change(operation, booking, Some(hour)),
        }
    }

    fn is_valid_step(&mut self, question: &Question, told: &Told) -> bool {
        match (question, told) {
            (Question::IsTaken { .. } | Question::IsAt { .. }, _) => self.invoke(question) == *told,
            // A refusal changes nothing, and may have reasons that are not the calendar's: limits, or
            // hours that the owner has changed.
            (_, Told::Refused) => true,
            // Somebody else has the hour, whether or not there still is something to move.
            (Question::Asked(Operation { wish: Wish::Move(booking, hour), .. }), Told::Taken) => {
                self.holder(*hour).is_some_and(|(holder, _)| holder != *booking)
            }
            _ => self.invoke(question) == *told,
        }
    }
}
