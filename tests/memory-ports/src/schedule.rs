//! The rows of the schedule in memory, by date and by the time as the row spells it.
//!
//! A row that was freed is no row: nobody can tell the two apart.

use handlers::domain::{
    booking::Booking,
    day_schedule::{DaySchedule, HeldTime, HeldTimes, Hold},
    form_hold::FormHold,
    lead::{Lead, LeadId},
    phone::Phone,
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
    time_off::TimeOffChange,
};
use jiff::{Timestamp, civil};

use super::rows::Rows;

/// What a row says, beside its key.
#[derive(Debug, Clone)]
pub struct ScheduleRow {
    pub status: RowStatus,
    /// The lead that holds it; `None` for time off.
    pub lead: Option<LeadId>,
    pub phone: Option<Phone>,
    pub needed: TimeNeeded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStatus {
    /// Held by the form until then.
    HeldUntil(Timestamp),
    Booked,
    Completed,
    TimeOff,
}

impl ScheduleRow {
    /// The row of a booking.
    pub fn booked(booking: &Booking) -> Self {
        Self {
            status: RowStatus::Booked,
            lead: Some(booking.lead_id.clone()),
            phone: Some(booking.phone.clone()),
            needed: booking.time_needed,
        }
    }

    /// The row of a lead that nobody booked by this program.
    pub fn of_lead(lead: &Lead) -> Self {
        Self::booked(&Booking::from(lead))
    }

    /// The row of a time that the form holds. It names nobody.
    pub fn held(hold: &FormHold) -> Self {
        Self {
            status: RowStatus::HeldUntil(hold.until),
            lead: Some(hold.lead.id.clone()),
            phone: None,
            needed: hold.lead.time_needed,
        }
    }

    fn time_off(minutes: u16) -> Self {
        Self {
            status: RowStatus::TimeOff,
            lead: None,
            phone: None,
            needed: TimeNeeded::in_shop(minutes),
        }
    }

    fn hold(&self, key: &str) -> Hold {
        Hold {
            key: key.to_owned(),
            start: SlotTime::parse(key).unwrap(),
            minutes: self.needed.minutes,
            travel: self.needed.travel,
            lead_id: self.lead.as_ref().map(LeadId::to_string).unwrap_or_default(),
            phone: self.phone.clone(),
            is_time_off: self.status == RowStatus::TimeOff,
            is_done: self.status == RowStatus::Completed,
        }
    }
}

/// The key of a slot's row, with the time as the handlers spell it.
pub fn row_key(slot: Slot) -> (civil::Date, String) {
    (slot.date(), slot.time().to_string())
}

impl Rows {
    /// Whether nobody has a slot at `now`.
    pub fn is_free(&self, slot: Slot, now: Timestamp) -> bool {
        match self.schedule.get(&row_key(slot)).map(|row| row.status) {
            None => true,
            Some(RowStatus::HeldUntil(until)) => until <= now,
            Some(_) => false,
        }
    }

    /// Whether a lead may take a slot at `now`.
    pub fn may_take(&self, slot: Slot, lead: &LeadId, now: Timestamp) -> bool {
        self.is_free(slot, now) || self.holds_row(&row_key(slot), lead)
    }

    /// Whether this lead holds a row.
    pub fn holds_row(&self, key: &(civil::Date, String), lead: &LeadId) -> bool {
        self.schedule.get(key).is_some_and(|row| row.lead.as_ref() == Some(lead))
    }

    /// The rows of a date and its version.
    pub fn day(&self, date: civil::Date) -> DaySchedule {
        let mut day = DaySchedule {
            version: self.day_version(date),
            unreadable: self.unreadable.get(&date).into_iter().flatten().cloned().collect(),
            ..DaySchedule::default()
        };
        for ((_, key), row) in self.schedule.iter().filter(|((of, _), _)| *of == date) {
            day.holds.push(row.hold(key));
            if let RowStatus::HeldUntil(until) = row.status {
                day.held_until.insert(key.clone(), until);
            }
        }
        day
    }

    pub fn holds_from(&self, date: civil::Date) -> HeldTimes {
        let is_held = |row: &ScheduleRow| matches!(row.status, RowStatus::HeldUntil(_));
        let mut times: Vec<HeldTime> = self
            .schedule
            .range((date, String::new())..)
            .filter(|(_, row)| !is_held(row))
            .map(|((date, key), row)| HeldTime { date: *date, hold: row.hold(key) })
            .collect();
        times.sort_by_key(|held| (held.date, held.hold.start));
        let unreadable = self.unreadable.range(date..).map(|(date, _)| *date).collect();
        HeldTimes { times, unreadable }
    }

    pub fn change_time_off(&mut self, change: &TimeOffChange) -> bool {
        let key = |key: &String| (change.date, key.clone());
        let may_change = |key: &(civil::Date, String)| {
            self.schedule.get(key).is_none_or(|row| row.status == RowStatus::TimeOff)
        };
        if self.day_version(change.date) != change.day_version
            || !change.rows.iter().all(|row| may_change(&key(&row.key)))
        {
            return false;
        }
        for row in &change.rows {
            match row.minutes {
                Some(minutes) => {
                    self.schedule.insert(key(&row.key), ScheduleRow::time_off(minutes))
                }
                None => self.schedule.remove(&key(&row.key)),
            };
        }
        self.count_change(change.date);
        true
    }

    pub fn day_version(&self, date: civil::Date) -> u64 {
        self.day_versions.get(&date).copied().unwrap_or_default()
    }

    pub fn count_change(&mut self, date: civil::Date) {
        *self.day_versions.entry(date).or_default() += 1;
    }
}
