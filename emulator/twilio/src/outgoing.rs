//! A message to send: what it is when it is accepted, and how it stands in the journal.

use jiff::Timestamp;

use super::{Direction, Message, NumberKind, Segments, Sid, Status, options::Endpoint};
use rehearse_core::journal::{ExchangeDetail, Via};

/// Most characters in one message.
pub(crate) const MAX_BODY: usize = 1600;

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingMessage {
    /// The account's number that sends it. A Messaging Service says it when it has chosen.
    pub from: String,
    pub to: String,
    pub body: String,
    pub media: Vec<String>,
    pub direction: Direction,
    pub via: Via,
    pub in_reply_to: Option<Sid>,
    /// `None` takes the number's own status callback, if it has one.
    pub status_callback: Option<Endpoint>,
    /// The Messaging Service that sends it, instead of the number itself.
    pub service: Option<String>,
    /// Whether the service chooses the number; `from` is empty until it has.
    pub service_chooses: bool,
    /// Whether its text is that of a content template.
    pub is_template: bool,
    /// When to send it; `None` is now.
    pub send_at: Option<Timestamp>,
    /// For how many seconds it may wait in the queue; `None` takes the Messaging Service's setting.
    pub validity_period: Option<u32>,
}

impl OutgoingMessage {
    /// The message as it is accepted at this business time.
    pub fn created(&self, sid: Sid, size: Segments, now: Timestamp) -> Message {
        Message {
            sid,
            direction: self.direction,
            from: (!self.service_chooses).then(|| self.from.clone()),
            to: self.to.clone(),
            body: self.body.clone(),
            media: self.media.clone(),
            status: match (self.send_at, &self.service) {
                (Some(_), _) => Status::Scheduled,
                (None, Some(_)) => Status::Accepted,
                (None, None) => Status::Queued,
            },
            error_code: None,
            segments: size.count,
            encoding: size.encoding,
            created: now,
            updated: now,
            sent: None,
            service: self.service.clone(),
            via: Some(self.via),
            in_reply_to: self.in_reply_to,
            ends_as_sent: false,
        }
    }

    /// What it is billed as when a number of this kind sends it.
    pub fn measure(&self, kind: NumberKind) -> Segments {
        let size = Segments::of(&self.body, kind);
        // A message with media is billed as one, whatever its text.
        if self.media.is_empty() { size } else { Segments { count: 1, ..size } }
    }

    /// The message as the journal has it.
    pub fn detail(&self, sid: String, size: Segments) -> ExchangeDetail {
        ExchangeDetail::SmsSent {
            sid,
            from: self.from.clone(),
            to: self.to.clone(),
            body: self.body.clone(),
            media: self.media.clone(),
            segments: size.count,
            encoding: size.encoding.as_str().to_owned(),
            via: self.via,
            in_reply_to: self.in_reply_to.map(|sid| sid.to_string()),
        }
    }
}
