//! Which rows an open lead of the old system lacks.

use jiff::civil;

use super::{
    day_schedule::DaySchedule,
    lead::{Lead, LeadId, LeadStatus},
};

/// What an open lead lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRows {
    /// The row that holds its slot.
    pub slot: bool,
    /// The row among the customer's bookings.
    pub booking: bool,
    /// Who holds time that the appointment needs, so that no row for the slot can be written: a lead,
    /// or the row's range key. Somebody has to decide whose the time is.
    pub conflict: Option<Holder>,
}

/// Who holds a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Another lead.
    Lead(LeadId),
    /// A row without a lead, by its range key.
    Row(String),
}

/// What a lead lacks; `None` for a lead that lacks nothing or whose appointment is over at `now`, on
/// the shop's wall clock.
pub fn missing_rows(
    lead: &Lead,
    day: &DaySchedule,
    has_booking_row: bool,
    now: civil::DateTime,
) -> Option<MissingRows> {
    if lead.status != LeadStatus::Booked || !lead.time_needed.is_open_at(lead.slot, now) {
        return None;
    }
    let held = day.hold_of(&lead.id).is_some();
    let holder = || {
        let hold = day.conflict(lead.slot.time(), lead.time_needed, Some(&lead.id))?;
        Some(if hold.lead_id.is_empty() {
            Holder::Row(hold.key.clone())
        } else {
            Holder::Lead(LeadId::from_row(hold.lead_id.as_str()))
        })
    };
    let conflict = if held { None } else { holder() };
    let slot = !held && conflict.is_none();
    let missing = MissingRows { slot, booking: !has_booking_row, conflict };
    (missing.slot || missing.booking || missing.conflict.is_some()).then_some(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        catalogue::{Repair, RepairKind},
        day_schedule::Hold,
        lead::LeadSource,
        phone::Phone,
        slot::{Slot, SlotTime},
        time_needed::{DEFAULT_MINUTES, TimeNeeded},
    };

    const NOW: civil::DateTime = civil::datetime(2026, 2, 10, 15, 0, 0, 0);

    fn lead(status: LeadStatus, day: i8) -> Lead {
        Lead {
            id: LeadId::from_row("LEAD-20260201-140000-123"),
            timestamp: jiff::Timestamp::UNIX_EPOCH,
            phone: Phone::parse("(904) 252-0927").unwrap(),
            slot: Slot::new(civil::date(2026, 2, day), SlotTime::hour_of_day(10)),
            time_needed: TimeNeeded::default(),
            repair: Repair::at_shop(RepairKind::Screen),
            device: "iPhone".into(),
            customer_name: None,
            address: None,
            status,
            source: LeadSource::Sms,
            discount_percent: None,
        }
    }

    fn held(key: &str, lead_id: Option<&str>) -> DaySchedule {
        let hold = Hold {
            key: key.to_owned(),
            start: SlotTime::parse(key).unwrap(),
            minutes: DEFAULT_MINUTES,
            travel: 0,
            lead_id: lead_id.unwrap_or_default().to_owned(),
            phone: None,
            is_time_off: false,
            is_done: false,
        };
        DaySchedule { holds: vec![hold], ..DaySchedule::default() }
    }

    fn missing(lead: &Lead, day: &DaySchedule, has_booking_row: bool) -> Option<MissingRows> {
        missing_rows(lead, day, has_booking_row, NOW)
    }

    #[test]
    fn an_open_lead_without_rows_gets_both() {
        let both = MissingRows { slot: true, booking: true, conflict: None };
        let lead = lead(LeadStatus::Booked, 12);
        assert_eq!(missing(&lead, &DaySchedule::default(), false), Some(both));
    }

    #[test]
    fn a_hold_under_another_spelling_is_a_hold() {
        for key in ["10:00 AM", "10:00 am", "10am", "10:00"] {
            let day = held(key, Some("LEAD-20260201-140000-123"));
            assert_eq!(missing(&lead(LeadStatus::Booked, 12), &day, true), None, "{key}");
        }
    }

    #[test]
    fn a_slot_of_somebody_else_is_a_conflict_and_never_taken() {
        let lead = lead(LeadStatus::Booked, 12);
        let found = |day| missing(&lead, &day, true).unwrap();
        let other = found(held("10:30 am", Some("LEAD-X")));
        assert_eq!(
            (other.slot, other.conflict),
            (false, Some(Holder::Lead(LeadId::from_row("LEAD-X"))))
        );
        let own_time = found(held("10am", None));
        assert_eq!(own_time.conflict, Some(Holder::Row("10am".to_owned())));
    }

    #[test]
    fn ended_leads_lack_nothing() {
        let day = DaySchedule::default();
        assert_eq!(missing(&lead(LeadStatus::Booked, 9), &day, false), None);
        assert_eq!(missing(&lead(LeadStatus::Cancelled, 12), &day, false), None);
        assert_eq!(missing(&lead(LeadStatus::Completed, 12), &day, false), None);
    }
}
