//! A person's text to the number, and what became of it.

use super::Sid;

/// A text from a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inbound {
    /// The person's number.
    pub from: String,
    /// Text; empty for pictures only.
    pub body: String,
    /// Pictures.
    pub media: Vec<Media>,
    /// Sid to give it; `None` takes the next one.
    pub sid: Option<Sid>,
    /// How its webhook is signed.
    pub signing: Signing,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where it can be fetched.
    pub url: String,
    /// `image/jpeg`.
    pub content_type: String,
}

/// How a webhook is signed. All but the first stand for somebody who is not Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// With the account's token.
    #[default]
    Valid,
    /// No signature.
    Missing,
    /// With another token.
    Wrong,
    /// With the account's token, over another text.
    OtherBody,
}

/// What one delivery of a text came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The text.
    pub sid: Sid,
    /// Calls of the webhook, its fallback and their redirects, in order.
    pub attempts: Vec<Attempt>,
    /// Replies that were sent.
    pub replies: Vec<Sid>,
    /// Codes in Twilio's debugger, errors and warnings, in order.
    pub errors: Vec<u32>,
}

/// One call of one of the backend's URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Why it was called.
    pub kind: WebhookKind,
    /// URL as called.
    pub url: String,
    /// HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// Twilio's code of what went wrong, a warning included.
    pub error: Option<u32>,
}

/// Why Twilio calls the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKind {
    /// A text came.
    Sms,
    /// The webhook failed.
    Fallback,
    /// A message went on.
    Status,
}

impl WebhookKind {
    /// The exchange's name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "webhook.sms",
            Self::Fallback => "webhook.fallback",
            Self::Status => "webhook.status",
        }
    }
}
