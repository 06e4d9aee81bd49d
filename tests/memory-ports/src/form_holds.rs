//! The form's holds in memory.

use handlers::{
    domain::form_hold::{CODE_TRIES, FormHold, HoldId, NewFormHold},
    ports::HoldOutcome,
};

use super::{
    rows::Rows,
    schedule::{RowStatus, ScheduleRow, row_key},
};

/// The last hold of a key, and the last try at its code.
#[derive(Debug)]
pub struct HoldRow {
    pub hold: FormHold,
    last_try: Option<String>,
}

impl Rows {
    pub fn hold_slot(&mut self, new: &NewFormHold) -> HoldOutcome {
        let (hold, lead) = (&new.hold, &new.hold.lead);
        let last = self.holds.get(hold.id.key_hash()).map(|row| row.hold.id.clone());
        let is_free = self.is_free(lead.slot, lead.timestamp);
        let takes_its_place = last.as_ref().is_none_or(|last| new.replaces.as_ref() == Some(last));
        let is_unchanged = self.day_version(lead.slot.date()) == new.day_version;
        if !(is_free && takes_its_place && is_unchanged) {
            return match last {
                Some(last) if last == hold.id => HoldOutcome::Held,
                _ if !is_free => HoldOutcome::SlotTaken,
                _ if !takes_its_place => HoldOutcome::KeyHeld,
                _ => HoldOutcome::DayChanged,
            };
        }
        self.count_change(lead.slot.date());
        self.put_texts(&new.texts);
        self.schedule.insert(row_key(lead.slot), ScheduleRow::held(hold));
        let row = HoldRow { hold: hold.clone(), last_try: None };
        self.holds.insert(hold.id.key_hash().to_owned(), row);
        HoldOutcome::Held
    }

    /// Counts a try once, however often it is sent.
    pub fn count_code_try(&mut self, id: &HoldId, attempt: &str) -> Option<u32> {
        let row = self.holds.get_mut(id.key_hash())?;
        let is_repeat = row.last_try.as_deref() == Some(attempt);
        if !is_repeat {
            if row.hold.id != *id || row.hold.tries >= CODE_TRIES {
                return None;
            }
            row.hold.tries += 1;
            row.last_try = Some(attempt.to_owned());
        }
        Some(CODE_TRIES - row.hold.tries)
    }

    pub fn release_slot(&mut self, hold: &FormHold) {
        let key = row_key(hold.lead.slot);
        let is_held = self
            .schedule
            .get(&key)
            .is_some_and(|row| matches!(row.status, RowStatus::HeldUntil(_)));
        if is_held && self.holds_row(&key, &hold.lead.id) {
            self.schedule.remove(&key);
            self.count_change(hold.lead.slot.date());
        }
    }
}
