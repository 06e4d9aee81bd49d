//! `cron(minutes hours day-of-month month day-of-week year)`, as EventBridge reads it.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Weekday, time},
    tz::TimeZone,
};

/// How many days are looked at for the next due moment: 30 years.
const HORIZON_DAYS: usize = 366 * 30;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The six fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
    days: Days,
}

/// Days, by the one of the two fields that is not `?`.
#[derive(Debug, Clone, PartialEq)]
enum Days {
    OfMonth(BTreeSet<i16>),
    LastOfMonth,
    /// The weekday that is nearest to a day of the month.
    NearestWeekday(i16),
    /// 1 is Sunday.
    OfWeek(BTreeSet<i16>),
    /// The nth of a weekday in its month: `3#2`.
    Nth(i16, i8),
    /// The last of a weekday in its month: `6L`.
    LastOfWeekday(i16),
}

/// A field's name, its least and its greatest value, and words for values.
struct Field(&'static str, i16, i16, &'static [&'static str]);

impl Cron {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, of_month, months, of_week, years] = fields.as_slice() else {
            return Err(format!(
                "cron({text}) has {} fields; they are six: minutes, hours, day of month, month, \
                 day of week, year",
                fields.len()
            ));
        };
        let days = match (*of_month, *of_week) {
            ("?", "?") => return Err(format!("cron({text}): one of the days must not be `?`")),
            (of_month, "?") => days_of_month(of_month)?,
            ("?", of_week) => days_of_week(of_week)?,
            _ => {
                return Err(format!(
                    "cron({text}): the day of month or the day of week must be `?`"
                ));
            }
        };
        Ok(Self {
            minutes: Field("minutes", 0, 59, &[]).parse(minutes)?,
            hours: Field("hours", 0, 23, &[]).parse(hours)?,
            months: Field("month", 1, 12, &MONTHS).parse(months)?,
            years: Field("year", 1970, 2199, &[]).parse(years)?,
            days,
        })
    }

    /// The first moment after `after`; `None` if there is none in the next thirty years.
    pub(super) fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = after.to_zoned(zone.clone()).date();
        for _ in 0..HORIZON_DAYS {
            if self.is_day(date) {
                let times =
                    self.hours.iter().flat_map(|h| self.minutes.iter().map(move |m| (h, m)));
                for (hour, minute) in times {
                    let (hour, minute) = (i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?);
                    let at = date.to_datetime(time(hour, minute, 0, 0));
                    let at = zone.to_timestamp(at).ok()?;
                    if at > after {
                        return Some(at);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn is_day(&self, date: Date) -> bool {
        if !self.months.contains(&date.month().into()) || !self.years.contains(&date.year()) {
            return false;
        }
        let (day, of_week) = (i16::from(date.day()), number(date.weekday()));
        match &self.days {
            Days::OfMonth(days) => days.contains(&day),
            Days::LastOfMonth => date == date.last_of_month(),
            Days::NearestWeekday(wanted) => nearest_weekday(date, *wanted) == Some(date),
            Days::OfWeek(days) => days.contains(&of_week),
            Days::Nth(wanted, nth) => of_week == *wanted && (date.day() - 1) / 7 + 1 == *nth,
            Days::LastOfWeekday(wanted) => {
                of_week == *wanted && date.day() > date.days_in_month() - 7
            }
        }
    }
}

/// A weekday's number: Sunday is 1.
fn number(weekday: Weekday) -> i16 {
    weekday.to_sunday_one_offset().into()
}

/// The weekday in the month of `date` that is nearest to a day of it.
fn nearest_weekday(date: Date, day: i16) -> Option<Date> {
    let wanted = Date::new(date.year(), date.month(), i8::try_from(day).ok()?).ok()?;
    let moved = match wanted.weekday() {
        Weekday::Saturday if wanted.day() == 1 => 2,
        Weekday::Saturday => -1,
        Weekday::Sunday if wanted == wanted.last_of_month() => -2,
        Weekday::Sunday => 1,
        _ => 0,
    };
    wanted.checked_add(moved.days()).ok()
}

fn days_of_month(text: &str) -> Result<Days, String> {
    if text == "L" {
        return Ok(Days::LastOfMonth);
    }
    let field = Field("day of month", 1, 31, &[]);
    match text.strip_suffix('W') {
        Some(day) => field.value(day).map(Days::NearestWeekday),
        None => field.parse(text).map(Days::OfMonth),
    }
}

fn days_of_week(text: &str) -> Result<Days, String> {
    let field = Field("day of week", 1, 7, &DAYS);
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
        let nth =
            nth.ok_or_else(|| format!("day of week: `{text}` is not an nth day such as 3#2"))?;
        return Ok(Days::Nth(field.value(day)?, nth));
    }
    match text.strip_suffix('L') {
        // The last day of the week is Saturday.
        Some("") => Ok(Days::OfWeek([7].into())),
        Some(day) => field.value(day).map(Days::LastOfWeekday),
        None => field.parse(text).map(Days::OfWeek),
    }
}

impl Field {
    /// `*`, `5`, `1-5`, `0/15`, `*/15`, and lists of them.
    fn parse(&self, text: &str) -> Result<BTreeSet<i16>, String> {
        let Self(name, least, most, _) = *self;
        let mut all = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => {
                    let step = step.parse::<usize>().ok().filter(|step| *step > 0);
                    let wrong = || format!("{name}: `{part}` has no step above 0");
                    (range, Some(step.ok_or_else(wrong)?))
                }
                None => (part, None),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (least, most),
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None => {
                    let from = self.value(range)?;
                    (from, if step.is_some() { most } else { from })
                }
            };
            if from > to {
                return Err(format!("{name}: `{range}` runs backwards"));
            }
            all.extend((from..=to).step_by(step.unwrap_or(1)));
        }
        Ok(all)
    }

    fn value(&self, text: &str) -> Result<i16, String> {
        let Self(name, least, most, words) = *self;
        let word = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let word = word.and_then(|at| i16::try_from(at + 1).ok());
        let value = word.or_else(|| text.parse().ok());
        value
            .filter(|value| (least..=most).contains(value))
            .ok_or_else(|| format!("{name}: `{text}` is not from {least} to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(fields: &str, after: &str) -> String {
        let cron = Cron::parse(fields).unwrap_or_else(|wrong| panic!("{fields}: {wrong}"));
        let next = cron.next_after(after.parse().unwrap(), &TimeZone::UTC);
        next.map_or_else(|| "never".into(), |at| at.to_string())
    }

    #[test]
    fn fields_mean_what_eventbridge_says() {
        // 10 February 2026 is a Tuesday.
        let now = "2026-02-10T20:10:00Z";
        for (fields, expected) in [
            ("0/15 * * * ? *", "2026-02-10T20:15:00Z"),
            ("* * * * ? *", "2026-02-10T20:11:00Z"),
            ("10 20 * * ? *", "2026-02-11T20:10:00Z"),
            ("0 9 ? * MON-FRI *", "2026-02-11T09:00:00Z"),
            ("0 9 ? * 1 *", "2026-02-15T09:00:00Z"),
            ("0 9 ? * L *", "2026-02-14T09:00:00Z"),
            ("30 8,22 * * ? *", "2026-02-10T22:30:00Z"),
            ("0 0 L * ? *", "2026-02-28T00:00:00Z"),
            ("0 0 15W FEB ? *", "2026-02-16T00:00:00Z"),
            ("0 0 ? * 3#2 *", "2026-03-10T00:00:00Z"),
            ("0 0 ? * 6L *", "2026-02-27T00:00:00Z"),
            ("0 0 29 2 ? *", "2028-02-29T00:00:00Z"),
            ("0 0 1 1 ? 2030", "2030-01-01T00:00:00Z"),
            ("0 0 1 1 ? 2020", "never"),
        ] {
            assert_eq!(next(fields, now), expected, "{fields}");
        }
    }

    #[test]
    fn a_time_zone_is_the_walls() {
        let cron = Cron::parse("0 9 * * ? *").unwrap();
        let zone = TimeZone::get("America/New_York").unwrap();
        let next = cron.next_after("2026-02-10T20:10:00Z".parse().unwrap(), &zone).unwrap();
        assert_eq!(next.to_string(), "2026-02-11T14:00:00Z");
        let next = cron.next_after("2026-03-08T20:10:00Z".parse().unwrap(), &zone).unwrap();
        assert_eq!(next.to_string(), "2026-03-09T13:00:00Z", "summer time");
    }

    #[test]
    fn what_eventbridge_refuses_is_refused() {
        for wrong in [
            "* * * * * *",
            "* * ? * ? *",
            "60 * * * ? *",
            "0 24 * * ? *",
            "0 0 32 * ? *",
            "0 0 ? * 8 *",
            "0 0 ? * MON#6 *",
            "0/0 * * * ? *",
            "0 0 1 FOO ? *",
            "5-1 * * * ? *",
        ] {
            assert!(Cron::parse(wrong).is_err(), "{wrong}");
        }
    }
}
