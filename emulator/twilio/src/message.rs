//! A message as the account's log keeps it.

use jiff::Timestamp;
use serde::Serialize;

use super::{Encoding, Sid};
use rehearse_core::journal::Via;

/// One message of the account.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its sid.
    pub sid: Sid,
    /// Who began it.
    pub direction: Direction,
    /// Sender; `None` while a Messaging Service has not chosen one.
    pub from: Option<String>,
    /// Recipient.
    pub to: String,
    /// Text; empty once redacted.
    pub body: String,
    /// URLs of pictures.
    pub media: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// Why it failed.
    pub error_code: Option<u32>,
    /// Segments billed.
    pub segments: u32,
    /// How the text is encoded.
    pub encoding: Encoding,
    /// Business time of creation.
    pub created: Timestamp,
    /// Business time of the last change.
    pub updated: Timestamp,
    /// Business time of sending.
    pub sent: Option<Timestamp>,
    /// The Messaging Service that it was sent with.
    pub service: Option<String>,
    /// How it was sent; `None` for a received one.
    pub via: Option<Via>,
    /// The received message that it answers.
    pub in_reply_to: Option<Sid>,
}

/// Who began a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// A person.
    Inbound,
    /// The REST API.
    OutboundApi,
    /// TwiML, or Twilio itself.
    OutboundReply,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waiting for a Messaging Service to choose a sender.
    Accepted,
    /// Waiting for its time.
    Scheduled,
    /// Waiting to be sent.
    Queued,
    /// Handed to the carrier.
    Sent,
    /// On the person's phone.
    Delivered,
    /// The carrier could not deliver it.
    Undelivered,
    /// Twilio could not send it.
    Failed,
    /// Taken back before it was sent.
    Canceled,
    /// Came in from a person.
    Received,
}

impl Status {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Received => "received",
        }
    }

    /// Nothing more happens to it: it may be redacted or deleted.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Scheduled | Self::Queued | Self::Sent)
    }
}
