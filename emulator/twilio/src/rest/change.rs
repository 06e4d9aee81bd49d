//! One message: fetch, redact, cancel, delete.

use std::sync::Arc;

use super::{error::ApiError, params::Params};
use crate::{
    Message, Sid, Status,
    outbox::{Callback, Scheduled},
    server::Inner,
    webhook,
};

pub(super) fn fetch(inner: &Inner, sid: Option<Sid>, path: &str) -> Result<Message, ApiError> {
    sid.and_then(|sid| inner.state().ledger.get(sid).cloned())
        .ok_or_else(|| ApiError::not_found(path))
}

/// `Body=` redacts, `Status=canceled` takes a scheduled message back; nothing else changes.
pub(super) fn update(
    inner: &Arc<Inner>,
    sid: Option<Sid>,
    path: &str,
    params: &Params,
) -> Result<Message, ApiError> {
    let now = inner.clock.now();
    let mut callback: Option<Callback> = None;
    let changed = {
        let mut state = inner.state();
        let state = &mut *state;
        let message = sid
            .and_then(|sid| state.ledger.get_mut(sid))
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
                let waits = |text: &Scheduled| text.sid == message.sid;
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
        inner.spawn(webhook::canceled(Arc::clone(inner), changed.sid, callback));
    }
    Ok(changed)
}

pub(super) fn delete(inner: &Inner, sid: Option<Sid>, path: &str) -> Result<(), ApiError> {
    let mut state = inner.state();
    let found = sid.and_then(|sid| state.ledger.get(sid));
    let message = found.ok_or_else(|| ApiError::not_found(path))?;
    if !message.status.is_final() {
        return Err(ApiError::new(20009));
    }
    let sid = message.sid;
    state.ledger.remove(sid);
    state.received.remove(&sid);
    Ok(())
}
