//! A change of the calendar's settings, as the API receives it and the table holds it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil;
use serde_json::{Map, Value};

use super::{
    CalendarSettings,
    hours::{DayHours, Refusal, parse_days},
};
use crate::domain::{
    catalogue::RepairKind, slot::parse_date, time_needed::MAX_MINUTES, time_span::DailyHours,
};

/// Most closed dates.
const MAX_CLOSED_DATES: usize = 366;
/// Shortest repair, in minutes.
const MIN_MINUTES: u16 = 5;
/// Longest way to a customer, in minutes.
const MAX_TRAVEL: u16 = 240;
/// Longest notice, in minutes: two weeks.
const MAX_NOTICE: u16 = 14 * 24 * 60;
/// Farthest horizon, in days.
const MAX_HORIZON: u16 = 365;
/// Fields of the response that a page may send back; they are ignored.
const READ_ONLY: [&str; 3] = ["updated_at", "changed_by", "time_zone"];

/// The fields to change; the others stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarPatch {
    hours: Vec<DayHours>,
    closed_dates: Option<BTreeSet<civil::Date>>,
    slot_interval_minutes: Option<u16>,
    repair_minutes: BTreeMap<RepairKind, u16>,
    travel_minutes: Option<u16>,
    notice_minutes: Option<u16>,
    horizon_days: Option<u16>,
    booking_texts: Option<bool>,
    /// `Some(None)` clears them.
    quiet_hours: Option<Option<DailyHours>>,
    /// The version that the caller has seen; without it the change is made to whatever is there.
    expected_version: Option<u64>,
}

/// Why a change is refused. Every text names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarPatchError {
    /// The calendar has no such field.
    #[error(
        "Unknown field: {0}. Fields are hours, closed_dates, slot_interval_minutes, repair_minutes, travel_minutes, notice_minutes, horizon_days, booking_texts, quiet_hours and version"
    )]
    Unknown(String),
    /// The value is not allowed for the field.
    #[error("Invalid value for {field}: {expected}")]
    Invalid {
        /// The field, with its key where it is an object: `hours.monday`.
        field: String,
        /// The allowed values.
        expected: &'static str,
    },
}

impl CalendarPatch {
    /// Parses a JSON object.
    ///
    /// # Errors
    /// [`CalendarPatchError`] for the first field that is unknown or has a value that is not
    /// allowed.
    pub fn from_json(fields: &Map<String, Value>) -> Result<Self, CalendarPatchError> {
        let mut patch = Self::default();
        for (field, value) in fields {
            patch.set(field, value)?;
        }
        Ok(patch)
    }

    /// Whether it has no field to change.
    pub fn changes_nothing(&self) -> bool {
        Self { expected_version: None, ..self.clone() } == Self::default()
    }

    /// The version that the caller has seen.
    pub fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }

    fn set(&mut self, field: &str, value: &Value) -> Result<(), CalendarPatchError> {
        let invalid = |expected| (field.to_owned(), expected);
        let parsed = match field {
            "hours" => parse_days(value).map(|days| self.hours = days),
            "closed_dates" => dates(value).map(|v| self.closed_dates = Some(v)).map_err(invalid),
            "slot_interval_minutes" => {
                interval(value).map(|v| self.slot_interval_minutes = Some(v)).map_err(invalid)
            }
            "repair_minutes" => repairs(value).map(|minutes| self.repair_minutes = minutes),
            "travel_minutes" => number(value, 0, MAX_TRAVEL, "0 to 240")
                .map(|v| self.travel_minutes = Some(v))
                .map_err(invalid),
            "notice_minutes" => number(value, 0, MAX_NOTICE, "0 to 20160, which is two weeks")
                .map(|v| self.notice_minutes = Some(v))
                .map_err(invalid),
            "horizon_days" => number(value, 1, MAX_HORIZON, "1 to 365")
                .map(|v| self.horizon_days = Some(v))
                .map_err(invalid),
            "booking_texts" => {
                let given = value.as_bool().ok_or("true or false");
                given.map(|v| self.booking_texts = Some(v)).map_err(invalid)
            }
            "quiet_hours" => quiet(value).map(|v| self.quiet_hours = Some(v)).map_err(invalid),
            "version" => {
                let given = value.as_u64().ok_or("the version that the calendar had");
                given.map(|v| self.expected_version = Some(v)).map_err(invalid)
            }
            known if READ_ONLY.contains(&known) => Ok(()),
            unknown => {
                return Err(CalendarPatchError::Unknown(unknown.chars().take(40).collect()));
            }
        };
        parsed.map_err(|(field, expected)| CalendarPatchError::Invalid {
            field: field.chars().take(60).collect(),
            expected,
        })
    }

    pub(super) fn apply(&self, settings: &mut CalendarSettings) {
        fn put<T: Clone>(given: &Option<T>, field: &mut T) {
            if let Some(value) = given {
                *field = value.clone();
            }
        }
        settings.hours.apply(&self.hours);
        put(&self.closed_dates, &mut settings.closed_dates);
        put(&self.slot_interval_minutes, &mut settings.slot_interval_minutes);
        settings.repair_minutes.extend(self.repair_minutes.clone());
        put(&self.travel_minutes, &mut settings.travel_minutes);
        put(&self.notice_minutes, &mut settings.notice_minutes);
        put(&self.horizon_days, &mut settings.horizon_days);
        put(&self.booking_texts, &mut settings.booking_texts);
        put(&self.quiet_hours, &mut settings.quiet_hours);
    }
}

fn number(value: &Value, min: u16, max: u16, expected: &'static str) -> Result<u16, &'static str> {
    value
        .as_u64()
        .and_then(|number| u16::try_from(number).ok())
        .filter(|number| (min..=max).contains(number))
        .ok_or(expected)
}

fn interval(value: &Value) -> Result<u16, &'static str> {
    let expected = "15, 20, 30 or 60";
    number(value, 15, 60, expected)
        .ok()
        .filter(|minutes| [15, 20, 30, 60].contains(minutes))
        .ok_or(expected)
}

fn dates(value: &Value) -> Result<BTreeSet<civil::Date>, &'static str> {
    const EXPECTED: &str = "a list of dates such as [\"2026-12-25\"]";
    let texts = value.as_array().ok_or(EXPECTED)?;
    if texts.len() > MAX_CLOSED_DATES {
        return Err("at most 366 dates");
    }
    texts
        .iter()
        .map(|text| text.as_str().and_then(|text| parse_date(text).ok()))
        .collect::<Option<_>>()
        .ok_or(EXPECTED)
}

fn repairs(value: &Value) -> Result<BTreeMap<RepairKind, u16>, Refusal> {
    let repairs = value.as_object().ok_or_else(|| {
        ("repair_minutes".to_owned(), "an object such as {\"screen\": 90, \"battery\": 30}")
    })?;
    let repair = |(slug, value): (&String, &Value)| {
        let place = || format!("repair_minutes.{slug}");
        let kind =
            RepairKind::ALL.into_iter().find(|kind| kind.slug() == slug).ok_or_else(|| {
                (place(), "repairs are screen, battery, charging_port, water_damage and back_glass")
            })?;
        let minutes = number(value, MIN_MINUTES, MAX_MINUTES, "5 to 600")
            .map_err(|expected| (place(), expected))?;
        Ok((kind, minutes))
    };
    repairs.iter().map(repair).collect()
}

fn quiet(value: &Value) -> Result<Option<DailyHours>, &'static str> {
    const EXPECTED: &str = "hours such as 22:00-07:00, or null";
    match value {
        Value::Null => Ok(None),
        Value::String(text) => DailyHours::parse(text).map(Some).ok_or(EXPECTED),
        _ => Err(EXPECTED),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_given_changes() {
        let before = CalendarSettings::default();
        let fields = json!({ "repair_minutes": { "screen": 90 }, "version": 0 });
        let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
        assert_eq!(patch.expected_version(), Some(0));
        let mut after = before.clone();
        patch.apply(&mut after);
        let expected =
            CalendarSettings { repair_minutes: [(RepairKind::Screen, 90)].into(), ..before };
        assert_eq!(after, expected);
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_its_name() {
        for (field, value, place) in [
            ("hours", json!({ "monday": ["later"] }), "hours.monday"),
            ("closed_dates", json!("2026-12-25"), "closed_dates"),
            ("closed_dates", json!(["2026-02-30"]), "closed_dates"),
            ("slot_interval_minutes", json!(45), "slot_interval_minutes"),
            ("slot_interval_minutes", json!(0), "slot_interval_minutes"),
            ("repair_minutes", json!({ "hairdryer": 60 }), "repair_minutes.hairdryer"),
            ("repair_minutes", json!({ "screen": 0 }), "repair_minutes.screen"),
            ("repair_minutes", json!(60), "repair_minutes"),
            ("travel_minutes", json!(-1), "travel_minutes"),
            ("notice_minutes", json!("60"), "notice_minutes"),
            ("horizon_days", json!(0), "horizon_days"),
            ("horizon_days", json!(366), "horizon_days"),
            ("booking_texts", json!("yes"), "booking_texts"),
            ("quiet_hours", json!("night"), "quiet_hours"),
            ("version", json!("1"), "version"),
        ] {
            let mut fields = Map::new();
            fields.insert(field.to_owned(), value.clone());
            let error = CalendarPatch::from_json(&fields).unwrap_err().to_string();
            assert!(error.starts_with(&format!("Invalid value for {place}: ")), "{error} {value}");
        }
        let mut fields = Map::new();
        fields.insert("breaks".to_owned(), json!([]));
        let error = CalendarPatch::from_json(&fields).unwrap_err().to_string();
        assert!(error.starts_with("Unknown field: breaks. Fields are hours,"), "{error}");
    }
}
