//! What happens to one message: its statuses and the calls of its status callback, one after the other.

use std::sync::Arc;

use tokio::sync::oneshot;

use rehearse_core::journal::caused_by;

use super::Outbox;
use crate::{
    Sid, Signing, Status, WebhookKind,
    callback::callback_params,
    course::{Happening, StatusChange, rank},
    options::Endpoint,
    webhook::WebhookCall,
};

/// A part of what happens to a message with a status callback.
pub(super) struct Work {
    pub(super) sender: String,
    pub(super) callback: Option<Endpoint>,
    pub(super) what: Happening,
    /// Whether it happens whatever status the message has.
    pub(super) reported: bool,
    /// Told when it has happened.
    pub(super) done: Option<oneshot::Sender<()>>,
}

impl Work {
    pub(super) fn new(sender: String, callback: Option<Endpoint>, what: Happening) -> Self {
        Self { sender, callback, what, reported: false, done: None }
    }
}

impl Outbox {
    /// Has things happen to a message behind what is happening to it.
    pub(super) fn queue(self: &Arc<Self>, sid: Sid, work: impl IntoIterator<Item = Work>) {
        if self.lanes.push(sid, work) {
            let outbox = Arc::clone(self);
            self.spawn(async move {
                while let Some(work) = outbox.lanes.next(sid) {
                    outbox.happen(sid, work).await;
                }
            });
        }
    }

    async fn happen(&self, sid: Sid, Work { sender, callback, what, reported, done }: Work) {
        match (what, callback) {
            (Happening::Change(change), _) if reported => self.change_status(sid, &sender, change),
            (Happening::Change(change), _) => self.go_on(sid, &sender, change),
            (Happening::CallBack(change), Some(callback)) => {
                self.call_back(sid, &callback, change).await;
            }
            (Happening::CallBack(_), None) => {}
        }
        if let Some(done) = done {
            // Whoever waited may be gone.
            let _ = done.send(());
        }
    }

    /// Tells the backend of a status. A deleted message has no more callbacks.
    async fn call_back(&self, sid: Sid, callback: &Endpoint, told: StatusChange) {
        let message = self.account.state().messages.get(sid).cloned();
        let Some(message) = message else { return };
        let call = WebhookCall {
            kind: WebhookKind::Status,
            sid,
            url: callback.url.clone(),
            method: callback.method,
            params: callback_params(&message, told, &self.account.options.account_sid),
            signing: Signing::Valid,
            person: "",
            number: "",
            numbers: &[],
            replies: 0,
        };
        let cause = self.callbacks().get(&sid).and_then(|kept| kept.cause);
        caused_by(cause, self.webhooks.call(&call)).await;
    }

    /// Gives a message its next status, unless it is further on its way already: a backend that is slow to
    /// answer a callback must not put it back.
    pub(super) fn go_on(&self, sid: Sid, sender: &str, change: StatusChange) {
        let has = self.account.state().messages.get(sid).map(|message| rank(message.status));
        if has.is_some_and(|has| has < rank(change.status)) {
            self.change_status(sid, sender, change);
        }
    }

    /// Gives a message a status, unless it was deleted.
    pub(super) fn change_status(&self, sid: Sid, sender: &str, change: StatusChange) {
        let now = self.account.clock.now();
        let mut state = self.account.state();
        let Some(message) = state.messages.get_mut(sid) else { return };
        message.status = change.status;
        message.error_code = change.error;
        message.updated = now;
        let is_sent =
            matches!(change.status, Status::Sent | Status::Delivered | Status::Undelivered);
        if (is_sent || change.status == Status::Queued) && !sender.is_empty() {
            // A Messaging Service has chosen its sender by then, unless it has none any more.
            message.from.get_or_insert_with(|| sender.to_owned());
        }
        if is_sent {
            message.sent.get_or_insert(now);
        }
    }
}
