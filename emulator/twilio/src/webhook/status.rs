//! Status callbacks: each state after the first, in order.

use std::sync::Arc;

use super::attempts::WebhookCall;
use crate::{
    Message, Sid, Signing, Status, WebhookKind,
    outbox::{StatusCallback, StatusChange},
    server::Account,
};

/// Walks an accepted message to its end and calls back at each state.
pub(crate) async fn follow(
    account: Arc<Account>,
    sid: Sid,
    callback: StatusCallback,
    with_service: bool,
    change: StatusChange,
) {
    // There is no callback for the state in which a message begins.
    let queued = with_service.then_some(Status::Queued);
    let sent = (change.status != Status::Failed).then_some(Status::Sent);
    for status in queued.into_iter().chain(sent) {
        step(&account, sid, &callback, StatusChange { status, error: None }).await;
    }
    step(&account, sid, &callback, change).await;
}

/// Tells that a scheduled message was taken back.
pub(crate) async fn canceled(account: Arc<Account>, sid: Sid, callback: StatusCallback) {
    step(&account, sid, &callback, StatusChange { status: Status::Canceled, error: None }).await;
}

async fn step(account: &Account, sid: Sid, (url, method): &StatusCallback, to: StatusChange) {
    let now = account.clock.now();
    let call = {
        let mut state = account.state();
        // Deleted in between: nothing is left to tell of.
        let Some(message) = state.messages.get_mut(sid) else { return };
        message.advance(to.status, to.error, &account.options.number, now);
        WebhookCall {
            kind: WebhookKind::Status,
            sid,
            url: url.clone(),
            method: *method,
            params: params(account, message),
            signing: Signing::Valid,
            person: "",
            replies: 0,
        }
    };
    account.attempt(&call).await;
}

fn params(account: &Account, message: &Message) -> Vec<(String, String)> {
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
    add("AccountSid", &account.options.account_sid);
    if let Some(service) = &message.service {
        add("MessagingServiceSid", service);
    }
    add("From", message.from.as_deref().unwrap_or_default());
    add("ApiVersion", "2010-04-01");
    params
}
