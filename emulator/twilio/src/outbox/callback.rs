//! Where the statuses of a message go.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
};

use super::Outbox;
use crate::{Method, Sid, account::AccountState, options::Endpoint, outgoing::OutgoingMessage};
use rehearse_core::journal::Cause;

/// Where later statuses of a message go, and the exchange that sent it, which causes them.
#[derive(Debug, Clone)]
pub(super) struct KeptCallback {
    pub(super) endpoint: Endpoint,
    pub(super) cause: Option<Cause>,
}

/// Gives a message without a status callback that of its Messaging Service, or else its number's.
pub(super) fn add_callback(state: &AccountState, message: &mut OutgoingMessage) {
    if message.status_callback.is_some() {
        return;
    }
    let service = message.service.as_deref().and_then(|sid| state.service(sid));
    let of_service = service.and_then(|service| service.config.status_callback.clone());
    let sender = state.number(&message.from);
    let url =
        of_service.or_else(|| sender.and_then(|number| number.config.status_callback.clone()));
    message.status_callback = url.map(|url| Endpoint { url, method: Method::Post });
}

impl Outbox {
    /// Remembers where statuses of a message go, for as long as messages are kept.
    pub(super) fn keep_callback(&self, sid: Sid, callback: &Endpoint, cause: Option<Cause>) {
        let mut kept = self.callbacks();
        kept.insert(sid, KeptCallback { endpoint: callback.clone(), cause });
        let state = self.account.state();
        // Now and then, so that each message costs the same.
        if kept.len() > 64 && kept.len() > state.messages.len() * 2 {
            kept.retain(|sid, _| state.messages.get(*sid).is_some());
        }
    }

    /// Always locked before the account's state.
    pub(super) fn callbacks(&self) -> MutexGuard<'_, HashMap<Sid, KeptCallback>> {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
