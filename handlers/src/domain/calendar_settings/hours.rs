//! Opening hours by weekday.

use jiff::civil::Weekday;
use serde_json::{Map, Value, json};

use crate::domain::{
    calendar::{parse_weekday, weekday_name, weekdays},
    time_span::TimeSpan,
};

/// Most parts of a day, which is one break less.
const MAX_PARTS: usize = 6;

/// When the shop is open, by weekday. What lies between two parts of a day is a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours {
    /// From Monday on: the parts of the day, in order and apart from each other.
    days: [Vec<TimeSpan>; 7],
}

/// Nine to five, but not on Sundays.
impl Default for OpeningHours {
    fn default() -> Self {
        let day = || TimeSpan::between(9 * 60, 17 * 60).into_iter().collect();
        let days = [day(), day(), day(), day(), day(), day(), Vec::new()];
        Self { days }
    }
}

impl OpeningHours {
    /// The parts of a weekday in which the shop is open; none when it is closed.
    pub fn parts(&self, day: Weekday) -> &[TimeSpan] {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        self.days.get(at).map_or(&[], Vec::as_slice)
    }

    /// The same with the hours of one weekday replaced.
    fn set(&mut self, day: Weekday, parts: Vec<TimeSpan>) {
        let at = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
        if let Some(place) = self.days.get_mut(at) {
            *place = parts;
        }
    }

    /// Nine to five on every weekday but these.
    pub fn closed_on(closed: &[Weekday]) -> Self {
        let open = Self::default();
        let mut hours = open.clone();
        for day in weekdays() {
            let parts = if closed.contains(&day) { &[] } else { open.parts(Weekday::Monday) };
            hours.set(day, parts.to_vec());
        }
        hours
    }

    /// The weekdays with the same hours as the one before them together, from Monday on: first and
    /// last weekday, and the hours.
    pub fn groups(&self) -> Vec<(Weekday, Weekday, &[TimeSpan])> {
        let mut groups: Vec<(Weekday, Weekday, &[TimeSpan])> = Vec::new();
        for day in weekdays() {
            let parts = self.parts(day);
            match groups.last_mut() {
                Some((_, last, same)) if *same == parts => *last = day,
                _ => groups.push((day, day, parts)),
            }
        }
        groups
    }

    /// `{"monday": ["09:00-12:00", "13:00-17:00"], ..., "sunday": []}`.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        weekdays()
            .map(|day| {
                let parts: Vec<String> = self.parts(day).iter().map(TimeSpan::to_string).collect();
                (weekday_name(day).to_lowercase(), json!(parts))
            })
            .collect()
    }

    /// Replaces the hours of the weekdays that are named.
    pub(super) fn apply(&mut self, days: &[DayHours]) {
        for (day, parts) in days {
            self.set(*day, parts.clone());
        }
    }
}

/// The parts of one weekday.
pub(super) type DayHours = (Weekday, Vec<TimeSpan>);
/// A field that is refused, and what is expected.
pub(super) type Refusal = (String, &'static str);

/// Reads the hours of the weekdays that are named.
pub(super) fn parse_days(value: &Value) -> Result<Vec<DayHours>, Refusal> {
    let wrong = |day: &str, expected| (format!("hours{day}"), expected);
    let days = value.as_object().ok_or_else(|| {
        wrong("", "an object of weekdays, such as {\"monday\": [\"09:00-17:00\"]}")
    })?;
    let day = |(name, value): (&String, &Value)| {
        let place = || format!(".{name}");
        let day =
            parse_weekday(name).ok_or_else(|| wrong(&place(), "weekdays are monday to sunday"))?;
        let parts = parse_parts(value).map_err(|expected| wrong(&place(), expected))?;
        Ok((day, parts))
    };
    days.iter().map(day).collect()
}

fn parse_parts(value: &Value) -> Result<Vec<TimeSpan>, &'static str> {
    const EXPECTED: &str =
        "a list of parts such as [\"09:00-12:00\", \"13:00-17:00\"]; [] is closed";
    let texts = value.as_array().ok_or(EXPECTED)?;
    let mut parts: Vec<TimeSpan> = texts
        .iter()
        .map(|text| text.as_str().and_then(TimeSpan::parse))
        .collect::<Option<_>>()
        .ok_or(EXPECTED)?;
    if parts.len() > MAX_PARTS {
        return Err("at most six parts of a day");
    }
    parts.sort_by_key(|part| part.start);
    let apart = |pair: &[TimeSpan]| match pair {
        [a, b] => a.end() < b.start.minute_of_day(),
        _ => true,
    };
    if parts.windows(2).all(apart) { Ok(parts) } else { Err("parts of a day with a break between") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_grouped_from_monday_on() {
        let groups: Vec<_> =
            OpeningHours::default().groups().iter().map(|(a, b, _)| (*a, *b)).collect();
        let expected = [(Weekday::Monday, Weekday::Saturday), (Weekday::Sunday, Weekday::Sunday)];
        assert_eq!(groups, expected);
        let closed = OpeningHours::closed_on(&[Weekday::Monday]);
        assert!(closed.parts(Weekday::Monday).is_empty());
        assert_eq!(closed.parts(Weekday::Sunday).len(), 1);
    }

    #[test]
    fn what_is_no_day_is_refused_with_its_name() {
        for (value, place) in [
            (json!([]), "hours"),
            (json!({ "funday": [] }), "hours.funday"),
            (json!({ "monday": null }), "hours.monday"),
            (json!({ "monday": "09:00-17:00" }), "hours.monday"),
            (json!({ "monday": ["17:00-09:00"] }), "hours.monday"),
            (json!({ "monday": ["09:00-12:00", "11:00-17:00"] }), "hours.monday"),
            (json!({ "monday": ["09:00-12:00", "12:00-17:00"] }), "hours.monday"),
        ] {
            assert_eq!(parse_days(&value).unwrap_err().0, place, "{value}");
        }
        let parts = parse_days(&json!({ "Monday": ["13:00-17:00", "9 AM-12 PM"] })).unwrap();
        let texts: Vec<_> = parts[0].1.iter().map(TimeSpan::to_string).collect();
        assert_eq!(texts, ["09:00-12:00", "13:00-17:00"]);
    }
}
