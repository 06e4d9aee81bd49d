//! Status callbacks: each state after the first, in order.

use std::sync::Arc;

use super::attempts::Job;
use crate::{
    Hook, Message, Sid, Signing, Status,
    outbox::{Callback, Ending},
    server::Inner,
};

/// Walks an accepted message to its end and calls back at each state.
pub(crate) async fn follow(
    inner: Arc<Inner>,
    sid: Sid,
    callback: Callback,
    with_service: bool,
    ending: Ending,
) {
    // There is no callback for the state in which a message begins.
    let queued = with_service.then_some(Status::Queued);
    let sent = (ending.status != Status::Failed).then_some(Status::Sent);
    for status in queued.into_iter().chain(sent) {
        step(&inner, sid, &callback, Ending { status, error: None }).await;
    }
    step(&inner, sid, &callback, ending).await;
}

/// Tells that a scheduled message was taken back.
pub(crate) async fn canceled(inner: Arc<Inner>, sid: Sid, callback: Callback) {
    step(&inner, sid, &callback, Ending { status: Status::Canceled, error: None }).await;
}

async fn step(inner: &Inner, sid: Sid, (url, method): &Callback, to: Ending) {
    let now = inner.clock.now();
    let job = {
        let mut state = inner.state();
        // Deleted in between: nothing is left to tell of.
        let Some(message) = state.ledger.get_mut(sid) else { return };
        message.advance(to.status, to.error, &inner.options.number, now);
        Job {
            hook: Hook::Status,
            sid,
            url: url.clone(),
            method: *method,
            params: params(inner, message),
            signing: Signing::Valid,
            person: "",
            replies: 0,
        }
    };
    inner.attempt(&job).await;
}

fn params(inner: &Inner, message: &Message) -> Vec<(String, String)> {
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
    add("AccountSid", &inner.options.account_sid);
    if let Some(service) = &message.service {
        add("MessagingServiceSid", service);
    }
    add("From", message.from.as_deref().unwrap_or_default());
    add("ApiVersion", "2010-04-01");
    params
}
