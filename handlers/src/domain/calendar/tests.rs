//! Properties of the calendar, over every bundled time zone and the years 2024 to 2100.

use std::collections::BTreeSet;

use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

use super::*;
use crate::domain::{
    calendar_settings::CalendarPatch,
    catalogue::RepairKind,
    day_schedule::{Hold, UnreadableRow},
};

fn new_york() -> Calendar {
    Calendar::new("America/New_York").unwrap()
}

/// The calendar with slots from `first` to `last` o'clock on every day.
fn with_hours(calendar: &Calendar, first: u8, last: u8) -> Calendar {
    let hours = [format!("{first:02}:00-{:02}:00", last + 1)];
    with(
        calendar,
        serde_json::json!({
            "hours": {
                "monday": hours, "tuesday": hours, "wednesday": hours, "thursday": hours,
                "friday": hours, "saturday": hours, "sunday": hours,
            },
        }),
    )
}

fn with(calendar: &Calendar, fields: serde_json::Value) -> Calendar {
    let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
    calendar.with_settings(Some(calendar.settings().with(&patch)))
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn slot(date: &str, hour: u8) -> Slot {
    Slot::new(date.parse().unwrap(), SlotTime::hour_of_day(hour))
}

fn times(hours: std::ops::RangeInclusive<u8>) -> Vec<SlotTime> {
    hours.map(SlotTime::hour_of_day).collect()
}

/// 3:10 PM on Tuesday 2026-02-10.
const TUESDAY: &str = "2026-02-10T15:10:00-05:00";
/// What an appointment of the usual length needs.
const HOUR: TimeNeeded = TimeNeeded::in_shop(60);
const NOTICE: SignedDuration = SignedDuration::from_hours(1);

#[test]
fn a_working_day_has_eight_slots() {
    let offered = new_york().bookable_slots(
        civil::date(2026, 2, 11),
        &DaySchedule::default(),
        HOUR,
        at(TUESDAY),
    );
    assert_eq!(offered, times(9..=16));
}

#[test]
fn each_refusal_says_why() {
    let calendar = new_york();
    let reason = |date, hour| calendar.unbookable_reason(slot(date, hour), HOUR, at(TUESDAY));
    assert_eq!(reason("2026-02-09", 14), Some(UnbookableReason::InThePast));
    assert_eq!(reason("2023-02-11", 14), Some(UnbookableReason::InThePast));
    assert_eq!(reason("2026-02-10", 15), Some(UnbookableReason::InThePast));
    assert_eq!(reason("2026-02-10", 16), Some(UnbookableReason::TooSoon(60)));
    assert_eq!(reason("2026-02-15", 14), Some(UnbookableReason::ClosedDay(Weekday::Sunday)));
    assert!(matches!(reason("2026-02-11", 17), Some(UnbookableReason::NotASlotTime { .. })));
    assert_eq!(reason("2026-04-11", 14), None);
    assert_eq!(reason("2026-04-13", 14), Some(UnbookableReason::BeyondHorizon(60)));
    assert_eq!(
        UnbookableReason::TooSoon(60).to_string(),
        "That is too soon: a booking needs at least 60 minutes notice"
    );
    assert_eq!(
        UnbookableReason::ClosedDay(Weekday::Sunday).to_string(),
        "The shop is closed on Sundays"
    );
}

#[test]
fn a_skipped_hour_is_never_offered() {
    // Clocks go from 2:00 to 3:00 AM on 2026-03-08, a Sunday.
    let calendar = with_hours(&new_york(), 0, 5);
    let now = at("2026-03-06T12:00:00Z");
    let two = slot("2026-03-08", 2);
    assert_eq!(
        calendar.unbookable_reason(two, HOUR, now),
        Some(UnbookableReason::NonexistentLocalTime)
    );
    let offered = calendar.bookable_slots(two.date(), &DaySchedule::default(), HOUR, now);
    assert_eq!(offered, [0, 1, 3, 4, 5].map(SlotTime::hour_of_day));
}

#[test]
fn a_row_that_cannot_be_read_empties_its_date() {
    let row = UnreadableRow { key: "lunch".into(), lead_id: String::new() };
    let odd = DaySchedule { unreadable: vec![row], ..DaySchedule::default() };
    assert_eq!(new_york().bookable_slots(civil::date(2026, 2, 11), &odd, HOUR, at(TUESDAY)), []);
}

#[test]
fn each_weekday_has_its_hours_and_breaks() {
    let calendar = with(
        &new_york(),
        serde_json::json!({
            "hours": { "wednesday": ["09:00-12:00", "13:30-17:00"], "thursday": [] },
            "closed_dates": ["2026-02-13"],
        }),
    );
    let offered = |day| {
        let date = civil::date(2026, 2, day);
        let slots = calendar.bookable_slots(date, &DaySchedule::default(), HOUR, at(TUESDAY));
        crate::domain::slot::time_texts(&slots)
    };
    let wednesday = ["9:00 AM", "10:00 AM", "11:00 AM", "1:30 PM", "2:30 PM", "3:30 PM"];
    assert_eq!(offered(11), wednesday);
    assert!(offered(12).is_empty() && offered(13).is_empty());
    let reason = |date, hour| {
        calendar.unbookable_reason(slot(date, hour), HOUR, at(TUESDAY)).unwrap().to_string()
    };
    assert_eq!(reason("2026-02-12", 9), "The shop is closed on Thursdays");
    assert_eq!(reason("2026-02-13", 9), "The shop is closed on Fri Feb 13");
    assert_eq!(
        reason("2026-02-11", 12),
        "There is no slot at that time: slots begin hourly from 9:00 AM to 11:00 AM and from \
         1:30 PM to 3:30 PM"
    );
}

#[test]
fn a_longer_repair_and_a_visit_fit_into_the_hours_with_their_travel() {
    let calendar = with(
        &new_york(),
        serde_json::json!({
            "hours": { "wednesday": ["09:00-12:00"] },
            "slot_interval_minutes": 30,
            "repair_minutes": { "screen": 120, "battery": 30 },
            "travel_minutes": 30,
        }),
    );
    let date = civil::date(2026, 2, 11);
    let offered = |kind, on_site, day: &DaySchedule| {
        let needed = calendar.time_needed(&Repair::Listed { kind, on_site });
        let slots = calendar.bookable_slots(date, day, needed, at(TUESDAY));
        crate::domain::slot::time_texts(&slots)
    };
    let free = DaySchedule::default();
    assert_eq!(offered(RepairKind::Screen, false, &free), ["9:00 AM", "9:30 AM", "10:00 AM"]);
    assert_eq!(offered(RepairKind::Screen, true, &free), ["9:30 AM"]);
    assert_eq!(offered(RepairKind::Battery, true, &free).len(), 4);
    assert_eq!(offered(RepairKind::Battery, false, &free).last().unwrap(), "11:30 AM");
    let held = day(&BTreeSet::from([SlotTime::hour_of_day(9)]));
    assert_eq!(offered(RepairKind::Screen, false, &held), ["10:00 AM"]);
    assert_eq!(offered(RepairKind::Battery, true, &held), ["10:30 AM", "11:00 AM"]);
}

#[test]
fn only_bookings_outside_of_hours_and_absence_have_no_room() {
    let calendar =
        with(&new_york(), serde_json::json!({ "hours": { "wednesday": ["09:00-12:00"] } }));
    let room = |calendar: &Calendar, hour| {
        calendar.has_room_for(slot("2026-02-11", hour), HOUR, at(TUESDAY))
    };
    assert!(room(&calendar, 11) && !room(&calendar, 12));
    let until = Until::parse("2026-02-11T10:00");
    let away = calendar.with_owner(&OwnerState { until, ..OwnerState::default() });
    assert!(!room(&away, 9) && room(&away, 10));
    let later = at("2026-02-11T10:00:00-05:00");
    assert!(away.has_room_for(slot("2026-02-11", 9), HOUR, later), "it is over");
}

#[test]
fn a_repeated_hour_is_the_earlier_one() {
    // 1:00 AM happens twice on 2026-11-01: at 05:00Z and at 06:00Z.
    let start = new_york().instant(slot("2026-11-01", 1));
    assert_eq!(start, Ok(at("2026-11-01T05:00:00Z")));
}

#[test]
fn nothing_runs_over_the_hour_that_clocks_skip() {
    // Clocks go from 2:00 to 3:00 AM.
    let calendar = with_hours(&new_york(), 0, 23);
    let reason = |date: &str, hour, minutes, travel| {
        let needed = TimeNeeded { minutes, travel };
        calendar.unbookable_reason(slot(date, hour), needed, at("2026-03-06T12:00:00Z"))
    };
    let skipped = Some(UnbookableReason::ClocksSetForward);
    assert_eq!(reason("2026-03-08", 1, 60, 0), None, "it ends when they change");
    assert_eq!(reason("2026-03-08", 1, 90, 0), skipped);
    assert_eq!(reason("2026-03-08", 1, 60, 10), skipped, "the way back is longer by the clock");
    assert_eq!(reason("2026-03-08", 3, 60, 0), None);
    assert_eq!(reason("2026-03-08", 3, 60, 10), skipped, "and so is the way there");
    assert_eq!(reason("2026-03-07", 1, 90, 0), None);
}

#[test]
fn weekdays_are_read() {
    assert_eq!(parse_weekday(" sunday"), Some(Weekday::Sunday));
    assert_eq!(parse_weekday("Sonntag"), None);
}

/// A calendar in any zone and a moment from 2024 to 2100. Half of the calendars are open around the
/// clock, so that clock changes fall into their hours.
fn shops() -> impl Strategy<Value = (Calendar, Timestamp)> {
    let zones: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    let (from, to) = (at("2024-01-01T00:00:00Z"), at("2100-12-31T00:00:00Z"));
    let moment = (from.as_second()..to.as_second()).prop_map(|s| Timestamp::new(s, 0).unwrap());
    (proptest::sample::select(zones), moment, any::<bool>()).prop_map(|(zone, now, all_day)| {
        let calendar = Calendar::new(&zone).unwrap();
        let calendar = if all_day { with_hours(&calendar, 0, 23) } else { calendar };
        (calendar, now)
    })
}

/// A date on which these times are held, one hour each.
fn day(times: &BTreeSet<SlotTime>) -> DaySchedule {
    let hold = |time: &SlotTime| Hold {
        key: time.to_string(),
        start: *time,
        minutes: 60,
        travel: 0,
        lead_id: String::new(),
        phone: None,
        is_time_off: false,
        is_done: false,
    };
    DaySchedule { holds: times.iter().map(hold).collect(), ..DaySchedule::default() }
}

fn taken() -> impl Strategy<Value = BTreeSet<SlotTime>> {
    proptest::collection::btree_set((0u8..24).prop_map(SlotTime::hour_of_day), 0..6)
}

fn date(calendar: &Calendar, now: Timestamp, days: i64) -> civil::Date {
    calendar.today(now).saturating_add(Span::new().days(days))
}

proptest! {
    #[test]
    fn offered_if_and_only_if_bookable(
        (calendar, now) in shops(), days in -3i64..64, taken in taken(),
        hour in 0u8..24, minute in prop_oneof![Just(0u8), 0u8..60],
    ) {
        let slot = Slot::new(date(&calendar, now, days), SlotTime::new(hour, minute).unwrap());
        let offered = calendar.bookable_slots(slot.date(), &day(&taken), HOUR, now).contains(&slot.time());
        let bookable = calendar.unbookable_reason(slot, HOUR, now).is_none() && !taken.contains(&slot.time());
        prop_assert_eq!(offered, bookable);
    }

    #[test]
    fn what_is_offered_keeps_every_rule((calendar, now) in shops(), days in -3i64..64) {
        let date = date(&calendar, now, days);
        let offered = calendar.bookable_slots(date, &DaySchedule::default(), HOUR, now);
        prop_assert!(offered.is_sorted(), "in the order of the clock");
        for time in offered {
            prop_assert!((0..=60).contains(&days), "within the horizon");
            prop_assert!(!calendar.is_closed(date), "on an open day");
            prop_assert!(calendar.is_within_hours(Slot::new(date, time), HOUR));
            prop_assert_eq!(time.minute(), 0);
            let start = calendar.instant(Slot::new(date, time)).unwrap();
            prop_assert!(start.duration_since(now) >= NOTICE, "after the notice");
            prop_assert_eq!(calendar.local(start), Slot::new(date, time).start(), "it exists");
        }
    }

    #[test]
    fn a_booking_takes_exactly_its_slot_and_a_cancellation_gives_exactly_it_back(
        (calendar, now) in shops(), days in 0i64..61, taken in taken(), pick in any::<prop::sample::Index>(),
    ) {
        let date = date(&calendar, now, days);
        let before = calendar.bookable_slots(date, &day(&taken), HOUR, now);
        prop_assume!(!before.is_empty());
        let booked = before[pick.index(before.len())];

        let mut held = taken.clone();
        held.insert(booked);
        let during = calendar.bookable_slots(date, &day(&held), HOUR, now);
        let expected: Vec<_> = before.iter().copied().filter(|time| *time != booked).collect();
        prop_assert_eq!(during, expected);

        held.remove(&booked);
        prop_assert_eq!(calendar.bookable_slots(date, &day(&held), HOUR, now), before);
    }

    /// In real time, also on the days when clocks change.
    #[test]
    fn two_appointments_that_leave_each_other_room_never_overlap(
        (calendar, now) in shops(), days in 0i64..61, first in 5u16..300, second in 5u16..300,
        pick in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let date = date(&calendar, now, days);
        let [first, second] = [first, second].map(TimeNeeded::in_shop);
        let offered = calendar.bookable_slots(date, &DaySchedule::default(), first, now);
        prop_assume!(!offered.is_empty());
        let one = offered[pick.0.index(offered.len())];
        let mut held = day(&[one].into());
        held.holds[0].minutes = first.minutes;
        let offered = calendar.bookable_slots(date, &held, second, now);
        prop_assume!(!offered.is_empty());
        let other = offered[pick.1.index(offered.len())];
        let span = |time, needed: TimeNeeded| {
            let start = calendar.instant(Slot::new(date, time)).unwrap();
            (start, start + SignedDuration::from_mins(needed.minutes.into()))
        };
        let (one, other) = (span(one, first), span(other, second));
        prop_assert!(one.1 <= other.0 || other.1 <= one.0, "{one:?} {other:?}");
    }

    #[test]
    fn time_passing_never_adds_a_slot_to_a_day(
        (calendar, now) in shops(), days in 0i64..60, minutes in 0i64..3000,
    ) {
        let date = date(&calendar, now, days);
        let later = now + SignedDuration::from_mins(minutes);
        let before = calendar.bookable_slots(date, &DaySchedule::default(), HOUR, now);
        let after = calendar.bookable_slots(date, &DaySchedule::default(), HOUR, later);
        prop_assert!(after.iter().all(|time| before.contains(time)));
    }
}
