//! Holds a time for the form until it is confirmed.

use super::{ATTEMPTS, BookingError, BookingService};
use crate::{
    domain::{
        booking::RequestToken,
        form_hold::{FormHold, HoldId, NewFormHold},
        lead::Lead,
        outbox::OutboxText,
    },
    ports::HoldOutcome,
};

impl BookingService<'_> {
    /// Holds the time of a hold's lead: until its end nobody else is offered or books it.
    /// `replaces` is the last hold of its key, which has ended; `texts` go out because of it.
    ///
    /// # Errors
    /// [`BookingError::Unbookable`], [`BookingError::Taken`], [`BookingError::Contended`],
    /// [`BookingError::Store`], and [`BookingError::RecordExists`] when the request got another hold
    /// meanwhile.
    pub async fn hold(
        &self,
        hold: &FormHold,
        replaces: Option<&HoldId>,
        texts: &[OutboxText],
    ) -> Result<(), BookingError> {
        let slot = hold.lead.slot;
        let needed = self.calendar.time_needed(&hold.lead.repair);
        let hold =
            FormHold { lead: Lead { time_needed: needed, ..hold.lead.clone() }, ..hold.clone() };
        if let Some(reason) = self.calendar.unbookable_reason(slot, needed, self.now) {
            return Err(reason.into());
        }
        let (name, length) = (hold.id.to_string(), format!("{}+{}", needed.minutes, needed.travel));
        for _ in 0..ATTEMPTS {
            let day = self.store.versioned_day_schedule(slot.date()).await?.at(self.now);
            let taken = day.conflict(slot.time(), needed, Some(&hold.lead.id)).is_some();
            if taken || !day.unreadable.is_empty() {
                return Err(self.taken(slot.date(), &day, needed));
            }
            let new = NewFormHold {
                hold: hold.clone(),
                token: RequestToken::derive(&["hold", &name, &day.version.to_string(), &length]),
                day_version: day.version,
                replaces: replaces.cloned(),
                texts: texts.to_vec(),
            };
            match self.store.hold_slot(&new).await? {
                HoldOutcome::Held => return Ok(()),
                // What is there now decides.
                HoldOutcome::SlotTaken | HoldOutcome::DayChanged => {}
                HoldOutcome::KeyHeld => return Err(BookingError::RecordExists),
            }
        }
        Err(BookingError::Contended)
    }
}
