//! Reads and changes the owner's state.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{error_chain::ErrorChain, rate_limit::RateLimit};
use crate::{
    domain::{
        changed_by::ChangedBy,
        owner::{OwnerPatch, OwnerState},
        usage::UsageLimit,
    },
    ports::{IdGenerator, OwnerWriteOutcome, Store, StoreError},
};

/// Attempts at a change that other writers come before.
const ATTEMPTS: usize = 5;

/// Wrong tokens that one address may give.
const WRONG_TOKENS: UsageLimit = UsageLimit { most: 10, within: SignedDuration::from_mins(10) };

/// The use case: reading and changing the owner's state.
#[derive(Clone)]
pub struct OwnerStateService {
    store: Arc<dyn Store>,
    ids: Arc<dyn IdGenerator>,
}

/// Why the state was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnerStateError {
    /// The database failed.
    #[error("the state is not available right now")]
    Store(#[from] StoreError),
    /// Other writers kept coming first.
    #[error("the state is being changed by somebody else")]
    Contended,
    /// The caller has seen another version than this one.
    #[error("the state has version {} by now", .0.version)]
    Outdated(Box<OwnerState>),
}

impl OwnerStateService {
    /// The use case on its ports.
    pub fn new(store: Arc<dyn Store>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { store, ids }
    }

    /// Returns the state.
    ///
    /// # Errors
    /// [`OwnerStateError::Store`] when it cannot be read.
    pub async fn get(&self) -> Result<OwnerState, OwnerStateError> {
        Ok(self.store.owner().await?)
    }

    /// Changes the given fields, if any, and returns the new state. Concurrent changes are merged,
    /// unless the change names the version that it is of.
    ///
    /// # Errors
    /// Every [`OwnerStateError`]; [`OwnerStateError::Contended`] after five attempts that other
    /// writers came before.
    pub async fn update(
        &self,
        patch: &OwnerPatch,
        by: ChangedBy,
        now: Timestamp,
    ) -> Result<OwnerState, OwnerStateError> {
        let next =
            |owner: &OwnerState| (!patch.changes_nothing()).then(|| owner.merge(patch, by, now));
        self.change(patch.expected_version(), next).await
    }

    /// Resets the state to its default and returns it.
    ///
    /// # Errors
    /// As for [`OwnerStateService::update`].
    pub async fn reset(
        &self,
        by: ChangedBy,
        now: Timestamp,
    ) -> Result<OwnerState, OwnerStateError> {
        self.change(None, |owner| Some(owner.reset(by, now))).await
    }

    /// Counts a wrong token from this address; false when it has given too many lately. Without the
    /// database nothing is counted, and nobody is let in by that.
    pub async fn allows_wrong_token(&self, address: &str, now: Timestamp) -> bool {
        let limit = RateLimit {
            store: self.store.as_ref(),
            what: "wrong admin token",
            limits: &[WRONG_TOKENS],
            who: address,
        };
        // Every guess is one, even if two are alike.
        match limit.take(&self.ids.generate(), now).await {
            Ok(allowed) => allowed,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "failed to count a wrong admin token");
                true
            }
        }
    }

    async fn change(
        &self,
        seen: Option<u64>,
        next: impl Fn(&OwnerState) -> Option<OwnerState> + Send,
    ) -> Result<OwnerState, OwnerStateError> {
        for _ in 0..ATTEMPTS {
            let before = self.store.owner().await?;
            if seen.is_some_and(|seen| seen != before.version) {
                return Err(OwnerStateError::Outdated(Box::new(before)));
            }
            // Nothing is written, so no booking has to be decided again.
            let Some(after) = next(&before) else { return Ok(before) };
            match self.store.put_owner(&after, before.version).await? {
                OwnerWriteOutcome::Written => return Ok(after),
                OwnerWriteOutcome::Conflict => {}
            }
        }
        Err(OwnerStateError::Contended)
    }
}
