//! What the rows of a date say: which times are held, by whom, and which rows cannot be read.
//!
//! Listing, booking and moving decide from the same reading, so a hold counts however its time is
//! written.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil};

use super::{lead::LeadId, phone::Phone, slot::SlotTime, time_needed::TimeNeeded};

/// The rows of a date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaySchedule {
    /// Number of changes of the date's bookings so far; a booking is written only if it is
    /// unchanged.
    pub version: u64,
    /// The times that are held, in no particular order.
    pub holds: Vec<Hold>,
    /// Rows that may hold a time and cannot be read, such as `lunch`. While there is one, nothing
    /// of the date is free.
    pub unreadable: Vec<UnreadableRow>,
    /// Until when the form holds times that are not confirmed, by the keys of their holds. One that
    /// is over stands among `holds` until [`DaySchedule::at`] drops it.
    pub held_until: BTreeMap<String, Timestamp>,
}

/// A time that is held by a booking or by the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The time as its row spells it, which is the row's key.
    pub key: String,
    /// When it begins.
    pub start: SlotTime,
    /// How long it lasts, in minutes.
    pub minutes: u16,
    /// Minutes of travel before and after it.
    pub travel: u16,
    /// The lead that holds it; empty for time off.
    pub lead_id: String,
    /// The customer, where the row names one.
    pub phone: Option<Phone>,
    /// Nobody's booking: the owner took the time off.
    pub is_time_off: bool,
    /// A booking that the owner has marked as done. Its time was used.
    pub is_done: bool,
}

/// A row that may hold a time and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// What stands where the time should, which is the row's key.
    pub key: String,
    /// The lead that it names; empty without one.
    pub lead_id: String,
}

/// What is held on several dates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldTimes {
    /// The times, in order.
    pub times: Vec<HeldTime>,
    /// The dates with rows that cannot be read.
    pub unreadable: BTreeSet<civil::Date>,
}

/// A time that is held, among those of several dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldTime {
    /// The date.
    pub date: civil::Date,
    /// The time.
    pub hold: Hold,
}

impl Hold {
    /// Whether a customer is still expected: neither time off nor done.
    pub fn is_expected(&self) -> bool {
        !self.is_time_off && !self.is_done
    }

    /// How long it keeps the owner.
    pub fn time_needed(&self) -> TimeNeeded {
        TimeNeeded { minutes: self.minutes, travel: self.travel }
    }
}

impl DaySchedule {
    /// The schedule at a moment: without the times that the form no longer holds.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        let is_over = |hold: &Hold| self.held_until.get(&hold.key).is_some_and(|end| *end <= now);
        self.holds.retain(|hold| !is_over(hold));
        self.held_until.retain(|_, end| *end > now);
        self
    }

    /// Whether the form holds this time until it is confirmed.
    pub fn is_unconfirmed(&self, hold: &Hold) -> bool {
        self.held_until.contains_key(&hold.key)
    }

    /// A hold that leaves no room for an appointment at `start`, other than those of the lead
    /// `except`.
    pub fn conflict(
        &self,
        start: SlotTime,
        needed: TimeNeeded,
        except: Option<&LeadId>,
    ) -> Option<&Hold> {
        let (from, until) = needed.occupied(start);
        self.holds.iter().find(|hold| {
            let (held_from, held_until) = hold.time_needed().occupied(hold.start);
            let overlaps = held_from < until && from < held_until;
            overlaps && except.is_none_or(|lead| hold.lead_id != lead.as_str())
        })
    }

    /// The key of the row that a lead holds, also of one that cannot be read.
    pub fn key_of(&self, lead: &LeadId) -> Option<String> {
        let unreadable = || self.unreadable.iter().find(|row| row.lead_id == lead.as_str());
        let hold = self.hold_of(lead).map(|hold| &hold.key);
        hold.or_else(|| unreadable().map(|row| &row.key)).cloned()
    }

    /// The hold of a lead.
    pub fn hold_of(&self, lead: &LeadId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.lead_id == lead.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(start: &str, minutes: u16) -> DaySchedule {
        visit(start, minutes, 0)
    }

    fn visit(start: &str, minutes: u16, travel: u16) -> DaySchedule {
        let hold = Hold {
            key: start.to_owned(),
            start: SlotTime::parse(start).unwrap(),
            minutes,
            travel,
            lead_id: "LEAD-1".into(),
            phone: None,
            is_time_off: false,
            is_done: false,
        };
        DaySchedule { holds: vec![hold], ..DaySchedule::default() }
    }

    #[test]
    fn what_the_form_holds_is_free_again_when_its_time_is_over() {
        let until: Timestamp = "2026-02-10T20:20:00Z".parse().unwrap();
        let held_until = BTreeMap::from([("2:00 PM".to_owned(), until)]);
        let day = DaySchedule { held_until, ..day("2:00 PM", 60) };
        let two = SlotTime::hour_of_day(14);
        let before = day.clone().at(until - jiff::SignedDuration::from_secs(1));
        assert!(
            before
                .conflict(two, TimeNeeded::default(), None)
                .is_some_and(|hold| before.is_unconfirmed(hold))
        );
        let over = DaySchedule { holds: Vec::new(), held_until: BTreeMap::new(), ..day.clone() };
        assert_eq!(day.at(until), over);
    }

    #[test]
    fn holds_conflict_by_overlap_and_not_by_spelling() {
        let two = SlotTime::hour_of_day(14);
        let hour = TimeNeeded::default();
        for (start, minutes, conflicts) in [
            ("14:00", 60, true),
            ("2pm", 1, true),
            ("2:30 PM", 60, true),
            ("1:30 PM", 60, true),
            ("1:00 PM", 60, false),
            ("3:00 PM", 60, false),
            ("12:00 PM", 180, true),
        ] {
            assert_eq!(
                day(start, minutes).conflict(two, hour, None).is_some(),
                conflicts,
                "{start}"
            );
        }
        let own = LeadId::from_row("LEAD-1");
        assert_eq!(day("2pm", 60).conflict(two, hour, Some(&own)), None);
    }

    #[test]
    fn nothing_fits_into_the_way_to_a_customer() {
        let two = SlotTime::hour_of_day(14);
        let visit_needs = TimeNeeded { minutes: 60, travel: 30 };
        for (start, travel, needed, conflicts) in [
            ("3:00 PM", 30, TimeNeeded::default(), true),
            ("3:30 PM", 30, TimeNeeded::default(), false),
            ("1:00 PM", 30, TimeNeeded::default(), true),
            ("3:00 PM", 0, visit_needs, true),
            ("3:30 PM", 0, visit_needs, false),
            ("3:30 PM", 30, visit_needs, true),
            ("4:00 PM", 30, visit_needs, false),
        ] {
            let day = visit(start, 60, travel);
            assert_eq!(day.conflict(two, needed, None).is_some(), conflicts, "{start} {travel}");
        }
    }
}
