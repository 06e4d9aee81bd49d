//! The form's holds in memory.

use handlers::{
    domain::{
        form_hold::{CODE_TRIES, FormHold, HoldId, NewFormHold},
        lead::LeadId,
        slot::Slot,
    },
    ports::HoldOutcome,
};
use jiff::Timestamp;

use super::rows::Rows;

impl Rows {
    /// Whether a lead may not take a slot at `now`.
    pub fn is_taken(&self, slot: Slot, lead: &LeadId, now: Timestamp) -> bool {
        let is_over = self.held_until.get(&slot).is_some_and(|until| *until <= now);
        self.slots.get(&slot).is_some_and(|holder| holder != lead) && !is_over
    }

    pub fn hold_slot(&mut self, new: &NewFormHold) -> HoldOutcome {
        let (hold, lead) = (&new.hold, &new.hold.lead);
        let last = self.holds.get(hold.id.key_hash()).map(|last| last.id.clone());
        if last.as_ref() == Some(&hold.id) {
            return HoldOutcome::Held;
        }
        if self.is_taken(lead.slot, &lead.id, lead.timestamp) {
            return HoldOutcome::SlotTaken;
        }
        if last.is_some() && last != new.replaces {
            return HoldOutcome::KeyHeld;
        }
        if self.day_version(lead.slot.date()) != new.day_version {
            return HoldOutcome::DayChanged;
        }
        self.count_change(lead.slot);
        self.put_texts(&new.texts);
        self.slots.insert(lead.slot, lead.id.clone());
        self.held_until.insert(lead.slot, hold.until);
        self.holds.insert(hold.id.key_hash().to_owned(), hold.clone());
        HoldOutcome::Held
    }

    pub fn count_code_try(&mut self, id: &HoldId) -> Option<u32> {
        let hold = self.holds.get_mut(id.key_hash()).filter(|hold| hold.id == *id)?;
        if hold.tries >= CODE_TRIES {
            return None;
        }
        hold.tries += 1;
        Some(CODE_TRIES - hold.tries)
    }

    pub fn release_slot(&mut self, hold: &FormHold) {
        let slot = hold.lead.slot;
        if self.held_until.contains_key(&slot) && self.slots.get(&slot) == Some(&hold.lead.id) {
            self.held_until.remove(&slot);
            self.slots.remove(&slot);
            self.count_change(slot);
        }
    }
}
