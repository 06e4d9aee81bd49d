//! A message of the account.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Encoding, Sid};
use rehearse_core::journal::Via;

/// How long after it was sent or received Twilio takes to finish with a message.
const COMPLETED_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How long Twilio waits for what a carrier says, by a reply of its support:
/// <https://github.com/code-dot-org/code-dot-org/pull/11188>.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// A message that the account's number received or sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its sid.
    pub sid: Sid,
    /// Whether it was received, or how it was sent.
    pub direction: Direction,
    /// The sender's number; `None` until a Messaging Service has chosen one.
    pub from: Option<String>,
    /// The recipient's number.
    pub to: String,
    /// The text; empty after it was redacted.
    pub body: String,
    /// URLs of media.
    pub media: Vec<String>,
    /// The status.
    pub status: Status,
    /// Twilio's code of why it was not delivered.
    pub error_code: Option<u32>,
    /// How many segments it is billed as.
    pub segments: u32,
    /// The encoding of the text.
    pub encoding: Encoding,
    /// Business time of creation.
    pub created: Timestamp,
    /// Business time of the last change.
    pub updated: Timestamp,
    /// Business time of sending.
    pub sent: Option<Timestamp>,
    /// The Messaging Service (`MG...`) that the sender or recipient belongs to.
    pub service: Option<String>,
    /// How it was sent; `None` for a received message.
    pub via: Option<Via>,
    /// The received message that it is a reply to.
    pub in_reply_to: Option<Sid>,
    /// Whether the carrier never says what became of it.
    pub(crate) ends_as_sent: bool,
}

/// Whether a message was received, or how it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// A person sent it to the account's number.
    Inbound,
    /// The backend sent it with the REST API.
    OutboundApi,
    /// It is a TwiML reply, or one of Twilio's own notices about opt-out.
    OutboundReply,
}

/// The status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A Messaging Service has yet to choose its sender.
    Accepted,
    /// It is sent at a later time.
    Scheduled,
    /// It is about to be sent.
    Queued,
    /// The carrier has it.
    Sent,
    /// It arrived.
    Delivered,
    /// The carrier could not deliver it.
    Undelivered,
    /// Twilio could not send it.
    Failed,
    /// It was canceled before its time.
    Canceled,
    /// The account's number received it.
    Received,
}

impl Message {
    /// Whether Twilio has finished with the message at this business time, so that it can be redacted
    /// or deleted: its status cannot change any more, and it was sent or received at least a minute
    /// ago. Twilio's dictionary says of 20009 to wait at least one minute. A message of which the carrier
    /// says nothing is given up after an hour.
    pub(crate) fn is_complete(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.sent.unwrap_or(self.created));
        // Business time was moved back to before the message.
        let is_older_than = |time| age.is_negative() || age >= time;
        (self.status.is_final() && is_older_than(COMPLETED_AFTER))
            || (self.ends_as_sent && is_older_than(GIVEN_UP_AFTER))
    }

    /// Whether its status is still to change.
    pub(crate) fn is_under_way(&self) -> bool {
        !(self.status.is_final() || (self.ends_as_sent && self.status == Status::Sent))
    }
}

impl Status {
    /// The status as the API shows it.
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

    /// Whether the status cannot change any more.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Scheduled | Self::Queued | Self::Sent)
    }
}
