//! Races as other booking systems have had them, planted into the tables in memory: what must find
//! them is tried with them.

use handlers::{
    domain::{
        booking::{Cancellation, NewBooking, Reschedule},
        lead::LeadStatus,
        turn::NewClaim,
    },
    ports::{BookOutcome, CancelOutcome, RescheduleOutcome, StoreError, TurnClaim},
};

use super::{
    FakeStore,
    rows::Rows,
    schedule::{ScheduleRow, row_key},
    turns::turn_key,
};

/// A race of the database's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedRace {
    /// A booking is written whatever was booked since the day was read.
    UnconditionalPut,
    /// A booking that an earlier attempt wrote is reported as somebody else's, and nobody looks for it.
    LostAcknowledgementIsTaken,
    /// Slot and booking are written one after the other.
    SeparateWrites,
    /// A move frees the old slot, and then takes the new one.
    DeleteThenPut,
    /// Whether a text was seen is looked up, and noted afterwards.
    CheckThenMark,
    /// A cancellation frees the slot, whoever holds it by now.
    CancelWithoutOwner,
    /// A booking's idempotency token is that of its customer and slot.
    TokenOfCustomerAndSlot,
}

impl PlantedRace {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::UnconditionalPut,
        Self::LostAcknowledgementIsTaken,
        Self::SeparateWrites,
        Self::DeleteThenPut,
        Self::CheckThenMark,
        Self::CancelWithoutOwner,
        Self::TokenOfCustomerAndSlot,
    ];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnconditionalPut => "unconditional-put",
            Self::LostAcknowledgementIsTaken => "lost-acknowledgement-is-taken",
            Self::SeparateWrites => "separate-writes",
            Self::DeleteThenPut => "delete-then-put",
            Self::CheckThenMark => "check-then-mark",
            Self::CancelWithoutOwner => "cancel-without-owner",
            Self::TokenOfCustomerAndSlot => "token-of-customer-and-slot",
        }
    }
}

impl FakeStore {
    pub(super) async fn book_with(
        &self,
        race: Option<PlantedRace>,
        new: &NewBooking,
    ) -> Result<BookOutcome, StoreError> {
        // Where nobody notes who works on a text, nobody can look at it either.
        let unfenced = NewBooking { fence: None, ..new.clone() };
        let new = if race == Some(PlantedRace::CheckThenMark) { &unfenced } else { new };
        match race {
            Some(PlantedRace::UnconditionalPut) => {
                self.apply("book", |rows| {
                    let old = rows.leads.contains_key(&new.lead.id);
                    if !old {
                        rows.schedule.remove(&row_key(new.lead.slot));
                    }
                    rows.book(&as_of_now(rows, new))
                })
                .await?
            }
            Some(PlantedRace::LostAcknowledgementIsTaken) => {
                self.apply("book", |rows| {
                    let outcome = rows.book(new)?;
                    let BookOutcome::Exists(_) = outcome else { return Ok(outcome) };
                    rows.disowned.insert(new.lead.id.clone());
                    Ok(BookOutcome::SlotTaken)
                })
                .await?
            }
            Some(PlantedRace::SeparateWrites) => {
                let lead = &new.lead;
                let taken = self
                    .apply("book", |rows| {
                        if !rows.may_take(lead.slot, &lead.id, lead.timestamp) {
                            return true;
                        }
                        rows.schedule.insert(row_key(lead.slot), ScheduleRow::of_lead(lead));
                        false
                    })
                    .await?;
                if taken {
                    return Ok(BookOutcome::SlotTaken);
                }
                self.apply("book", |rows| rows.book(&as_of_now(rows, new))).await?
            }
            Some(PlantedRace::TokenOfCustomerAndSlot) => {
                let key = (new.lead.phone.clone(), new.lead.slot);
                self.apply("book", |rows| {
                    if rows.tokens.contains(&key) {
                        return Ok(BookOutcome::Booked);
                    }
                    let outcome = rows.book(new);
                    if matches!(outcome, Ok(BookOutcome::Booked)) {
                        rows.tokens.insert(key);
                    }
                    outcome
                })
                .await?
            }
            _ => self.apply("book", |rows| rows.book(new)).await?,
        }
    }

    pub(super) async fn cancel_with(
        &self,
        race: Option<PlantedRace>,
        cancel: &Cancellation,
    ) -> Result<CancelOutcome, StoreError> {
        self.apply("cancel", |rows| {
            if race == Some(PlantedRace::CancelWithoutOwner) {
                let booking = &cancel.booking;
                rows.bookings.remove(&(booking.phone.clone(), booking.slot));
                rows.schedule.remove(&row_key(booking.slot));
                rows.count_change(booking.slot.date());
                if let Some(lead) = rows.leads.get_mut(&booking.lead_id) {
                    lead.status = LeadStatus::Cancelled;
                }
                return CancelOutcome::Cancelled;
            }
            if race == Some(PlantedRace::CheckThenMark) {
                return rows.cancel(&Cancellation { fence: None, ..cancel.clone() });
            }
            rows.cancel(cancel)
        })
        .await
    }

    pub(super) async fn reschedule_with(
        &self,
        race: Option<PlantedRace>,
        change: &Reschedule,
    ) -> Result<RescheduleOutcome, StoreError> {
        if race == Some(PlantedRace::CheckThenMark) {
            let change = Reschedule { fence: None, ..change.clone() };
            return self.apply("reschedule", |rows| rows.reschedule(&change)).await;
        }
        if race != Some(PlantedRace::DeleteThenPut) {
            return self.apply("reschedule", |rows| rows.reschedule(change)).await;
        }
        let from = change.booking.slot;
        self.apply("reschedule", |rows| {
            rows.schedule.remove(&row_key(from));
            rows.count_change(from.date());
        })
        .await?;
        self.apply("reschedule", |rows| {
            let day_version = rows.day_version(change.to.date());
            // The old slot is free already.
            rows.reschedule(&Reschedule { day_version, slot_key: None, ..change.clone() })
        })
        .await
    }

    pub(super) async fn claim_with(
        &self,
        race: Option<PlantedRace>,
        claim: &NewClaim<'_>,
    ) -> Result<TurnClaim, StoreError> {
        if race != Some(PlantedRace::CheckThenMark) {
            return self.apply("claim_turn", |rows| rows.claim(claim)).await;
        }
        let seen = self
            .apply("claim_turn", |rows| {
                rows.turns.get(&turn_key(claim.key)).is_some_and(|turn| turn.answer.is_some())
            })
            .await?;
        self.apply("claim_turn", |rows| {
            if !seen {
                // Whoever works on it already is not noticed.
                rows.turns.remove(&turn_key(claim.key));
            }
            rows.claim(claim)
        })
        .await
    }
}

/// The booking as if it had been decided on what is there now.
fn as_of_now(rows: &Rows, new: &NewBooking) -> NewBooking {
    NewBooking {
        day_version: rows.day_version(new.lead.slot.date()),
        calendar_versions: rows.calendar_versions(),
        ..new.clone()
    }
}
