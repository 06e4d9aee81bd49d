//! `rate(...)`, `cron(...)` and `at(...)`.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::cron::Cron;

/// The moments at which a schedule is due.
#[derive(Debug, Clone, PartialEq)]
pub enum ScheduleExpression {
    /// Again and again after this time, counted from the schedule's creation.
    Rate(SignedDuration),
    /// At the minutes that six fields describe.
    Cron(Box<Cron>),
    /// Once.
    At(DateTime),
}

impl ScheduleExpression {
    /// The first moment after `after`; see [`super::Schedule::next_after`].
    pub(super) fn next_after(
        &self,
        after: Timestamp,
        start: Timestamp,
        time_zone: &TimeZone,
    ) -> Option<Timestamp> {
        match self {
            Self::Rate(period) => {
                let (period, since) = (period.as_millis(), after.duration_since(start).as_millis());
                let times = since.div_euclid(period).max(0) + 1;
                let later = i64::try_from(times.checked_mul(period)?).ok()?;
                start.checked_add(SignedDuration::from_millis(later)).ok()
            }
            Self::Cron(cron) => cron.next_after(after, time_zone),
            Self::At(at) => {
                let at = time_zone.to_timestamp(*at).ok()?;
                (at > after).then_some(at)
            }
        }
    }
}

impl FromStr for ScheduleExpression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let of = |kind: &str| text.trim().strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = of("rate") {
            return rate_of(rate).map(Self::Rate);
        }
        if let Some(fields) = of("cron") {
            return Cron::parse(fields).map(|cron| Self::Cron(Box::new(cron)));
        }
        if let Some(at) = of("at") {
            let at = at.parse().map(Self::At);
            return at.map_err(|_| "at(...) takes a time such as 2026-02-10T09:00:00".into());
        }
        Err(format!(
            "`{text}` is not a schedule; write rate(5 minutes), cron(0 9 * * ? *) or, in a \
             ScheduleV2, at(2026-02-10T09:00:00)"
        ))
    }
}

fn rate_of(text: &str) -> Result<SignedDuration, String> {
    let mut words = text.split_whitespace();
    let (number, unit) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let wrong = || format!("rate({text}): write a number above 0 and minutes, hours or days");
    let number: u32 = number.parse().map_err(|_| wrong())?;
    if number == 0 || words.next().is_some() {
        return Err(wrong());
    }
    let minutes: i64 = match unit.trim_end_matches('s') {
        "minute" => 1,
        "hour" => 60,
        "day" => 24 * 60,
        _ => return Err(wrong()),
    };
    // AWS insists on the grammar.
    let plural = unit.ends_with('s');
    if plural == (number == 1) {
        let right = if plural { unit.trim_end_matches('s').to_owned() } else { format!("{unit}s") };
        return Err(format!("rate({text}): AWS takes rate({number} {right}) alone"));
    }
    Ok(SignedDuration::from_mins(i64::from(number) * minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn next(expression: &str, after: &str) -> Option<String> {
        let expression: ScheduleExpression = expression.parse().unwrap();
        let start = at("2026-02-10T20:10:30Z");
        let next = expression.next_after(at(after), start, &TimeZone::UTC);
        next.map(|at| at.to_string())
    }

    #[test]
    fn a_rate_counts_from_the_schedules_creation() {
        let next = |after| next("rate(5 minutes)", after).unwrap();
        assert_eq!(next("2026-02-10T20:10:30Z"), "2026-02-10T20:15:30Z");
        assert_eq!(next("2026-02-10T20:15:29Z"), "2026-02-10T20:15:30Z");
        assert_eq!(next("2026-02-10T20:15:30Z"), "2026-02-10T20:20:30Z");
        assert_eq!(next("2036-02-10T20:16:00Z"), "2036-02-10T20:20:30Z");
    }

    #[test]
    fn an_at_is_due_once() {
        let next = |after| next("at(2026-02-11T09:00:00)", after);
        assert_eq!(next("2026-02-10T20:10:30Z").unwrap(), "2026-02-11T09:00:00Z");
        assert_eq!(next("2026-02-11T09:00:00Z"), None);
    }

    #[test]
    fn what_aws_refuses_is_refused() {
        for wrong in [
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(2 minute)",
            "rate(5 seconds)",
            "rate(5)",
            "rate(-5 minutes)",
            "every 5 minutes",
            "at(noon)",
            "cron(0 9 * * *)",
        ] {
            assert!(wrong.parse::<ScheduleExpression>().is_err(), "{wrong}");
        }
    }
}
