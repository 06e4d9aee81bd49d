//! The form whose bookings are confirmed by a code, on ports in memory.

use futures::future::join_all;
use handlers::{
    app::scheduler::{FormAnswer, FormBooking, FormFields, Scheduler, SchedulerError},
    domain::{form_hold::FormConfirmation, lead::LeadStatus, slot::SlotTime},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use serde_json::json;

use memory_ports::{ANN, BOB, NOW, OWNER, World, call, phone, say, text};

/// Where the form is filled in.
pub const ADDRESS: &str = "192.0.2.1";

pub fn later(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

pub fn now() -> Timestamp {
    later(0)
}

pub fn scheduler(world: &World) -> Scheduler {
    world.scheduler().with_confirmation(FormConfirmation::Sms)
}

pub fn fields(phone: &str, time: &str) -> FormFields {
    FormFields {
        phone: Some(phone.to_owned()),
        date: Some("2026-02-11".to_owned()),
        time: Some(time.to_owned()),
        repair_type: Some("battery".to_owned()),
        ..FormFields::default()
    }
}

pub type Answered = Result<FormAnswer, SchedulerError>;

pub fn submit(world: &World, phone: &str, time: &str, key: &str, now: Timestamp) -> Answered {
    world.run(scheduler(world).submit(&fields(phone, time), Some(key), ADDRESS, now))
}

pub fn submit_ann(world: &World, key: &str, time: &str) -> Answered {
    submit(world, ANN, time, key, now())
}

pub fn confirm(
    world: &World,
    hold: &str,
    code: &str,
    now: Timestamp,
) -> Result<FormBooking, SchedulerError> {
    world.run(scheduler(world).confirm(Some(hold), Some(code), ADDRESS, now))
}

/// The name of the hold that the form answered.
pub fn hold_of(answer: Answered) -> String {
    match answer {
        Ok(FormAnswer::Pending { id, .. }) => id.to_string(),
        other => panic!("no hold: {other:?}"),
    }
}

/// A hold for Ann at two o'clock.
pub fn held(world: &World) -> String {
    hold_of(submit(world, ANN, "2pm", "k1", now()))
}

/// The codes that a number was texted, in order.
pub fn codes(world: &World, phone: &str) -> Vec<String> {
    let code = |(to, body): (String, String)| {
        let code = body.strip_prefix("Your code is ")?.get(..6)?.to_owned();
        (to == phone).then_some(code)
    };
    world.sms.sent().into_iter().filter_map(code).collect()
}

pub fn code(world: &World, phone: &str) -> String {
    codes(world, phone).pop().unwrap()
}

/// Six digits that are not this code.
pub fn wrong(code: &str) -> &'static str {
    if code == "000000" { "111111" } else { "000000" }
}

pub fn is_free(world: &World, hour: u8, now: Timestamp) -> bool {
    let free = world.run(scheduler(world).availability(Some("2026-02-11"), None, now)).unwrap().1;
    free.contains(&SlotTime::hour_of_day(hour))
}

#[test]
fn the_code_books_what_was_held() {
    let world = World::new();
    let hold = held(&world);
    assert!(!is_free(&world, 14, now()), "nobody else is offered it");
    assert!(world.store.leads().is_empty());
    let booked = confirm(&world, &hold, &code(&world, ANN), later(9)).unwrap();
    assert_eq!((booked.status, booked.booking.phone.as_str()), (LeadStatus::Booked, ANN));
    assert_eq!(world.store.open_bookings(), std::slice::from_ref(&booked.booking));
    assert!(!is_free(&world, 14, later(60)), "it is no hold any more");
    let told: Vec<_> = world.sms.sent().into_iter().filter(|(to, _)| to == OWNER).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].1.starts_with("Booked: Wed Feb 11, 2:00 PM"), "{told:?}");
}

#[test]
fn nothing_is_confirmed_on_a_date_that_cannot_be_read_and_what_was_confirmed_stays() {
    let world = World::new();
    let hold = held(&world);
    let booked = confirm(&world, &hold, &code(&world, ANN), later(1)).unwrap();
    world.store.put_unreadable_row(date(2026, 2, 11));
    assert_eq!(confirm(&world, &hold, &code(&world, ANN), later(2)).unwrap(), booked);

    let world = World::new();
    let hold = held(&world);
    world.store.put_unreadable_row(date(2026, 2, 11));
    let refused = confirm(&world, &hold, &code(&world, ANN), later(1));
    let Err(SchedulerError::Taken { available }) = refused else { panic!("{refused:?}") };
    assert!(available.is_empty() && world.store.leads().is_empty());
    let told: Vec<_> = world.sms.sent().into_iter().filter(|(to, _)| to == OWNER).collect();
    assert!(told.iter().any(|(_, body)| body.contains("schedule of 2026-02-11")), "{told:?}");
}

#[test]
fn without_confirmation_the_form_books_at_once() {
    let world = World::new();
    let answer =
        world.run(world.scheduler().submit(&fields(ANN, "2pm"), Some("k1"), ADDRESS, now()));
    assert!(matches!(answer, Ok(FormAnswer::Booked(_))), "{answer:?}");
    assert!(codes(&world, ANN).is_empty());
}

#[test]
fn a_repeated_form_gets_the_same_hold_and_after_its_booking_the_booking() {
    let world = World::new();
    let hold = held(&world);
    let again = submit(&world, ANN, "2:00 PM", "k1", later(9));
    assert_eq!(hold_of(again), hold);
    assert_eq!(codes(&world, ANN).len(), 1);
    let other = submit(&world, ANN, "3pm", "k1", later(9));
    assert!(matches!(other, Err(SchedulerError::KeyReused)), "{other:?}");
    let booked = confirm(&world, &hold, &code(&world, ANN), later(9)).unwrap();
    for minutes in [9, 11, 600] {
        let again = submit(&world, ANN, "2pm", "k1", later(minutes)).unwrap();
        assert_eq!(again, FormAnswer::Booked(booked.clone()), "{minutes}");
    }
}

#[test]
fn a_form_without_a_key_that_is_sent_again_has_one_hold() {
    let world = World::new();
    let (form, scheduler) = (fields(ANN, "2pm"), scheduler(&world));
    let submit = |at| world.run(scheduler.submit(&form, None, ADDRESS, at));
    let hold = hold_of(submit(now()));
    assert_eq!(hold_of(submit(later(9))), hold);
    let booked = confirm(&world, &hold, &code(&world, ANN), later(5)).unwrap();
    assert_eq!(submit(later(9)).unwrap(), FormAnswer::Booked(booked));
}

#[test]
fn two_confirmations_at_once_book_once() {
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    let scheduler = scheduler(&world);
    let confirm = || scheduler.confirm(Some(&hold), Some(&right), ADDRESS, now());
    let (one, other) = world.run(async { futures::join!(confirm(), confirm()) });
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(world.store.leads().len(), 1);
    assert_eq!(world.sms.sent().iter().filter(|(to, _)| to == OWNER).count(), 1);
}

#[test]
fn two_forms_for_one_time_at_once_have_one_hold() {
    let world = World::new();
    let scheduler = scheduler(&world);
    let (ann, bob) = (fields(ANN, "2pm"), fields(BOB, "2pm"));
    let (ann, bob) = world.run(async {
        futures::join!(
            scheduler.submit(&ann, Some("k1"), ADDRESS, now()),
            scheduler.submit(&bob, Some("k2"), ADDRESS, now())
        )
    });
    let is_taken = |answer: &Answered| matches!(answer, Err(SchedulerError::Taken { .. }));
    assert!(ann.is_ok() && is_taken(&bob) || bob.is_ok() && is_taken(&ann), "{ann:?} {bob:?}");
}

#[test]
fn a_form_that_is_sent_many_times_at_once_has_one_hold_and_one_code() {
    let world = World::new();
    let (form, scheduler) = (fields(ANN, "2pm"), scheduler(&world));
    let submit = || scheduler.submit(&form, Some("k1"), ADDRESS, now());
    let answers = world.run(join_all((0..8).map(|_| submit())));
    let mut holds: Vec<String> = answers.into_iter().map(hold_of).collect();
    holds.dedup();
    assert_eq!(holds.len(), 1);
    assert_eq!(codes(&world, ANN).len(), 1);
    // It counts once, too: two more codes are left for the number.
    for (key, time, allowed) in [("k2", "3pm", true), ("k3", "4pm", true), ("k4", "9am", false)] {
        assert_eq!(submit_ann(&world, key, time).is_ok(), allowed, "{key}");
    }
}

#[test]
fn a_crash_in_between_is_made_good_by_a_repeat() {
    // When the hold is written: its text waits in the outbox, and nobody is texted a second code.
    let world = World::new();
    world.store.hang_after("hold_slot");
    let form = fields(ANN, "2pm");
    world.crash(scheduler(&world).submit(&form, Some("k1"), ADDRESS, now()));
    let hold = held(&world);
    assert!(world.sms.sent().is_empty());
    assert_eq!(world.run(world.outbox().send_waiting(now())).unwrap().sent, 1);
    assert!(confirm(&world, &hold, &code(&world, ANN), now()).is_ok());

    for (operation, after) in [("book", true), ("book", false), ("count_code_try", true)] {
        let world = World::new();
        let hold = held(&world);
        let right = code(&world, ANN);
        if after {
            world.store.hang_after(operation);
        } else {
            world.store.hang_before(operation);
        }
        world.crash(scheduler(&world).confirm(Some(&hold), Some(&right), ADDRESS, now()));
        let booked = confirm(&world, &hold, &right, later(1)).unwrap();
        assert_eq!(world.store.leads().len(), 1, "{operation}");
        assert_eq!(world.store.leads()[0].id, booked.booking.lead_id, "{operation}");
    }
}

#[test]
fn what_the_database_does_not_do_is_an_error() {
    for operation in ["form_hold", "versioned_day_schedule", "hold_slot", "put_usage"] {
        let world = World::new();
        world.store.fail(operation);
        let answer = submit(&world, ANN, "2pm", "k1", now());
        assert!(matches!(answer, Err(SchedulerError::Store(_))), "{operation}: {answer:?}");
        assert!(world.sms.sent().is_empty(), "{operation}");
    }
    for operation in ["form_hold", "lead", "count_code_try", "open_bookings", "book"] {
        let world = World::new();
        let hold = held(&world);
        world.store.fail(operation);
        let right = code(&world, ANN);
        let answer = confirm(&world, &hold, &right, now());
        assert!(matches!(answer, Err(SchedulerError::Store(_))), "{operation}: {answer:?}");
        assert!(world.store.leads().is_empty(), "{operation}");
        assert!(confirm(&world, &hold, &right, now()).is_ok(), "{operation}");
    }
    // The time is free later, then.
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    world.store.fail("release_slot");
    for _ in 0..5 {
        assert!(confirm(&world, &hold, wrong(&right), now()).is_err());
    }
    assert!(!is_free(&world, 14, now()) && is_free(&world, 14, later(10)));
}

#[test]
fn a_hold_that_is_over_frees_its_time_without_anybodys_doing() {
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    assert!(!is_free(&world, 14, later(9)) && is_free(&world, 14, later(10)));
    let answer = confirm(&world, &hold, &right, later(10));
    assert!(matches!(answer, Err(SchedulerError::HoldEnded)), "{answer:?}");
    // It binds no key: the same request has another hold.
    let next = hold_of(submit(&world, ANN, "2pm", "k1", later(10)));
    assert_ne!(next, hold);
    assert!(confirm(&world, &next, &code(&world, ANN), later(10)).is_ok());
    assert!(world.store.open_bookings().len() == 1);
}

#[test]
fn somebody_else_takes_the_time_of_a_hold_that_is_over_and_of_none_before() {
    let book = |world: &World, minutes| {
        let booking = json!({
            "date": "2026-02-11", "time": "2:00 PM", "repair_type": "screen", "device": "iPhone",
            "customer_name": null,
        });
        world.model.then([call("book_slot", booking)]).then([say("Well.")]);
        let sid = format!("SM{minutes}");
        world.answer(&handlers::app::reply::InboundText {
            phone: phone(BOB),
            now: later(minutes),
            ..text(&sid, &format!("Tomorrow at two ({minutes})"))
        });
        world.store.leads().len()
    };
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    assert_eq!((book(&world, 0), book(&world, 9)), (0, 0));
    let taken = submit(&world, BOB, "2pm", "k2", later(9));
    assert!(matches!(taken, Err(SchedulerError::Taken { .. })), "{taken:?}");
    assert_eq!(book(&world, 10), 1);
    let answer = confirm(&world, &hold, &right, later(10));
    assert!(matches!(answer, Err(SchedulerError::HoldEnded)), "{answer:?}");
    assert_eq!(world.store.leads()[0].phone.as_str(), BOB);
}

#[test]
fn a_confirmation_is_judged_by_the_time_of_its_hold() {
    let world = World::new();
    // One hour and five minutes before nine: a booking needs an hour's notice.
    let early: Timestamp = "2026-02-11T07:55:00-05:00".parse().unwrap();
    let hold = hold_of(submit(&world, ANN, "9am", "k1", early));
    let at = early + SignedDuration::from_mins(9);
    let late = submit(&world, BOB, "9am", "k2", at);
    assert!(matches!(late, Err(SchedulerError::Unbookable(_))), "{late:?}");
    assert!(confirm(&world, &hold, &code(&world, ANN), at).is_ok());
}

#[test]
fn nothing_is_told_of_a_number_before_it_has_confirmed() {
    let world = World::new();
    world.answer(&text("SM1", "STOP"));
    let silent = hold_of(submit(&world, ANN, "2pm", "k1", now()));
    assert!(!is_free(&world, 14, now()), "held all the same");
    assert!(codes(&world, ANN).is_empty());
    assert!(world.store.outbox().is_empty(), "no code is kept");
    assert!(confirm(&world, &silent, "000000", now()).is_err());

    // Two open bookings are the most, which is told to whoever has the code.
    let world = World::new();
    for (key, time) in [("k1", "9am"), ("k2", "10am")] {
        let hold = hold_of(submit_ann(&world, key, time));
        confirm(&world, &hold, &code(&world, ANN), now()).unwrap();
    }
    let third = hold_of(submit_ann(&world, "k3", "11am"));
    let answer = confirm(&world, &third, &code(&world, ANN), now());
    assert!(matches!(answer, Err(SchedulerError::TooMany)), "{answer:?}");
}
