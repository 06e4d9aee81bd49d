//! Reads and changes the owner's state.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::owner::{OwnerPatch, OwnerState},
    ports::{OwnerWriteOutcome, Store, StoreError},
};

/// Attempts at a change that other writers come before.
const ATTEMPTS: usize = 5;

/// The use case: reading and changing the owner's state.
#[derive(Clone)]
pub struct OwnerStateService {
    store: Arc<dyn Store>,
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
}

impl OwnerStateService {
    /// The use case on a store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Returns the state.
    ///
    /// # Errors
    /// [`OwnerStateError::Store`] when it cannot be read.
    pub async fn get(&self) -> Result<OwnerState, OwnerStateError> {
        Ok(self.store.owner().await?)
    }

    /// Changes the given fields and returns the new state. Concurrent changes are merged.
    ///
    /// # Errors
    /// [`OwnerStateError::Store`] when the database fails, [`OwnerStateError::Contended`] after
    /// five attempts that other writers came before.
    pub async fn update(
        &self,
        patch: &OwnerPatch,
        now: Timestamp,
    ) -> Result<OwnerState, OwnerStateError> {
        self.change(|owner| owner.merge(patch, now)).await
    }

    /// Resets the state to its default and returns it.
    ///
    /// # Errors
    /// As for [`OwnerStateService::update`].
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
