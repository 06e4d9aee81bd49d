//! Changes of the owner's calendar and state while somebody books.

use std::sync::Arc;

use handlers::{
    app::{
        bookings::{BookingDraft, BookingError, BookingService},
        owner_calendar::OwnerCalendarService,
    },
    domain::{
        booking::Booking,
        calendar::UnbookableReason,
        calendar_settings::{CalendarPatch, CalendarSettings},
        changed_by::ChangedBy,
        lead::{Lead, LeadId},
        owner::{OwnerState, Until},
        slot::{Slot, SlotTime},
        time_needed::TimeNeeded,
        time_span::TimeSpan,
    },
};
use jiff::{Timestamp, civil};
use serde_json::json;

use memory_ports::{ANN, NOW, World, calendar, phone};

const DATE: civil::Date = civil::date(2026, 2, 11);

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn patch(fields: &serde_json::Value) -> CalendarPatch {
    CalendarPatch::from_json(fields.as_object().unwrap()).unwrap()
}

fn settings(fields: &serde_json::Value) -> CalendarSettings {
    CalendarSettings { version: 1, ..CalendarSettings::default().with(&patch(fields)) }
}

fn lead(hour: u8) -> Lead {
    memory_ports::lead(
        LeadId::derive(now(), &["test", &hour.to_string()]),
        Slot::new(DATE, SlotTime::hour_of_day(hour)),
    )
}

/// Books on the calendar as it was before anything was changed.
fn book(world: &World, hour: u8) -> Result<Booking, BookingError> {
    book_lead(world, lead(hour))
}

fn book_lead(world: &World, lead: Lead) -> Result<Booking, BookingError> {
    let calendar = calendar();
    let service = BookingService {
        store: world.store.as_ref(),
        calendar: &calendar,
        now: now(),
        fence: None,
    };
    let draft = BookingDraft {
        lead,
        asked: now(),
        identity: &["test"],
        with_discount: false,
        guard: None,
        record: None,
        notification: Vec::new(),
    };
    world.run(service.book(&draft))
}

fn move_to(world: &World, hour: u8, to: u8) -> Result<Booking, BookingError> {
    let calendar = calendar();
    let service = BookingService {
        store: world.store.as_ref(),
        calendar: &calendar,
        now: now(),
        fence: None,
    };
    let to = Slot::new(DATE, SlotTime::hour_of_day(to));
    let notify = |_: &Booking, _: &Booking| Vec::new();
    let moved = world.run(service.reschedule(&phone(ANN), &lead(hour).id, to, &["test"], notify));
    moved.map(|moved| moved.booking)
}

#[test]
fn a_date_that_is_closed_meanwhile_is_neither_booked_nor_moved_to() {
    let world = World::new();
    book(&world, 14).unwrap();
    world.store.set_calendar(settings(&json!({ "closed_dates": ["2026-02-11"] })));
    let closed = UnbookableReason::ClosedDate(DATE);
    let refused = |result: Result<Booking, BookingError>| match result {
        Err(BookingError::Unbookable(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(book(&world, 9)), closed);
    assert_eq!(refused(move_to(&world, 14, 9)), closed);
    let slots: Vec<_> = world.store.open_bookings().iter().map(|b| b.slot.time()).collect();
    assert_eq!(slots, [SlotTime::hour_of_day(14)]);
}

#[test]
fn an_absence_that_begins_meanwhile_blocks_what_is_being_booked() {
    let world = World::new();
    let until = Until::parse("2026-02-11T12:00");
    world.store.set_owner(OwnerState { until, version: 1, ..OwnerState::default() });
    let refused = book(&world, 9);
    assert!(
        matches!(refused, Err(BookingError::Unbookable(UnbookableReason::OwnerAway(_)))),
        "{refused:?}"
    );
    assert!(book(&world, 12).is_ok());
}

#[test]
fn what_is_booked_takes_as_long_as_the_owner_says_by_then() {
    let world = World::new();
    world.store.set_calendar(settings(&json!({ "repair_minutes": { "screen": 120 } })));
    book(&world, 9).unwrap();
    assert_eq!(world.store.open_bookings()[0].time_needed, TimeNeeded::in_shop(120));
    assert!(matches!(book(&world, 10), Err(BookingError::Taken { .. })));
    assert!(book(&world, 11).is_ok());
}

#[test]
fn a_change_names_what_was_booked_before_it_whatever_came_first() {
    for booked_first in [true, false] {
        let world = World::new();
        let service = OwnerCalendarService::new(Arc::clone(&world.store) as _, calendar());
        if booked_first {
            book(&world, 9).unwrap();
        }
        let change = patch(&json!({ "closed_dates": ["2026-02-11"] }));
        world.run(service.update(&change, ChangedBy::Api, now())).unwrap();
        let touched = world.run(service.touched_bookings(now())).unwrap();
        assert_eq!(touched.times.len(), usize::from(booked_first));
        if !booked_first {
            assert!(book(&world, 9).is_err());
        }
    }
}

#[test]
fn bookings_that_cannot_be_read_are_not_said_to_be_none() {
    let world = World::new();
    let service = OwnerCalendarService::new(Arc::clone(&world.store) as _, calendar());
    world.store.fail_from_now_on("holds_from");
    assert_eq!(world.run(service.touched_bookings(now())), None);
}

#[test]
fn a_customers_own_time_is_not_told_as_taken_when_the_owner_takes_it_off() {
    let world = World::new();
    book(&world, 14).unwrap();
    let service = OwnerCalendarService::new(Arc::clone(&world.store) as _, calendar());
    let part = TimeSpan::between(14 * 60, 16 * 60);
    world.run(service.take_off(DATE, part, now())).unwrap();
    let again = Lead { id: LeadId::derive(now(), &["again"]), ..lead(14) };
    let refused = book_lead(&world, again);
    assert!(matches!(refused, Err(BookingError::AlreadyYours(_))), "{refused:?}");
    let refused = book_lead(&world, Lead { phone: phone(memory_ports::BOB), ..lead(15) });
    assert!(matches!(refused, Err(BookingError::Taken { .. })), "{refused:?}");
}
