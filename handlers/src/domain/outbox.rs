//! Texts that must go out, and customers who were promised an answer.
//!
//! A text is stored in the transaction of what causes it and stays until Twilio has taken it, so a
//! crash or an outage delays it and loses nothing.

use jiff::Timestamp;

use super::{
    calendar::Calendar,
    phone::Phone,
    text,
    turn::{MemoryTurn, TurnKey},
};

/// What a text is, where that decides how it is sent. The first word of its id says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// News for the owner of a booking.
    Booked,
    /// News for the owner of a cancellation.
    Cancelled,
    /// News for the owner of a move.
    Moved,
    /// News for the owner of a date whose schedule cannot be read.
    Unreadable,
    /// A code that confirms a booking by the form. Strangers cause such texts, to any number.
    Code,
    /// The owner's own words to a customer.
    OwnersWords,
}

/// Whether a text may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It may go out.
    Now,
    /// It is in the owner's quiet hours.
    Later,
    /// The owner wants none of them.
    Never,
}

impl TextKind {
    const ALL: [Self; 6] = [
        Self::Booked,
        Self::Cancelled,
        Self::Moved,
        Self::Unreadable,
        Self::Code,
        Self::OwnersWords,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::Moved => "moved",
            Self::Unreadable => "unreadable",
            Self::Code => "code",
            Self::OwnersWords => "owner",
        }
    }

    /// The kind that an id names; `None` for every other text, which goes out at once.
    pub fn of(id: &str) -> Option<Self> {
        let (name, _) = id.split_once('#')?;
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether such a text may go out at `now`, and if not, whether ever: the owner may switch news of
    /// bookings off, and have all news wait for the end of his quiet hours.
    pub fn wanted(self, calendar: &Calendar, now: Timestamp) -> Wanted {
        let settings = calendar.settings();
        match self {
            Self::Code | Self::OwnersWords => return Wanted::Now,
            Self::Booked | Self::Cancelled | Self::Moved if !settings.booking_texts => {
                return Wanted::Never;
            }
            Self::Booked | Self::Cancelled | Self::Moved | Self::Unreadable => {}
        }
        let is_quiet =
            settings.quiet_hours.is_some_and(|hours| hours.contains(calendar.local(now)));
        if is_quiet { Wanted::Later } else { Wanted::Now }
    }
}

/// A text that waits until Twilio takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxText {
    /// Names what causes it, so that a repeat of the cause stores nothing new. Begins with the
    /// [`TextKind`], if it has one.
    pub id: String,
    /// The recipient.
    pub to: Phone,
    /// The text, short enough for one message.
    pub body: String,
    /// Business time at which it was stored.
    pub created: Timestamp,
    /// It goes out even to a customer who has opted out: the last answer, to the text by which they
    /// did.
    pub despite_opt_out: bool,
}

impl OutboxText {
    /// A text as the messages that it needs, in characters that cost least.
    pub fn messages(id: &str, to: &Phone, body: &str, created: Timestamp) -> Vec<Self> {
        text::split_into_messages(&text::to_gsm7(body))
            .into_iter()
            .enumerate()
            .map(|(part, body)| Self {
                id: format!("{id}#{part}"),
                to: to.clone(),
                body,
                created,
                despite_opt_out: false,
            })
            .collect()
    }

    /// The id of a text about something: its kind, and what tells it from others of that kind.
    pub fn id_of(kind: TextKind, rest: &str) -> String {
        format!("{}#{rest}", kind.name())
    }

    /// What it is; `None` for a text of no kind that matters to its sending.
    pub fn kind(&self) -> Option<TextKind> {
        TextKind::of(&self.id)
    }
}

/// A text that a customer got no answer to, kept until the owner has answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnansweredText {
    /// The turn.
    pub key: TurnKey,
    /// What the customer wrote.
    pub words: String,
    /// The addresses of the pictures that came with it.
    pub media: Vec<String>,
    /// Why there is no answer, for the owner.
    pub reason: String,
    /// Business time of the turn.
    pub now: Timestamp,
}

/// What must be stored before a customer may be told that the owner will get back to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The text that waits for the owner's answer.
    pub unanswered: UnansweredText,
    /// The owner's notification; empty when the owner cannot be reached by text.
    pub notification: Vec<OutboxText>,
}

/// A text of the owner to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerAnswer {
    /// The customer.
    pub to: Phone,
    /// The text as it goes out; the first one's id names the owner's text.
    pub texts: Vec<OutboxText>,
    /// What the conversation remembers.
    pub memory: MemoryTurn,
    /// MessageSids of the customer's texts that are answered by it.
    pub answered: Vec<String>,
    /// Business time.
    pub now: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_stored_as_the_messages_that_it_needs() {
        let owner = Phone::parse("+19045550199").unwrap();
        let created = "2026-02-10T20:10:00Z".parse().unwrap();
        let texts = OutboxText::messages("x", &owner, &"word ".repeat(500), created);
        assert!(texts.len() > 1);
        assert_eq!(texts[0].id, "x#0");
        assert_eq!(texts[1].id, "x#1");
        assert!(texts.iter().all(|text| text.body.len() <= text::MAX_MESSAGE_UNITS));
    }

    #[test]
    fn an_id_names_its_kind() {
        for kind in TextKind::ALL {
            assert_eq!(TextKind::of(&OutboxText::id_of(kind, "LEAD-1")), Some(kind));
        }
        for id in ["callback#SM1#0", "late#SM1#0", "booked", "refused#booked#LEAD-1#0"] {
            assert_eq!(TextKind::of(id), None, "{id}");
        }
    }
}
