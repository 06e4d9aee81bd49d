//! One message: fetch, redact, cancel, delete.

use std::sync::Arc;

use super::{error::ApiError, params::Params};
use crate::{
    Message, Sid, Status,
    outbox::{ScheduledMessage, StatusCallback},
    server::Account,
    webhook,
};

pub(super) fn fetch(account: &Account, sid: Option<Sid>, path: &str) -> Result<Message, ApiError> {
    sid.and_then(|sid| account.state().messages.get(sid).cloned())
        .ok_or_else(|| ApiError::not_found(path))
}

/// `Body=` redacts, `Status=canceled` takes a scheduled message back; nothing else changes.
pub(super) fn update(
    account: &Arc<Account>,
    sid: Option<Sid>,
    path: &str,
    params: &Params,
) -> Result<Message, ApiError> {
    let now = account.clock.now();
    let mut callback: Option<StatusCallback> = None;
    let changed = {
        let mut state = account.state();
        let state = &mut *state;
        let message = sid
            .and_then(|sid| state.messages.get_mut(sid))
            .ok_or_else(|| ApiError::not_found(path))?;
        match params.given("Body") {
            Some("") if !message.status.is_final() => return Err(ApiError::new(20009)),
            Some("") => {
                message.body.clear();
                message.updated = now;
            }
            Some(_) => {
                return Err(ApiError::with(20001, "Body can only be redacted: it must be empty"));
            }
            None => {}
        }
        match params.get("Status") {
            Some("canceled") if message.status == Status::Scheduled => {
                let waits = |text: &ScheduledMessage| text.sid == message.sid;
                if let Some(at) = state.scheduled.iter().position(waits) {
                    callback = state.scheduled.remove(at).callback;
                }
                message.status = Status::Canceled;
                message.updated = now;
            }
            Some("canceled") => return Err(ApiError::new(30409)),
            Some(_) => return Err(ApiError::with(20001, "Status can only be set to canceled")),
            None => {}
        }
        message.clone()
    };
    if let Some(callback) = callback {
        account.spawn(webhook::canceled(Arc::clone(account), changed.sid, callback));
    }
    Ok(changed)
}

pub(super) fn delete(account: &Account, sid: Option<Sid>, path: &str) -> Result<(), ApiError> {
    let mut state = account.state();
    let found = sid.and_then(|sid| state.messages.get(sid));
    let message = found.ok_or_else(|| ApiError::not_found(path))?;
    if !message.status.is_final() {
        return Err(ApiError::new(20009));
    }
    let sid = message.sid;
    state.messages.remove(sid);
    state.received.remove(&sid);
    Ok(())
}
