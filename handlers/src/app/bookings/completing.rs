//! Marks a booking as done.

use super::{ATTEMPTS, BookingError, BookingService, Changed, changing::token};
use crate::{
    domain::{
        booking::{Booking, Completion},
        lead::{LeadId, LeadStatus},
        phone::Phone,
    },
    ports::CompleteOutcome,
};

impl BookingService<'_> {
    /// Marks a booking of this customer as done and returns it, also when its time has not come or
    /// is over. Succeeds for one that is done already.
    ///
    /// # Errors
    /// [`BookingError::NotFound`], [`BookingError::Contended`] and [`BookingError::Store`].
    pub async fn complete(
        &self,
        phone: &Phone,
        id: &LeadId,
        identity: &[&str],
    ) -> Result<Changed, BookingError> {
        for _ in 0..ATTEMPTS {
            let lead = self.store.lead(id).await?.filter(|lead| lead.phone == *phone);
            let lead = lead.ok_or(BookingError::NotFound)?;
            let booking = Booking::from(&lead);
            match lead.status {
                LeadStatus::Completed => return Ok(Changed { booking, was_so_before: true }),
                LeadStatus::Cancelled => return Err(BookingError::NotFound),
                LeadStatus::Booked => {}
            }
            let slot_key = self.slot_key(&booking).await?;
            let token = token("complete", identity, &booking, slot_key.as_deref(), &[]);
            let done = Completion { booking, slot_key, token, now: self.now };
            match self.store.complete(&done).await? {
                CompleteOutcome::Completed => {
                    return Ok(Changed { booking: done.booking, was_so_before: false });
                }
                CompleteOutcome::BookingChanged => {}
            }
        }
        Err(BookingError::Contended)
    }
}
