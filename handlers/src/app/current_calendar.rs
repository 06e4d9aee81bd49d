//! The shop's calendar as its owner has it now.

use crate::{
    domain::{calendar::Calendar, owner::OwnerState},
    ports::{Store, StoreError},
};

/// Reads the owner's state and the calendar that it and its settings make of the deployed one. Two
/// reads, side by side.
///
/// # Errors
/// When one of them cannot be read: nothing may be offered then.
pub async fn current_calendar(
    store: &dyn Store,
    deployed: &Calendar,
) -> Result<(OwnerState, Calendar), StoreError> {
    // Both are waited for: a failure of one leaves no half of the other behind.
    let (owner, settings) = futures::join!(store.owner(), store.calendar_settings());
    let owner = owner?;
    let calendar = deployed.with_settings(settings?).with_owner(&owner);
    Ok((owner, calendar))
}
