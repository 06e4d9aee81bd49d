//! Reading and changing the owner's state.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::owner::{OwnerPatch, OwnerState},
    ports::{OwnerWriteOutcome, Store, StoreError},
};

/// How often a change is merged again when somebody else was faster.
const ATTEMPTS: usize = 5;

/// The owner's state and its changes.
#[derive(Clone)]
pub struct OwnerStateService {
    store: Arc<dyn Store>,
}

/// Why the state was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnerStateError {
    /// The table failed.
    #[error("the state is not available right now")]
    Store(#[from] StoreError),
    /// Others kept writing first.
    #[error("the state is being changed by somebody else")]
    Contended,
}

impl OwnerStateService {
    /// The state that a store keeps.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The state.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn get(&self) -> Result<OwnerState, OwnerStateError> {
        Ok(self.store.owner().await?)
    }

    /// Changes the given fields; no change of another writer is lost.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn update(
        &self,
        patch: &OwnerPatch,
        now: Timestamp,
    ) -> Result<OwnerState, OwnerStateError> {
        self.change(|owner| owner.merge(patch, now)).await
    }

    /// Goes back to the default state.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn reset(&self, now: Timestamp) -> Result<OwnerState, OwnerStateError> {
        self.change(|owner| owner.reset(now)).await
    }

    async fn change(
        &self,
        next: impl Fn(&OwnerState) -> OwnerState + Send,
    ) -> Result<OwnerState, OwnerStateError> {
        for _ in 0..ATTEMPTS {
            let before = self.store.owner().await?;
            let after = next(&before);
            match self.store.put_owner(&after, before.version).await? {
                OwnerWriteOutcome::Written => return Ok(after),
                OwnerWriteOutcome::Conflict => {}
            }
        }
        Err(OwnerStateError::Contended)
    }
}
