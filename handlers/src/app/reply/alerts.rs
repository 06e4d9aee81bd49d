//! Telling the owner.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use super::{
    ReplyService,
    limits::{ALERT_CLAIM_TIMEOUT, ALERT_WINDOW},
};
use crate::{app::error_chain::ErrorChain, domain::text};

/// Alerts that went out while the table could not say so: each process then keeps the limit alone.
#[derive(Default)]
pub(super) struct Alerts(Mutex<BTreeMap<&'static str, Timestamp>>);

impl Alerts {
    /// True for the first alert of a cause in the window.
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
        let first = match self.within(ALERT_CLAIM_TIMEOUT, claim).await {
            Some(Ok(first)) => first,
            Some(Err(error)) => {
                tracing::warn!(cause, error = %ErrorChain(&error), "alert not claimed");
                self.alerts.claim(cause, now)
            }
            None => {
                tracing::warn!(cause, "alert not claimed in time");
                self.alerts.claim(cause, now)
            }
        };
        if first {
            self.notify_owner(body).await;
        }
    }

    /// Texts the owner. A failure is for the log alone: the customer's answer does not wait for it.
    ///
    /// The opt-out table is not asked: it may be what failed, and the carrier refuses by itself.
    pub(super) async fn notify_owner(&self, body: &str) {
        let Some(owner) = &self.settings.owner_phone else {
            tracing::warn!("no owner phone is configured: nobody was told");
            return;
        };
        for part in text::split_into_messages(&text::to_gsm7(body)) {
            if let Err(error) = self.ports.sms.send(owner, &part).await {
                tracing::error!(error = %ErrorChain(&error), "the owner was not told");
                return;
            }
        }
    }

    /// The result of some work, if it comes in time.
    pub(super) async fn within<T>(
        &self,
        time: Duration,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        match select(Box::pin(work), self.ports.timer.sleep(time)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), _)) => None,
        }
    }
}
