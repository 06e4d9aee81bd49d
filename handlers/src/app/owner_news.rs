//! What the owner is told of bookings, cancellations and moves, one text each that is stored in the
//! change's own transaction, and of dates that cannot be read.

use jiff::{Timestamp, civil};

use crate::domain::{
    booking::Booking,
    outbox::{OutboxText, TextKind},
    phone::Phone,
};

/// Writes the owner's texts about changes of bookings. Whether he wants them, and when, is decided
/// when they go out.
#[derive(Debug, Clone, Copy)]
pub struct OwnerNews<'a> {
    /// The owner's number; without it there are no texts.
    pub owner: Option<&'a Phone>,
    /// Business time.
    pub now: Timestamp,
}

impl OwnerNews<'_> {
    /// Of a new booking.
    pub fn booked(&self, booking: &Booking) -> Vec<OutboxText> {
        let id = OutboxText::id_of(TextKind::Booked, booking.lead_id.as_str());
        self.text(&id, &format!("Booked: {}", details(booking)))
    }

    /// Of a cancellation. `cause` tells it from others of the same booking.
    pub fn cancelled(&self, booking: &Booking, cause: &str) -> Vec<OutboxText> {
        let id = OutboxText::id_of(TextKind::Cancelled, &format!("{}#{cause}", booking.lead_id));
        self.text(&id, &format!("Cancelled: {}", details(booking)))
    }

    /// Of a move. `cause` tells it from others of the same booking.
    pub fn moved(&self, from: &Booking, to: &Booking, cause: &str) -> Vec<OutboxText> {
        let id = OutboxText::id_of(TextKind::Moved, &format!("{}#{cause}", to.lead_id));
        self.text(&id, &format!("Moved from {}: {}", from.slot, details(to)))
    }

    /// Of a date whose schedule no program can read, so that it is closed.
    pub fn unreadable_date(&self, date: civil::Date) -> Vec<OutboxText> {
        let body = format!(
            "The schedule of {date} has a row that cannot be read, so nothing is offered on that \
             day. Please write times like 2:00 PM."
        );
        self.text(&OutboxText::id_of(TextKind::Unreadable, &date.to_string()), &body)
    }

    fn text(&self, id: &str, body: &str) -> Vec<OutboxText> {
        self.owner.map_or_else(Vec::new, |owner| OutboxText::messages(id, owner, body, self.now))
    }
}

/// The booking with its customer. What customers typed stands in quotation marks: anybody may have
/// typed it into the form.
fn details(booking: &Booking) -> String {
    let mut details = format!("{}. {}", booking.summary(), booking.phone.as_str());
    if let Some(name) = &booking.customer_name {
        details.push_str(&format!(" ({})", quoted(name)));
    }
    match (&booking.address, booking.repair.is_visit()) {
        (Some(address), _) => details.push_str(&format!(". At {}", quoted(address))),
        (None, true) => details.push_str(". No address yet"),
        (None, false) => {}
    }
    details
}

/// What a customer typed, as the owner reads it.
pub(super) fn quoted(words: &str) -> String {
    format!("\"{}\"", words.replace('"', "'"))
}
