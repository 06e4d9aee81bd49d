//! What is asked of the shop and what it answers, in the words of the [`Model`](super::model::Model).

use handlers::domain::{catalogue::Repair, lead::LeadStatus, slot::Slot, time_needed::TimeNeeded};
use jiff::{Span, civil};

/// What somebody asks for. Bookings are named by their places.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Book(Slot, Repair),
    /// By the form, with a key.
    Form(u8, Slot, Repair),
    Cancel(usize),
    Move(usize, Slot),
    Complete(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer {
    /// It is so, now or by an earlier wish, of this booking.
    Done(usize),
    /// Whatever else is booked.
    Unbookable,
    Taken,
    /// The customer has that time already.
    Own(usize),
    /// There is no such booking for them to change.
    NotOpen,
    TooMany,
    KeyReused,
}

#[derive(Debug, Clone)]
pub struct Booking {
    pub customer: u8,
    /// The form that made it.
    pub form: Option<Wish>,
    pub repair: Repair,
    pub slot: Slot,
    pub needed: TimeNeeded,
    pub status: LeadStatus,
}

impl Wish {
    /// The wish, when it came by the form.
    pub fn form(&self) -> Option<&Self> {
        matches!(self, Self::Form(..)).then_some(self)
    }
}

impl Booking {
    pub fn new(
        customer: u8,
        form: Option<&Wish>,
        slot: Slot,
        needed: TimeNeeded,
        repair: &Repair,
    ) -> Self {
        let (form, repair, status) = (form.cloned(), repair.clone(), LeadStatus::Booked);
        Self { customer, form, repair, slot, needed, status }
    }

    /// Whether it is the booking of a customer that begins then.
    pub fn is_of(&self, customer: u8, slot: Slot) -> bool {
        (self.customer, self.slot, self.status) == (customer, slot, LeadStatus::Booked)
    }

    /// Whether it is not over at a time of the shop's clock.
    pub fn is_open_at(&self, clock: civil::DateTime) -> bool {
        let end = self.slot.start() + Span::new().minutes(self.needed.minutes);
        self.status == LeadStatus::Booked && end > clock
    }

    /// Whether a form with the same key made it.
    pub fn has_key_of(&self, other: Option<&Wish>) -> bool {
        matches!((&self.form, other), (Some(Wish::Form(key, ..)), Some(Wish::Form(same, ..))) if key == same)
    }
}
