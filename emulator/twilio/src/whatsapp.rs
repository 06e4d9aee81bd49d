//! WhatsApp: addresses with a channel in front of the number, and the window in which a business may answer.

use jiff::{SignedDuration, Timestamp};

use super::{Direction, message_log::MessageLog};

/// In front of the numbers of both sides.
const CHANNEL: &str = "whatsapp:";
/// How long after a person's message free text may be sent: Twilio's page of 63016.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The number of a WhatsApp address; `None` for any other address.
pub(crate) fn number(address: &str) -> Option<&str> {
    address.strip_prefix(CHANNEL)
}

/// The WhatsApp address of a number.
pub(crate) fn address(number: &str) -> String {
    format!("{CHANNEL}{number}")
}

/// Whether the person wrote to this sender less than a day ago.
pub(crate) fn is_open(messages: &MessageLog, sender: &str, person: &str, now: Timestamp) -> bool {
    let is_recent = |at| {
        let age = now.duration_since(at);
        // Business time was moved back to before the message: it has not been written yet.
        !age.is_negative() && age < WINDOW
    };
    messages.iter().rev().any(|message| {
        message.direction == Direction::Inbound
            && message.to == sender
            && message.from.as_deref() == Some(person)
            && is_recent(message.created)
    })
}
