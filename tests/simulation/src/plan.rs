//! What happens in a schedule: who asks for what, by which way. The same seed gives the same plan.

use std::fmt;

use handlers::domain::slot::{Slot, SlotTime};
use jiff::civil::date;
use rand::Rng;

/// The number of an operation, and the name of the booking that it makes: the customer's device.
pub type Id = u32;

/// A customer; the owner is nobody's customer.
pub type Customer = u8;

/// Hours of Wednesday, 2026-02-11, that everybody wants. Few, so that they meet.
pub const HOURS: [u8; 2] = [9, 10];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// The hour with this place in [`HOURS`].
    Book(u8),
    /// That an earlier booking is cancelled.
    Cancel(Id),
    /// That an earlier booking is moved to another hour.
    Move(Id, u8),
}

/// The way by which it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// A text.
    Text,
    /// The booking form.
    Form,
    /// The owner's page, for whichever customer.
    Owner,
}

/// Something that somebody asks for once: one MessageSid, one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Its number.
    pub id: Id,
    /// Who asks; whoever booked what the owner changes.
    pub customer: Customer,
    /// By which way.
    pub way: Way,
    /// For what.
    pub wish: Wish,
}

/// How large a plan is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many customers there are.
    pub customers: u8,
    /// How many texts or forms each sends.
    pub messages: u8,
    /// How many changes the owner makes.
    pub owners: u8,
}

impl Size {
    /// How many operations there are; they are numbered from 1.
    pub fn all(self) -> Id {
        Id::from(self.customers) * Id::from(self.messages) + Id::from(self.owners)
    }

    /// Whether an operation has this number.
    pub fn has(self, id: Id) -> bool {
        (1..=self.all()).contains(&id)
    }
}

impl Default for Size {
    fn default() -> Self {
        Self { customers: 3, messages: 3, owners: 2 }
    }
}

/// What each customer and, last, the owner ask for, in order.
pub fn plan(random: &mut impl Rng, size: Size) -> Vec<Vec<Operation>> {
    let mut actors: Vec<Vec<Operation>> = Vec::new();
    let mut id = 0;
    let bookings = u32::from(size.customers) * u32::from(size.messages);
    for customer in 0..size.customers {
        let mut own: Vec<Id> = Vec::new();
        let mut operations = Vec::new();
        for _ in 0..size.messages {
            id += 1;
            let hour = random.random_range(0..HOURS.len() as u8);
            // Now and then somebody names the booking of somebody else.
            let booking = match own.len() {
                _ if random.random_ratio(1, 12) => Some(random.random_range(1..=bookings)),
                0 => None,
                count => Some(own[random.random_range(0..count)]),
            };
            let (way, wish) = match (random.random_range(0..10), booking) {
                (0..=2, Some(booking)) => (Way::Text, Wish::Cancel(booking)),
                (3..=4, Some(booking)) => (Way::Text, Wish::Move(booking, hour)),
                (5, _) => (Way::Form, Wish::Book(hour)),
                _ => (Way::Text, Wish::Book(hour)),
            };
            if matches!(wish, Wish::Book(_)) {
                own.push(id);
            }
            operations.push(Operation { id, customer, way, wish });
        }
        actors.push(operations);
    }
    // The owner changes what a customer changes too, if there is such a booking.
    let changed: Vec<Id> = actors
        .iter()
        .flatten()
        .filter_map(|operation| match operation.wish {
            Wish::Cancel(booking) | Wish::Move(booking, _) => Some(booking),
            Wish::Book(_) => None,
        })
        .collect();
    let owners = (0..size.owners).map(|_| {
        id += 1;
        let booking = match changed.len() {
            0 => random.random_range(1..=bookings.max(1)),
            count => changed[random.random_range(0..count)],
        };
        let hour = random.random_range(0..HOURS.len() as u8);
        let wish = if random.random() { Wish::Cancel(booking) } else { Wish::Move(booking, hour) };
        let messages = u32::from(size.messages).max(1);
        let customer = u8::try_from((booking - 1) / messages).unwrap_or_default();
        Operation { id, customer, way: Way::Owner, wish }
    });
    actors.push(owners.collect());
    actors
}

/// The slot of an hour.
pub fn slot(hour: u8) -> Slot {
    let hour = HOURS.get(usize::from(hour)).copied().unwrap_or_default();
    Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(hour))
}

/// The hour of a slot, when it is one of those.
pub fn hour_of(wanted: Slot) -> Option<u8> {
    (0..HOURS.len() as u8).find(|hour| slot(*hour) == wanted)
}

/// The device of a booking.
pub fn device(id: Id) -> String {
    format!("Phone{id}")
}

/// The booking of a device, which may stand anywhere in a text.
pub fn booking_in(text: &str) -> Option<Id> {
    let (_, rest) = text.split_once("Phone")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A customer's number.
pub fn phone(customer: Customer) -> String {
    format!("+1904252{:04}", 1000 + u32::from(customer))
}

/// The customer of a number.
pub fn customer_of(phone: &str) -> Customer {
    let number: u32 = phone.get(8..).and_then(|digits| digits.parse().ok()).unwrap_or(1000);
    u8::try_from(number.saturating_sub(1000)).unwrap_or(u8::MAX)
}

/// A customer's name.
pub fn name(customer: Customer) -> &'static str {
    const NAMES: [&str; 6] = ["Ann", "Bob", "Cem", "Dea", "Eve", "Fay"];
    NAMES.get(usize::from(customer)).copied().unwrap_or("somebody")
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |hour: &u8| slot(*hour).time();
        match self {
            Self::Book(hour) => write!(f, "book {}", time(hour)),
            Self::Cancel(booking) => write!(f, "cancel booking {booking}"),
            Self::Move(booking, hour) => write!(f, "move booking {booking} to {}", time(hour)),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.way {
            Way::Owner => "the owner",
            Way::Text | Way::Form => name(self.customer),
        };
        let way = match self.way {
            Way::Text => "text",
            Way::Form => "form",
            Way::Owner => "page",
        };
        write!(f, "{who} by {way}: {}", self.wish)
    }
}
