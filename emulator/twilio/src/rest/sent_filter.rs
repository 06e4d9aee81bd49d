//! The filters on `DateSent`: a day or a moment, and the times before or after it.
//!
//! Twilio documents `DateSent=2026-02-10` as a whole day in GMT, and `<=` and `>=` as up to and from it.
//! The SDKs send a day as its midnight, `2026-02-10T00:00:00Z`, and the inequality as a part of the key:
//! `DateSent<`, `DateSent>`. A value may bring it as well: `DateSent=<=2026-02-10`.

use jiff::{Timestamp, ToSpan, civil, fmt::rfc2822, tz::TimeZone};

use super::{error::ApiError, request::Params};

/// The times that the filters of a query let pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SentFilter {
    /// Sent at or after this time.
    since: Option<Timestamp>,
    /// Sent before this time.
    until: Option<Timestamp>,
}

impl SentFilter {
    /// Reads all filters of a query. What passes, passes every one.
    ///
    /// # Errors
    /// 20001, a date is not valid.
    pub fn read(query: &Params) -> Result<Self, ApiError> {
        let mut filter = Self::default();
        for (key, value) in query.pairs().iter().filter(|(_, value)| !value.is_empty()) {
            let Some(sign) = key.strip_prefix("DateSent") else { continue };
            let value = value.trim();
            let (sign, text) = match (sign, value.find(|c: char| !"<>=".contains(c))) {
                ("", Some(at)) => value.split_at(at),
                _ => (sign, value),
            };
            let (is_start, is_end) = match sign {
                "" | "=" => (true, true),
                "<" | "<=" => (false, true),
                ">" | ">=" => (true, false),
                // Another parameter, which Twilio ignores.
                _ => continue,
            };
            let (start, end) = span(text.trim())
                .ok_or_else(|| ApiError::with(20001, format!("Invalid date for {key}: {value}")))?;
            if is_start {
                filter.since = filter.since.max(Some(start));
            }
            if is_end {
                filter.until = Some(filter.until.map_or(end, |until| until.min(end)));
            }
        }
        Ok(filter)
    }

    /// Whether a message that was sent at this time passes; one that was not sent passes only when
    /// there is no filter.
    pub fn accepts(&self, sent: Option<Timestamp>) -> bool {
        self.since.is_none_or(|since| sent.is_some_and(|sent| sent >= since))
            && self.until.is_none_or(|until| sent.is_some_and(|sent| sent < until))
    }
}

/// The first instant of a day or second, and the first instant after it. Midnight in GMT is its day.
/// `None` when the text is no date or time.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let start = day(text).or_else(|| moment(text))?;
    let midnight = start.as_second().rem_euclid(24 * 60 * 60) == 0;
    let length = if midnight { 24.hours() } else { 1.second() };
    Some((start, start.checked_add(length).ok()?))
}

/// `2026-02-10` or, as in Twilio's examples, `02/10/2026`.
fn day(text: &str) -> Option<Timestamp> {
    let iso = (text.len() == 10).then(|| text.parse().ok()).flatten();
    let day: civil::Date = iso.or_else(|| civil::Date::strptime("%m/%d/%Y", text).ok())?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A time in RFC 3339 or RFC 2822, without an offset in GMT, or `06/11/2019 22:05:25 MST`.
fn moment(text: &str) -> Option<Timestamp> {
    let gmt = |at: civil::DateTime| Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let with_offset = || text.parse::<Timestamp>().ok();
    let in_gmt = || gmt(text.parse().ok()?);
    let in_mail = || Some(rfc2822::parse(text).ok()?.timestamp());
    let american = || {
        let (at, zone) = text.rsplit_once(' ')?;
        let at = civil::DateTime::strptime("%m/%d/%Y %H:%M:%S", at).ok()?;
        // RFC 2822 knows the abbreviations of American zones.
        let mail = format!("{} {zone}", at.strftime("%d %b %Y %H:%M:%S"));
        Some(rfc2822::parse(&mail).ok()?.timestamp())
    };
    with_offset().or_else(in_gmt).or_else(in_mail).or_else(american)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<(String, i64)> {
        let (start, end) = span(text)?;
        Some((start.to_string(), end.duration_since(start).as_secs()))
    }

    #[test]
    fn a_day_is_whole_also_as_its_midnight_and_a_moment_is_a_second() {
        let (day, second) = (24 * 60 * 60, 1);
        for (text, start, seconds) in [
            ("2026-02-10", "2026-02-10T00:00:00Z", day),
            ("02/10/2026", "2026-02-10T00:00:00Z", day),
            ("2026-02-10T00:00:00Z", "2026-02-10T00:00:00Z", day),
            ("2026-02-10T00:00:00.000Z", "2026-02-10T00:00:00Z", day),
            ("2026-02-10T00:00:00+00:00", "2026-02-10T00:00:00Z", day),
            ("2026-02-10 00:00:00", "2026-02-10T00:00:00Z", day),
            ("Tue, 10 Feb 2026 00:00:00 +0000", "2026-02-10T00:00:00Z", day),
            ("2026-02-10T10:00:00Z", "2026-02-10T10:00:00Z", second),
            ("2026-02-10T00:00:00-05:00", "2026-02-10T05:00:00Z", second),
            ("Tue, 10 Feb 2026 10:00:00 +0000", "2026-02-10T10:00:00Z", second),
            ("06/11/2019 22:05:25 MST", "2019-06-12T05:05:25Z", second),
        ] {
            assert_eq!(shown(text), Some((start.to_owned(), seconds)), "{text}");
        }
        for wrong in ["", "yesterday", "2026-13-01", "31/12/2026", "2026-02-10T25:00:00Z"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_way_of_writing_an_inequality_means_the_same() {
        let read = |query: &str| SentFilter::read(&Params::parse(query.as_bytes())).unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        let (from, up_to) = (at("2026-02-10T00:00:00Z"), at("2026-02-11T00:00:00Z"));
        let day = SentFilter { since: from, until: up_to };
        let before = SentFilter { since: None, until: up_to };
        let after = SentFilter { since: from, until: None };
        for (query, filter) in [
            ("DateSent=2026-02-10", day),
            ("DateSent=%3D2026-02-10", day),
            ("DateSent%3C=2026-02-10", before),
            ("DateSent<=2026-02-10", before),
            ("DateSent%3C%3D=2026-02-10", before),
            ("DateSent=%3C%3D2026-02-10", before),
            ("DateSent=%3C2026-02-10", before),
            ("DateSent%3E=2026-02-10T00%3A00%3A00Z", after),
            ("DateSent>=2026-02-10", after),
            ("DateSent=%3E%3D2026-02-10", after),
            ("DateSent>=2026-02-10&DateSent<=2026-02-10", day),
            ("DateSent=2026-02-10&DateSent>=2026-02-01", day),
            ("DateSent=&DateSentence=soon", SentFilter::default()),
        ] {
            assert_eq!(read(query), filter, "{query}");
        }
        assert!(SentFilter::read(&Params::parse(b"DateSent=%3E%3Dsoon")).is_err());
    }
}
