//! Texts to the owner.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    ReplyService,
    limits::{ALERT_CLAIM_TIMEOUT, ALERT_WINDOW},
};
use crate::{app::error_chain::ErrorChain, domain::text};

/// Alerts that were sent while the table could not be asked. Each process then limits them on its
/// own.
#[derive(Default)]
pub(super) struct Alerts(Mutex<BTreeMap<&'static str, Timestamp>>);

impl Alerts {
    /// Whether this is the first alert for this cause within the window.
    fn claim(&self, cause: &'static str, now: Timestamp) -> bool {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = SignedDuration::try_from(ALERT_WINDOW).unwrap_or(SignedDuration::MAX);
        let recent = sent.get(cause).is_some_and(|at| now.duration_since(*at) < window);
        if !recent {
            sent.insert(cause, now);
        }
        !recent
    }
}

impl ReplyService {
    /// Alerts the owner, at most once per cause in ten minutes of business time.
    pub(super) async fn alert(&self, cause: &'static str, body: &str, now: Timestamp) {
        let claim = self.ports.store.claim_alert(cause, now, ALERT_WINDOW);
        let first = match self.with_timeout(ALERT_CLAIM_TIMEOUT, claim).await {
            Some(Ok(first)) => first,
            Some(Err(error)) => {
                tracing::warn!(cause, error = %ErrorChain(&error), "failed to claim an alert");
                self.alerts.claim(cause, now)
            }
            None => {
                tracing::warn!(cause, "claiming an alert timed out");
                self.alerts.claim(cause, now)
            }
        };
        if first {
            self.notify_owner(body).await;
        }
    }

    /// Texts the owner, if a number is configured. A failure is only logged, because the customer's
    /// answer must not depend on it.
    ///
    /// Does not read the owner's opt-out: that table may be what failed, and Twilio refuses such a
    /// text anyway.
    pub(super) async fn notify_owner(&self, body: &str) {
        let Some(owner) = &self.settings.owner_phone else {
            tracing::warn!("no owner phone is configured, so nobody is alerted");
            return;
        };
        for part in text::split_into_messages(&text::to_gsm7(body)) {
            if let Err(error) = self.ports.sms.send(owner, &part).await {
                tracing::error!(error = %ErrorChain(&error), "failed to text the owner");
                return;
            }
        }
    }
}
