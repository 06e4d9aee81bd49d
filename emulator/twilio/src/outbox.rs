//! The one way out: replies, REST sends and Twilio's own notices.
//!
//! Without a status callback a text is delivered at once and costs no task;
//! with one, a task walks it through its states.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Direction, Message, Method, Segments, Sid, Status, server::Account, webhook};
use rehearse_core::journal::{ExchangeDetail, Outcome, Via};

/// Longest text that Twilio sends.
pub(super) const LONGEST: usize = 1600;

/// A URL of the backend and how it is called.
pub(super) type StatusCallback = (String, Method);

/// A text on its way out.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub to: String,
    pub body: String,
    pub media: Vec<String>,
    pub direction: Direction,
    pub via: Via,
    pub in_reply_to: Option<Sid>,
    pub callback: Option<StatusCallback>,
    pub service: Option<String>,
    pub send_at: Option<Timestamp>,
}

/// A text that waits for its time.
#[derive(Debug, Clone)]
pub(super) struct ScheduledMessage {
    pub at: Timestamp,
    pub sid: Sid,
    pub callback: Option<StatusCallback>,
}

/// How a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusChange {
    pub status: Status,
    pub error: Option<u32>,
}

impl Account {
    pub fn is_blocked(&self, person: &str) -> bool {
        self.state().blocked.contains(person)
    }

    /// Sends a TwiML reply, unless Twilio would refuse it with this code.
    pub fn reply(self: &Arc<Self>, text: OutgoingMessage) -> Result<Sid, u32> {
        let refusal = if self.is_blocked(&text.to) {
            Some(21610)
        } else {
            (text.body.chars().count() > LONGEST).then_some(21617)
        };
        match refusal {
            Some(code) => {
                let exchange = self.exchange_detail(String::new(), &text, self.measure(&text));
                let outcome = Outcome::default().with_error(code.to_string());
                self.journal.begin("sms.sent", exchange).end(outcome);
                Err(code)
            }
            None => Ok(self.send(text).sid),
        }
    }

    /// Accepts a text for sending and returns it as it was then.
    pub fn send(self: &Arc<Self>, text: OutgoingMessage) -> Message {
        let now = self.clock.now();
        let size = self.measure(&text);
        let status = match (&text.send_at, &text.service) {
            (Some(_), _) => Status::Scheduled,
            (_, Some(_)) => Status::Accepted,
            _ => Status::Queued,
        };
        let mut state = self.state();
        let callback = text
            .callback
            .clone()
            .or_else(|| state.config.status_callback.clone().map(|url| (url, Method::Post)));
        let sid = state.sids.generate(!text.media.is_empty());
        let created = Message {
            sid,
            direction: text.direction,
            from: text.service.is_none().then(|| self.options.number.clone()),
            to: text.to.clone(),
            body: text.body.clone(),
            media: text.media.clone(),
            status,
            error_code: None,
            segments: size.count,
            encoding: size.encoding,
            created: now,
            updated: now,
            sent: None,
            service: text.service.clone(),
            via: Some(text.via),
            in_reply_to: text.in_reply_to,
        };
        state.messages.push(created.clone());
        if let Some(at) = text.send_at {
            state.scheduled.push(ScheduledMessage { at, sid, callback });
        } else {
            drop(state);
            self.dispatch(sid, &text, size, callback);
        }
        created
    }

    /// Sends scheduled texts whose time has come.
    pub fn release_due(self: &Arc<Self>) {
        let now = self.clock.now();
        let due: Vec<(ScheduledMessage, OutgoingMessage)> = {
            let mut state = self.state();
            if state.scheduled.is_empty() {
                return;
            }
            let (due, waiting) =
                std::mem::take(&mut state.scheduled).into_iter().partition(|text| text.at <= now);
            state.scheduled = waiting;
            let due: Vec<ScheduledMessage> = due;
            due.into_iter()
                .filter_map(|waited| {
                    let message = state.messages.get(waited.sid)?;
                    let text = OutgoingMessage {
                        to: message.to.clone(),
                        body: message.body.clone(),
                        media: message.media.clone(),
                        direction: message.direction,
                        via: message.via?,
                        in_reply_to: message.in_reply_to,
                        callback: None,
                        service: message.service.clone(),
                        send_at: None,
                    };
                    (message.status == Status::Scheduled).then_some((waited, text))
                })
                .collect()
        };
        for (waited, text) in due {
            self.dispatch(waited.sid, &text, self.measure(&text), waited.callback);
        }
    }

    /// Hands an accepted text to the carrier.
    fn dispatch(
        self: &Arc<Self>,
        sid: Sid,
        text: &OutgoingMessage,
        size: Segments,
        callback: Option<StatusCallback>,
    ) {
        let change = if self.is_blocked(&text.to) && text.via != Via::Twilio {
            // Only with a Messaging Service: without one the request was refused.
            StatusChange { status: Status::Failed, error: Some(21610) }
        } else if let Some(failure) = self.faults.next_failure("twilio.delivery") {
            let code = failure.code.and_then(|code| code.parse().ok()).unwrap_or(30008);
            StatusChange { status: Status::Undelivered, error: Some(code) }
        } else {
            StatusChange { status: Status::Delivered, error: None }
        };
        let outcome = match change {
            StatusChange { status: Status::Failed, error: Some(code) } => {
                Outcome::default().with_error(code.to_string())
            }
            _ => Outcome::default(),
        };
        self.journal
            .begin("sms.sent", self.exchange_detail(sid.to_string(), text, size))
            .end(outcome);
        match callback {
            Some(callback) => {
                let account = Arc::clone(self);
                let with_service = text.service.is_some();
                self.spawn(webhook::follow(account, sid, callback, with_service, change));
            }
            None => {
                let now = self.clock.now();
                if let Some(message) = self.state().messages.get_mut(sid) {
                    message.advance(change.status, change.error, &self.options.number, now);
                }
            }
        }
    }

    fn measure(&self, text: &OutgoingMessage) -> Segments {
        let kind = self.state().config.kind;
        let size = Segments::of(&text.body, kind);
        // A picture message is billed as one, whatever its text.
        if text.media.is_empty() { size } else { Segments { count: 1, ..size } }
    }

    fn exchange_detail(
        &self,
        sid: String,
        text: &OutgoingMessage,
        size: Segments,
    ) -> ExchangeDetail {
        ExchangeDetail::SmsSent {
            sid,
            from: self.options.number.clone(),
            to: text.to.clone(),
            body: text.body.clone(),
            media: text.media.clone(),
            segments: size.count,
            encoding: size.encoding.as_str().to_owned(),
            via: text.via,
            in_reply_to: text.in_reply_to.map(|sid| sid.to_string()),
        }
    }
}

impl Message {
    /// Moves on to `status`.
    pub(super) fn advance(
        &mut self,
        status: Status,
        error: Option<u32>,
        number: &str,
        now: Timestamp,
    ) {
        self.status = status;
        self.error_code = error;
        self.updated = now;
        if matches!(status, Status::Sent | Status::Delivered | Status::Undelivered) {
            self.from.get_or_insert_with(|| number.to_owned());
            self.sent.get_or_insert(now);
        }
    }
}
