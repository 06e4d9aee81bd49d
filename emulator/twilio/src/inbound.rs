//! A person's text to the number, and how its delivery to the webhook went.

use super::Sid;

/// A text from a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inbound {
    /// The person's number, or `whatsapp:` and the number. A WhatsApp message to a number that is no WhatsApp
    /// sender is dropped: see [`Twilio::is_whatsapp_sender`](super::Twilio::is_whatsapp_sender).
    pub from: String,
    /// Which of the account's numbers is texted; `None`, or one that is not the account's, is the first.
    pub to: Option<String>,
    /// The text; empty when there is only media.
    pub body: String,
    /// Pictures and other files.
    pub media: Vec<Media>,
    /// How its webhook is signed.
    pub signing: Signing,
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where the backend can fetch it; or a name such as `screen.jpg`, for which the fake serves a small file of
    /// the type that its ending says.
    pub url: String,
    /// Its media type, such as `image/jpeg`.
    pub content_type: String,
}

/// How a webhook is signed. All but [`Signing::Valid`] imitate a caller that is not Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// With the account's auth token.
    #[default]
    Valid,
    /// Not at all.
    Missing,
    /// With another token.
    Wrong,
    /// With the account's auth token, for a request with another body.
    OtherBody,
}

/// How one delivery of a text went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The sid of the text.
    pub sid: Sid,
    /// Calls of the webhook, its fallback and their redirects, in order.
    pub attempts: Vec<Attempt>,
    /// Sids of the replies that were sent.
    pub replies: Vec<Sid>,
    /// Twilio's codes of errors and warnings, in order, as its debugger shows them.
    pub errors: Vec<u32>,
    /// Twilio's code of why the delivery failed in the end: neither the webhook nor the fallback gave
    /// a usable response. `None` when it succeeded, and when there is no webhook.
    pub failure: Option<u32>,
}

/// One call of one of the backend's URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which URL was called.
    pub kind: WebhookKind,
    /// The URL, without its fragment.
    pub url: String,
    /// The HTTP status; `None` when there was no response.
    pub status: Option<u16>,
    /// Twilio's code of the first error or warning.
    pub error: Option<u32>,
}

/// Which of the backend's URLs is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookKind {
    /// The webhook for received texts.
    Sms,
    /// The fallback, after the webhook failed.
    Fallback,
    /// A status callback.
    Status,
}

impl WebhookKind {
    /// The exchange's name in the journal, by which faults are armed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "webhook.sms",
            Self::Fallback => "webhook.fallback",
            Self::Status => "webhook.status",
        }
    }
}
