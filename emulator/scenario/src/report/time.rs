//! How durations and business times are written.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

/// A duration in at most three digits and a unit: `0.4 ms`, `12 ms`, `1.25 s`, `2m 05s`.
pub fn duration(took: Duration) -> String {
    let micros = took.as_micros();
    match micros {
        0..10_000 => format!("{:.1} ms", took.as_secs_f64() * 1e3),
        10_000..999_500 => format!("{:.0} ms", took.as_secs_f64() * 1e3),
        999_500..59_995_000 => format!("{:.2} s", took.as_secs_f64()),
        _ => {
            let seconds = took.as_secs_f64().round() as u64;
            format!("{}m {:02}s", seconds / 60, seconds % 60)
        }
    }
}

/// The time of day where the shop is: `15:10`.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// The time of day where the shop is: `15:10:03`.
pub fn clock_with_seconds(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// The zone where the shop is, with its offset: `America/New_York (-05:00)`.
pub fn zone(at: Timestamp, zone: &TimeZone) -> String {
    let offset = at.to_zoned(zone.clone()).strftime("%:z").to_string();
    zone.iana_name().map_or_else(|| offset.clone(), |name| format!("{name} ({offset})"))
}

/// The day where the shop is: `Tue Feb 10 2026`.
pub fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %b %-d %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_few_digits_and_never_round_into_the_wrong_unit() {
        let of = |us: u64| duration(Duration::from_micros(us));
        assert_eq!(of(0), "0.0 ms");
        assert_eq!(of(412), "0.4 ms");
        assert_eq!(of(12_345), "12 ms");
        assert_eq!(of(999_499), "999 ms");
        assert_eq!(of(999_500), "1.00 s");
        assert_eq!(of(1_250_000), "1.25 s");
        assert_eq!(of(59_999_000), "1m 00s");
        assert_eq!(of(125_000_000), "2m 05s");
    }

    #[test]
    fn business_time_is_written_where_the_shop_is() {
        let at: Timestamp = "2026-02-11T02:10:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(-5));
        assert_eq!(clock(at, &zone), "21:10");
        assert_eq!(clock_with_seconds(at, &zone), "21:10:00");
        assert_eq!(super::zone(at, &zone), "-05:00");
        assert_eq!(super::zone(at, &TimeZone::get("UTC").unwrap()), "UTC (+00:00)");
        assert_eq!(day(at, &zone), "Tue Feb 10 2026");
    }
}
