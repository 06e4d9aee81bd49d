//! The owner's calendar in the tables: its settings, what is decided on them, and how long
//! appointments are.

use handlers::{
    domain::{
        booking::{Booking, NewBooking, RequestToken, Reschedule},
        calendar_settings::CalendarSettings,
        lead::Lead,
        owner::OwnerState,
        slot::SlotTime,
        time_needed::TimeNeeded,
    },
    ports::{BookOutcome, OwnerWriteOutcome, RescheduleOutcome, Store as _},
};
use jiff::civil::date;
use serde_json::json;

use crate::store::{Lab, ann, at, booking, calendar_versions, change, decided, lead};

fn version(version: u64) -> CalendarSettings {
    CalendarSettings { version, ..CalendarSettings::default() }
}

#[tokio::test]
async fn settings_change_only_from_the_version_that_was_read() {
    let Lab { store, .. } = &Lab::start().await;
    assert_eq!(store.calendar_settings().await.unwrap(), None);
    let put = async |settings: &CalendarSettings, expected| {
        store.put_calendar_settings(settings, expected).await.unwrap()
    };
    assert_eq!(put(&version(1), 0).await, OwnerWriteOutcome::Written);
    assert_eq!(put(&version(1), 0).await, OwnerWriteOutcome::Written, "the same write again");
    let other = CalendarSettings { travel_minutes: 30, ..version(1) };
    assert_eq!(put(&other, 0).await, OwnerWriteOutcome::Conflict);
    let other = CalendarSettings { version: 2, ..other };
    assert_eq!(put(&other, 1).await, OwnerWriteOutcome::Written);
    assert_eq!(store.calendar_settings().await.unwrap().unwrap().travel_minutes, 30);
    // They are no part of the owner's state.
    assert_eq!(store.owner().await.unwrap(), OwnerState::default());
}

#[tokio::test]
async fn nothing_is_booked_or_moved_on_a_calendar_of_before() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let two = lead("LEAD-A", &ann(), 14);
    let old = decided(store, booking(&two, "a", None)).await;
    store.put_calendar_settings(&version(1), 0).await.unwrap();
    assert_eq!(store.book(&old).await.unwrap(), BookOutcome::CalendarChanged);
    let old = decided(store, booking(&two, "b", None)).await;
    let gym = OwnerState { version: 1, ..OwnerState::default() };
    store.put_owner(&gym, 0).await.unwrap();
    assert_eq!(store.book(&old).await.unwrap(), BookOutcome::CalendarChanged);
    for table in ["Leads", "Schedule", "CustomerBookings"] {
        assert_eq!(lab.count(table).await, 0, "{table}");
    }
    let new = decided(store, booking(&two, "c", None)).await;
    assert_eq!(store.book(&new).await.unwrap(), BookOutcome::Booked);

    let moved = change(store, &Booking::from(&two), 9, "m").await;
    store.put_calendar_settings(&version(2), 1).await.unwrap();
    assert_eq!(store.reschedule(&moved).await.unwrap(), RescheduleOutcome::CalendarChanged);
    let calendar_versions = calendar_versions(store).await;
    let day = store.versioned_day_schedule(at(9).date()).await.unwrap();
    assert_eq!(day.version, moved.day_version, "nothing was written");
    let token = RequestToken::derive(&["n"]);
    let moved = Reschedule { calendar_versions, token, ..moved };
    assert_eq!(store.reschedule(&moved).await.unwrap(), RescheduleOutcome::Rescheduled);
}

#[tokio::test]
async fn rows_say_how_long_an_appointment_is_unless_it_is_as_usual() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let long = TimeNeeded { minutes: 90, travel: 30 };
    let two = Lead { time_needed: long, ..lead("LEAD-A", &ann(), 14) };
    let new = decided(store, booking(&two, "a", None)).await;
    assert_eq!(store.book(&new).await.unwrap(), BookOutcome::Booked);
    let hold = async |hour| {
        let day = store.day_schedule(at(hour).date()).await.unwrap();
        day.holds.into_iter().find(|hold| hold.start == SlotTime::hour_of_day(hour)).unwrap()
    };
    assert_eq!(hold(14).await.time_needed(), long);
    let open = async || {
        let now = date(2026, 2, 11).at(15, 29, 59, 0);
        store.open_bookings(&ann(), now).await.unwrap().bookings
    };
    assert_eq!(open().await[0].time_needed, long, "still open after an hour");
    assert_eq!(store.lead(&two.id).await.unwrap().unwrap().time_needed, long);

    let usual = TimeNeeded::default();
    let move_to_ten = change(store, &Booking::from(&two), 10, "m").await;
    let move_to_ten = Reschedule { time_needed: usual, ..move_to_ten };
    assert_eq!(store.reschedule(&move_to_ten).await.unwrap(), RescheduleOutcome::Rescheduled);
    assert_eq!(hold(10).await.time_needed(), usual);
    assert_eq!(store.lead(&two.id).await.unwrap().unwrap().time_needed, usual);
    for table in ["Leads", "Schedule", "CustomerBookings"] {
        for row in lab.database.rows(table).await.unwrap() {
            assert!(row.get("minutes").is_none(), "{table}: {row}");
            assert!(row.get("travel_minutes").is_none(), "{table}: {row}");
        }
    }

    let back = NewBooking {
        lead: Lead { time_needed: long, ..lead("LEAD-B", &ann(), 14) },
        ..booking(&two, "b", None)
    };
    let back = decided(store, back).await;
    assert_eq!(store.book(&back).await.unwrap(), BookOutcome::Booked);
    assert_eq!(hold(14).await.time_needed(), long, "a row that was free is written anew");
}

#[tokio::test]
async fn what_is_held_on_a_date_and_later_is_listed_in_order() {
    let lab = Lab::start().await;
    for (id, hour) in [("LEAD-B", 14), ("LEAD-A", 9)] {
        let new = decided(&lab.store, booking(&lead(id, &ann(), hour), id, None)).await;
        lab.store.book(&new).await.unwrap();
    }
    let row = |date, time, status| json!({ "schedule_date": date, "slot_time": time, "status": status, "lead_id": "LEAD-C" });
    let mut off = row("2026-02-12", "9:00 AM", "blocked");
    off["lead_id"] = json!("");
    let rows = [
        row("2026-02-10", "2:00 PM", "booked"),
        row("2026-02-12", "2pm", "booked"),
        row("2026-02-12", "10:00 AM", "available"),
        row("2026-02-12", "noonish", "booked"),
        off,
    ];
    lab.database.put_rows("Schedule", &rows).await.unwrap();
    let held = lab.store.holds_from(date(2026, 2, 11)).await.unwrap();
    let times: Vec<_> =
        held.times.iter().map(|held| format!("{} {}", held.date, held.hold.start)).collect();
    let expected =
        ["2026-02-11 9:00 AM", "2026-02-11 2:00 PM", "2026-02-12 9:00 AM", "2026-02-12 2:00 PM"];
    assert_eq!(times, expected);
    assert!(held.times[2].hold.is_time_off);
    assert_eq!(held.unreadable, [date(2026, 2, 12)].into(), "noonish is no time");
}
