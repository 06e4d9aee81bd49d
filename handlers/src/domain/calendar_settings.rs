//! What the owner decides about his calendar: hours, closed dates, how long repairs take, and when
//! he is told of bookings.

mod hours;
mod patch;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil};
use serde_json::{Map, Value, json};

use super::{
    catalogue::{Repair, RepairKind},
    changed_by::ChangedBy,
    time_needed::{DEFAULT_MINUTES, TimeNeeded},
    time_span::DailyHours,
};

pub use hours::OpeningHours;
pub use patch::{CalendarPatch, CalendarPatchError};

/// What the owner decides about his calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSettings {
    /// When the shop is open.
    pub hours: OpeningHours,
    /// Dates on which it is closed whatever the weekday.
    pub closed_dates: BTreeSet<civil::Date>,
    /// Minutes from one slot's start to the next.
    pub slot_interval_minutes: u16,
    /// Minutes that a repair takes; a kind that is missing takes [`DEFAULT_MINUTES`].
    pub repair_minutes: BTreeMap<RepairKind, u16>,
    /// Minutes of travel to a customer, and back.
    pub travel_minutes: u16,
    /// Minutes between a booking and the earliest slot that it may take.
    pub notice_minutes: u16,
    /// How many days ahead bookings are taken.
    pub horizon_days: u16,
    /// Whether the owner is texted about bookings, cancellations and moves.
    pub booking_texts: bool,
    /// When these texts wait, on the shop's wall clock.
    pub quiet_hours: Option<DailyHours>,
    /// Business time of the last change; `None` before the first.
    pub updated_at: Option<Timestamp>,
    /// By what they were changed last; `None` before the first change, and for a row of an older version.
    pub changed_by: Option<ChangedBy>,
    /// Number of changes; 0 before the first.
    pub version: u64,
}

impl Default for CalendarSettings {
    fn default() -> Self {
        Self {
            hours: OpeningHours::default(),
            closed_dates: BTreeSet::new(),
            slot_interval_minutes: 60,
            repair_minutes: BTreeMap::new(),
            travel_minutes: 0,
            notice_minutes: 60,
            horizon_days: 60,
            booking_texts: true,
            quiet_hours: None,
            updated_at: None,
            changed_by: None,
            version: 0,
        }
    }
}

impl CalendarSettings {
    /// How long a repair keeps the owner.
    pub fn time_needed(&self, repair: &Repair) -> TimeNeeded {
        let Repair::Listed { kind, on_site } = repair else { return TimeNeeded::default() };
        let travel = if *on_site { self.travel_minutes } else { 0 };
        TimeNeeded { minutes: self.minutes(*kind), travel }
    }

    /// How many minutes a kind of repair takes.
    pub fn minutes(&self, kind: RepairKind) -> u16 {
        self.repair_minutes.get(&kind).copied().unwrap_or(DEFAULT_MINUTES)
    }

    /// The settings after a change at `now`. Only the given fields differ, and the version is one
    /// higher.
    #[must_use]
    pub fn merge(&self, patch: &CalendarPatch, by: ChangedBy, now: Timestamp) -> Self {
        self.with(patch).changed(self.version, by, now)
    }

    /// The settings with the given fields, as the same version.
    #[must_use]
    pub fn with(&self, patch: &CalendarPatch) -> Self {
        let mut settings = self.clone();
        patch.apply(&mut settings);
        settings
    }

    /// These settings as a change of the ones with this version.
    #[must_use]
    pub fn changed(self, from: u64, by: ChangedBy, now: Timestamp) -> Self {
        let version = from.saturating_add(1);
        Self { updated_at: Some(now), changed_by: Some(by), version, ..self }
    }

    /// What can be changed, as JSON. [`CalendarPatch::from_json`] reads it back.
    pub fn to_json(&self) -> Map<String, Value> {
        let dates: Vec<String> = self.closed_dates.iter().map(ToString::to_string).collect();
        let minutes: Map<String, Value> = RepairKind::ALL
            .into_iter()
            .map(|kind| (kind.slug().to_owned(), json!(self.minutes(kind))))
            .collect();
        let fields = [
            ("hours", Value::Object(self.hours.to_json())),
            ("closed_dates", json!(dates)),
            ("slot_interval_minutes", json!(self.slot_interval_minutes)),
            ("repair_minutes", Value::Object(minutes)),
            ("travel_minutes", json!(self.travel_minutes)),
            ("notice_minutes", json!(self.notice_minutes)),
            ("horizon_days", json!(self.horizon_days)),
            ("booking_texts", json!(self.booking_texts)),
            ("quiet_hours", json!(self.quiet_hours.map(|hours| hours.to_string()))),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_needs_its_travel_too() {
        let settings = CalendarSettings {
            repair_minutes: [(RepairKind::Screen, 90)].into(),
            travel_minutes: 30,
            ..CalendarSettings::default()
        };
        let needed = |words| settings.time_needed(&Repair::parse(words).unwrap());
        assert_eq!(needed("screen"), TimeNeeded::in_shop(90));
        assert_eq!(needed("battery"), TimeNeeded::default());
        assert_eq!(needed("on_site_screen"), TimeNeeded { minutes: 90, travel: 30 });
    }

    #[test]
    fn what_is_written_is_read_back() {
        let fields = json!({
            "hours": { "saturday": ["10:00-14:00"], "monday": ["09:00-12:00", "13:00-18:00"] },
            "closed_dates": ["2026-12-25"],
            "slot_interval_minutes": 30,
            "repair_minutes": { "battery": 30 },
            "travel_minutes": 20,
            "notice_minutes": 120,
            "horizon_days": 90,
            "booking_texts": false,
            "quiet_hours": "22:00-07:00",
        });
        let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
        let now = "2026-02-10T20:10:00Z".parse().unwrap();
        let settings = CalendarSettings::default().merge(&patch, ChangedBy::Api, now);
        assert_eq!(settings.version, 1);
        let read = CalendarPatch::from_json(&settings.to_json()).unwrap();
        let read = CalendarSettings::default().merge(&read, ChangedBy::Api, now);
        assert_eq!(read.to_json(), settings.to_json());
        assert_eq!(settings.to_json()["repair_minutes"]["battery"], 30);
        assert_eq!(settings.to_json()["quiet_hours"], "22:00-07:00");
    }
}
