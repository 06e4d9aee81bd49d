//! Messages from the account's number: TwiML replies, REST sends and Twilio's own notices.
//!
//! A message without a status callback reaches its final status at once. One with a status callback
//! passes through its statuses in a background task, which calls the backend at each.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::{
    Direction, Message, Method, NumberKind, Segments, Sid, Signing, Status, WebhookKind,
    account::Account,
    options::Endpoint,
    webhook::{WebhookCall, WebhookClient},
};
use rehearse_core::journal::{ExchangeDetail, Outcome, Via};

/// Most characters in one message.
pub(crate) const MAX_BODY: usize = 1600;

/// Sends messages. Owns the scheduled ones and the background tasks.
pub(crate) struct Outbox {
    account: Arc<Account>,
    webhooks: Arc<WebhookClient>,
    /// Always locked before the account's state.
    scheduled: Mutex<Vec<ScheduledMessage>>,
    /// Where later statuses of the messages go that have a status callback.
    callbacks: Mutex<HashMap<Sid, Endpoint>>,
    tasks: Mutex<JoinSet<()>>,
}

/// A message to send.
#[derive(Debug, Clone)]
pub(crate) struct OutgoingMessage {
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
    /// When to send it; `None` is now.
    pub send_at: Option<Timestamp>,
}

/// A message that waits for its time.
struct ScheduledMessage {
    at: Timestamp,
    sid: Sid,
    message: OutgoingMessage,
}

/// The next status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatusChange {
    status: Status,
    error: Option<u32>,
}

impl Outbox {
    pub fn new(account: Arc<Account>, webhooks: Arc<WebhookClient>) -> Self {
        let (scheduled, callbacks, tasks) = Default::default();
        Self { account, webhooks, scheduled, callbacks, tasks }
    }

    /// Sends a TwiML reply and returns its sid.
    ///
    /// # Errors
    /// Twilio's code of why it refuses the reply: 21610, the recipient has opted out; 21617, the body
    /// is too long.
    pub fn reply(self: &Arc<Self>, message: OutgoingMessage) -> Result<Sid, u32> {
        let refusal = if self.account.has_opted_out(&message.to) {
            21610
        } else if message.body.chars().count() > MAX_BODY {
            21617
        } else {
            return Ok(self.send(message).sid);
        };
        let outcome = Outcome::default().with_error(refusal.to_string());
        self.journal(String::new(), &message, outcome);
        Err(refusal)
    }

    /// Accepts a message for sending and returns it with its first status.
    pub fn send(self: &Arc<Self>, mut message: OutgoingMessage) -> Message {
        let size = self.measure(&message);
        let mut scheduled = self.scheduled();
        let mut state = self.account.state();
        if message.status_callback.is_none() {
            let url = state.config.status_callback.clone();
            message.status_callback = url.map(|url| Endpoint { url, method: Method::Post });
        }
        let sid = state.sids.generate(!message.media.is_empty());
        let created = self.created(sid, &message, size);
        state.messages.push(created.clone());
        drop(state);
        if let Some(at) = message.send_at {
            scheduled.push(ScheduledMessage { at, sid, message });
        } else {
            drop(scheduled);
            self.dispatch(sid, message);
        }
        created
    }

    /// Sends the scheduled messages whose time has come.
    pub fn release_due(self: &Arc<Self>) {
        let now = self.account.clock.now();
        let due: Vec<ScheduledMessage> = {
            let mut scheduled = self.scheduled();
            let (due, waiting) =
                std::mem::take(&mut *scheduled).into_iter().partition(|message| message.at <= now);
            *scheduled = waiting;
            due
        };
        for message in due {
            self.dispatch(message.sid, message.message);
        }
    }

    /// Cancels a scheduled message; `false` when there is no message with this sid that waits for
    /// its time.
    pub fn cancel(self: &Arc<Self>, sid: Sid) -> bool {
        let canceled = {
            let mut scheduled = self.scheduled();
            let Some(index) = scheduled.iter().position(|message| message.sid == sid) else {
                return false;
            };
            scheduled.remove(index)
        };
        let change = StatusChange { status: Status::Canceled, error: None };
        self.change_status(sid, change);
        if let Some(callback) = canceled.message.status_callback {
            let outbox = Arc::clone(self);
            self.spawn(async move { outbox.change_and_call_back(sid, &callback, change).await });
        }
        true
    }

    /// Stops the background tasks.
    pub fn stop(&self) {
        self.tasks().abort_all();
    }

    /// Stops the background tasks and drops the scheduled messages.
    pub fn reset(&self) {
        self.stop();
        self.scheduled().clear();
        self.callbacks().clear();
    }

    /// Gives a sent message another status, as a late report of the carrier does, and calls its status
    /// callback if it has one. Returns the message; `None` when no message that was sent has this sid.
    pub async fn report(&self, sid: Sid, status: Status, error: Option<u32>) -> Option<Message> {
        let _activity = self.account.activity.begin();
        let change = StatusChange { status, error };
        let sent = |message: &Message| message.via.is_some() && message.status != Status::Scheduled;
        if !self.account.state().messages.get(sid).is_some_and(sent) {
            return None;
        }
        let callback = self.callbacks().get(&sid).cloned();
        match callback {
            Some(callback) => {
                Box::pin(self.change_and_call_back(sid, &callback, change)).await;
                self.account.state().messages.get(sid).cloned()
            }
            None => self.change_status(sid, change),
        }
    }

    /// Remembers where statuses of a message go, for as long as messages are kept.
    fn keep_callback(&self, sid: Sid, callback: &Endpoint) {
        let mut kept = self.callbacks();
        kept.insert(sid, callback.clone());
        let state = self.account.state();
        // Now and then, so that each message costs the same.
        if kept.len() > 64 && kept.len() > state.messages.len() * 2 {
            kept.retain(|sid, _| state.messages.get(*sid).is_some());
        }
    }

    /// Hands a message to the carrier, which decides its final status.
    fn dispatch(self: &Arc<Self>, sid: Sid, message: OutgoingMessage) {
        let change = self.final_status(&message);
        let outcome = match change {
            StatusChange { status: Status::Failed, error: Some(code) } => {
                Outcome::default().with_error(code.to_string())
            }
            _ => Outcome::default(),
        };
        self.journal(sid.to_string(), &message, outcome);
        match message.status_callback {
            Some(callback) => {
                self.keep_callback(sid, &callback);
                let outbox = Arc::clone(self);
                let by_service = message.service.is_some();
                self.spawn(async move { outbox.follow(sid, &callback, by_service, change).await });
            }
            None => {
                self.change_status(sid, change);
            }
        }
    }

    fn final_status(&self, message: &OutgoingMessage) -> StatusChange {
        if self.account.has_opted_out(&message.to) && message.via != Via::Twilio {
            // Only a Messaging Service's message gets here: others were refused before.
            StatusChange { status: Status::Failed, error: Some(21610) }
        } else if let Some(failure) = self.account.faults.next_failure("twilio.delivery") {
            let code = failure.code.and_then(|code| code.parse().ok()).unwrap_or(30008);
            StatusChange { status: Status::Undelivered, error: Some(code) }
        } else {
            StatusChange { status: Status::Delivered, error: None }
        }
    }

    /// Passes a message through its statuses up to the final one, with a callback at each.
    async fn follow(
        &self,
        sid: Sid,
        callback: &Endpoint,
        by_service: bool,
        final_status: StatusChange,
    ) {
        // The first status has no callback: `accepted` for a service's message, else `queued`.
        let queued = by_service.then_some(Status::Queued);
        let sent = (final_status.status != Status::Failed).then_some(Status::Sent);
        for status in queued.into_iter().chain(sent) {
            self.change_and_call_back(sid, callback, StatusChange { status, error: None }).await;
        }
        self.change_and_call_back(sid, callback, final_status).await;
    }

    async fn change_and_call_back(&self, sid: Sid, callback: &Endpoint, change: StatusChange) {
        // A deleted message has no more callbacks.
        let Some(message) = self.change_status(sid, change) else { return };
        let call = WebhookCall {
            kind: WebhookKind::Status,
            sid,
            url: callback.url.clone(),
            method: callback.method,
            params: callback_params(&message, &self.account.options.account_sid),
            signing: Signing::Valid,
            person: "",
            replies: 0,
        };
        self.webhooks.call(&call).await;
    }

    /// Gives a message its next status and returns it; `None` when it was deleted.
    fn change_status(&self, sid: Sid, change: StatusChange) -> Option<Message> {
        let now = self.account.clock.now();
        let mut state = self.account.state();
        let message = state.messages.get_mut(sid)?;
        message.status = change.status;
        message.error_code = change.error;
        message.updated = now;
        if matches!(change.status, Status::Sent | Status::Delivered | Status::Undelivered) {
            message.from.get_or_insert_with(|| self.account.options.number.clone());
            message.sent.get_or_insert(now);
        }
        Some(message.clone())
    }

    fn created(&self, sid: Sid, message: &OutgoingMessage, size: Segments) -> Message {
        let now = self.account.clock.now();
        let number = &self.account.options.number;
        Message {
            sid,
            direction: message.direction,
            from: message.service.is_none().then(|| number.clone()),
            to: message.to.clone(),
            body: message.body.clone(),
            media: message.media.clone(),
            status: match (message.send_at, &message.service) {
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
            service: message.service.clone(),
            via: Some(message.via),
            in_reply_to: message.in_reply_to,
        }
    }

    fn measure(&self, message: &OutgoingMessage) -> Segments {
        let kind: NumberKind = self.account.state().config.kind;
        let size = Segments::of(&message.body, kind);
        // A message with media is billed as one, whatever its text.
        if message.media.is_empty() { size } else { Segments { count: 1, ..size } }
    }

    fn journal(&self, sid: String, message: &OutgoingMessage, outcome: Outcome) {
        let size = self.measure(message);
        let detail = ExchangeDetail::SmsSent {
            sid,
            from: self.account.options.number.clone(),
            to: message.to.clone(),
            body: message.body.clone(),
            media: message.media.clone(),
            segments: size.count,
            encoding: size.encoding.as_str().to_owned(),
            via: message.via,
            in_reply_to: message.in_reply_to.map(|sid| sid.to_string()),
        };
        self.account.journal.begin("sms.sent", detail).end(outcome);
    }

    /// Runs a task in the background, until it is done or [`Outbox::stop`].
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let activity = self.account.activity.begin();
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _activity = activity;
            task.await;
        });
    }

    fn scheduled(&self) -> MutexGuard<'_, Vec<ScheduledMessage>> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Always locked before the account's state.
    fn callbacks(&self) -> MutexGuard<'_, HashMap<Sid, Endpoint>> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The form parameters of a status callback, in the order in which Twilio sends them.
fn callback_params(message: &Message, account_sid: &str) -> Vec<(String, String)> {
    let mut params: Vec<(String, String)> = Vec::with_capacity(11);
    let mut add = |key: &str, value: &str| params.push((key.to_owned(), value.to_owned()));
    let (sid, status) = (message.sid.to_string(), message.status.as_str());
    if let Some(code) = message.error_code {
        add("ErrorCode", &code.to_string());
    }
    if matches!(message.status, Status::Delivered | Status::Undelivered) {
        add("RawDlrDoneDate", &message.updated.strftime("%y%m%d%H%M").to_string());
    }
    add("SmsSid", &sid);
    add("SmsStatus", status);
    add("MessageStatus", status);
    add("To", &message.to);
    add("MessageSid", &sid);
    add("AccountSid", account_sid);
    if let Some(service) = &message.service {
        add("MessagingServiceSid", service);
    }
    add("From", message.from.as_deref().unwrap_or_default());
    add("ApiVersion", "2010-04-01");
    params
}
