//! Texts that must go out, and customers who were promised an answer.
//!
//! A text is stored in the transaction of what causes it and stays until Twilio has taken it, so a
//! crash or an outage delays it and loses nothing.

use jiff::Timestamp;

use super::{
    phone::Phone,
    text,
    turn::{MemoryTurn, TurnKey},
};

/// A text that waits until Twilio takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxText {
    /// Names what causes it, so that a repeat of the cause stores nothing new.
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
    /// It does not go out before this business time.
    pub not_before: Option<Timestamp>,
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
                not_before: None,
            })
            .collect()
    }

    /// Whether it may go out at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|time| time <= now)
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
}
