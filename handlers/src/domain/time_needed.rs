//! How long an appointment keeps the owner.

use jiff::{Span, civil};

use super::slot::{Slot, SlotTime};

/// Minutes of an appointment whose row does not say otherwise.
pub const DEFAULT_MINUTES: u16 = 60;
/// Most minutes of an appointment.
pub const MAX_MINUTES: u16 = 600;

/// How long an appointment keeps the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeNeeded {
    /// Minutes from its start to its end.
    pub minutes: u16,
    /// Minutes of travel before it and again after it; 0 in the shop.
    pub travel: u16,
}

impl Default for TimeNeeded {
    fn default() -> Self {
        Self { minutes: DEFAULT_MINUTES, travel: 0 }
    }
}

impl TimeNeeded {
    /// An appointment in the shop.
    pub const fn in_shop(minutes: u16) -> Self {
        Self { minutes, travel: 0 }
    }

    /// Whether an appointment in this slot is not over at this time of the shop's wall clock.
    pub fn is_open_at(self, slot: Slot, now: civil::DateTime) -> bool {
        slot.start().saturating_add(Span::new().minutes(self.minutes)) > now
    }

    /// The minutes of the day, from and until, in which nothing else fits when it begins at `start`.
    pub fn occupied(self, start: SlotTime) -> (u16, u16) {
        let start = start.minute_of_day();
        let end = start.saturating_add(self.minutes).saturating_add(self.travel);
        (start.saturating_sub(self.travel), end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_is_open_until_its_end() {
        let slot = Slot::new(civil::date(2026, 2, 11), SlotTime::hour_of_day(14));
        let at = |hour, minute, second| civil::datetime(2026, 2, 11, hour, minute, second, 0);
        for (minutes, last, over) in
            [(60, at(14, 59, 59), at(15, 0, 0)), (90, at(15, 29, 59), at(15, 30, 0))]
        {
            let needed = TimeNeeded::in_shop(minutes);
            assert!(needed.is_open_at(slot, last) && !needed.is_open_at(slot, over), "{minutes}");
        }
    }
}
