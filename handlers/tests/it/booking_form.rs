//! The use case behind the booking form, on ports in memory.

use handlers::{
    app::scheduler::{FormFields, SchedulerError},
    domain::{
        booking::Booking,
        lead::LeadStatus,
        slot::{Slot, SlotTime},
        usage::FormLimits,
    },
};
use jiff::{Timestamp, civil};

use memory_ports::{NOW, World, call, say, text};

/// Where the form is filled in.
const ADDRESS: &str = "192.0.2.1";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn fields(time: &str) -> FormFields {
    FormFields {
        phone: Some("(904) 252-0927".to_owned()),
        date: Some("2026-02-11".to_owned()),
        time: Some(time.to_owned()),
        repair_type: Some("battery".to_owned()),
        device: Some("Galaxy S24".to_owned()),
        customer_name: None,
        address: None,
    }
}

fn book(world: &World, time: &str, key: Option<&str>) -> Result<Booking, SchedulerError> {
    let booked = world.run(world.scheduler().book(&fields(time), key, ADDRESS, now()));
    booked.map(|form| form.booking)
}

#[test]
fn a_booking_takes_its_slot_from_the_list() {
    let world = World::new();
    let free = |world: &World| {
        world.run(world.scheduler().availability(Some("2026-02-11"), None, now())).unwrap().1
    };
    let before = free(&world);
    let booking = book(&world, "2pm", None).unwrap();
    assert_eq!(booking.phone.as_str(), "+19042520927");
    assert_eq!(booking.slot, Slot::new(civil::date(2026, 2, 11), SlotTime::hour_of_day(14)));
    let expected: Vec<_> = before.into_iter().filter(|t| *t != booking.slot.time()).collect();
    assert_eq!(free(&world), expected);
}

#[test]
fn the_same_key_is_the_same_booking() {
    let world = World::new();
    let first = book(&world, "2pm", Some("k1")).unwrap();
    let later = now() + jiff::SignedDuration::from_mins(30);
    let again =
        world.run(world.scheduler().book(&fields("2:00 PM"), Some("k1"), ADDRESS, later)).unwrap();
    assert_eq!(again.booking, first);
    assert_eq!(world.store.leads().len(), 1);
    let other = book(&world, "3pm", Some("k1"));
    assert!(matches!(other, Err(SchedulerError::KeyReused)), "{other:?}");
}

#[test]
fn a_lost_answer_and_a_repeat_are_one_booking() {
    let world = World::new();
    world.store.hang_after("book");
    world.crash(world.scheduler().book(&fields("2pm"), Some("k1"), ADDRESS, now()));
    let again = book(&world, "2pm", Some("k1")).unwrap();
    assert_eq!(world.store.leads()[0].id, again.lead_id);
    assert_eq!(world.store.leads().len(), 1);
}

#[test]
fn a_repeat_after_a_cancellation_does_not_book_again_and_says_so() {
    let world = World::new();
    let booking = book(&world, "2pm", Some("k1")).unwrap();
    let arguments = serde_json::json!({ "lead_id": booking.lead_id.as_str() });
    world.model.then([call("cancel_booking", arguments)]).then([say("Gone.")]);
    world.answer(&text("SM1", "I can't come"));
    let again = world.run(world.scheduler().book(&fields("2pm"), Some("k1"), ADDRESS, now()));
    assert_eq!(again.unwrap().status, LeadStatus::Cancelled);
    assert!(world.store.open_bookings().is_empty());
}

#[test]
fn a_double_click_without_a_key_is_one_booking_for_a_minute_and_from_one_address() {
    let world = World::new();
    let scheduler = world.scheduler();
    let book = |address, seconds| {
        let later = now() + jiff::SignedDuration::from_secs(seconds);
        let booked = world.run(scheduler.book(&fields("2pm"), None, address, later));
        booked.map(|form| form.booking.lead_id)
    };
    let first = book(ADDRESS, 0).unwrap();
    assert_eq!(book(ADDRESS, 60).unwrap(), first);
    // Anybody else, and anybody later, learns only that it is taken.
    for (address, seconds) in [("192.0.2.2", 1), (ADDRESS, 61)] {
        let other = book(address, seconds);
        assert!(matches!(other, Err(SchedulerError::Taken { .. })), "{other:?}");
    }
}

#[test]
fn a_refused_request_binds_no_key() {
    let world = World::new();
    book(&world, "2pm", None).unwrap();
    let taken = book(&world, "2pm", Some("k1"));
    assert!(matches!(taken, Err(SchedulerError::Taken { .. })), "{taken:?}");
    let booking = book(&world, "3pm", Some("k1")).unwrap();
    assert_eq!(booking.slot.time(), SlotTime::hour_of_day(15));
}

#[test]
fn the_owner_hears_of_a_booking_once() {
    let world = World::new();
    book(&world, "2pm", Some("k1")).unwrap();
    book(&world, "2pm", Some("k1")).unwrap();
    let sent = world.sms.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].1.starts_with("Booked: Wed Feb 11, 2:00 PM"), "{sent:?}");
}

#[test]
fn two_open_bookings_and_no_more() {
    let world = World::new();
    for time in ["9am", "10am"] {
        book(&world, time, None).unwrap();
    }
    let third = book(&world, "11am", None);
    assert!(matches!(third, Err(SchedulerError::TooMany)), "{third:?}");
}

#[test]
fn the_limit_holds_for_three_at_once() {
    let world = World::new();
    let scheduler = world.scheduler();
    let (a, b, c) = (fields("9am"), fields("10am"), fields("11am"));
    let (a, b, c) = world.run(async {
        futures::join!(
            scheduler.book(&a, None, ADDRESS, now()),
            scheduler.book(&b, None, ADDRESS, now()),
            scheduler.book(&c, None, ADDRESS, now())
        )
    });
    let refused =
        [a, b, c].into_iter().filter(|r| matches!(r, Err(SchedulerError::TooMany))).count();
    assert_eq!(refused, 1);
    assert_eq!(world.store.open_bookings().len(), 2);
}

#[test]
fn a_repeat_at_the_same_time_does_not_count_the_first_attempts_booking() {
    let world = World::new();
    book(&world, "9am", None).unwrap();
    // The repeat reads the lead before the first attempt writes it, and the bookings after that.
    world.store.slow("versioned_day_schedule", 4);
    world.store.slow("open_bookings", 8);
    let (scheduler, two) = (world.scheduler(), fields("2pm"));
    let (first, repeat) = world.run(async {
        futures::join!(scheduler.book(&two, Some("k1"), ADDRESS, now()), async {
            scheduler.availability(Some("2026-02-11"), None, now()).await.unwrap();
            scheduler.book(&two, Some("k1"), ADDRESS, now()).await
        })
    });
    assert_eq!(repeat.unwrap(), first.unwrap());
    assert_eq!(world.store.leads().len(), 2);
}

#[test]
fn a_taken_slot_comes_with_what_is_free() {
    let world = World::new();
    book(&world, "2pm", None).unwrap();
    let Err(SchedulerError::Taken { available }) = book(&world, "2pm", Some("k1")) else {
        panic!("booked twice");
    };
    assert_eq!(available.len(), 7);
}

#[test]
fn errors_say_what_to_change() {
    let message = |change: fn(&mut FormFields)| {
        let world = World::new();
        let mut fields = fields("2pm");
        change(&mut fields);
        world.run(world.scheduler().book(&fields, None, ADDRESS, now())).unwrap_err().to_string()
    };
    assert_eq!(message(|f| f.phone = None), "Missing required field: phone");
    assert_eq!(message(|f| f.time = Some(" ".to_owned())), "Missing required field: time");
    assert_eq!(
        message(|f| f.date = Some("2/11".to_owned())),
        "Invalid date format. Use YYYY-MM-DD"
    );
    assert_eq!(
        message(|f| f.date = Some("2026-02-15".to_owned())),
        "The shop is closed on Sundays"
    );
    assert_eq!(
        message(|f| f.phone = Some("123".to_owned())),
        "Invalid phone: a phone number is written like +19045550123 or (904) 555-0123"
    );
    assert_eq!(
        message(|f| f.device = Some("x".repeat(61))),
        "Invalid device: at most 60 characters"
    );
    assert_eq!(
        message(|f| f.customer_name = Some("a\nb".to_owned())),
        "Invalid customer_name: control characters are not allowed"
    );
}

#[test]
fn a_failed_read_is_an_error() {
    let world = World::new();
    world.store.fail("day_schedule");
    let result = world.run(world.scheduler().availability(Some("2026-02-11"), None, now()));
    assert!(matches!(result, Err(SchedulerError::Store(_))));
    let missing = world.run(world.scheduler().availability(None, None, now()));
    assert!(matches!(missing, Err(SchedulerError::Missing("date"))));
}

#[test]
fn blank_unprintable_and_long_keys_are_refused() {
    let world = World::new();
    for key in ["", " ", "a\u{7f}", &"k".repeat(256)] {
        assert!(
            matches!(book(&world, "2pm", Some(key)), Err(SchedulerError::InvalidKey)),
            "{key:?}"
        );
    }
}

/// Another customer every time.
fn of_stranger(n: usize, time: &str) -> FormFields {
    FormFields { phone: Some(format!("(904) 252-{n:04}")), ..fields(time) }
}

#[test]
fn one_address_books_as_much_as_its_limits_allow_whoever_it_says_it_is() {
    let world = World::new();
    let scheduler = world.scheduler().with_limits(FormLimits { per_hour: 3, per_day: 5 });
    let mut booked = Vec::new();
    for (n, minutes) in (0..416).zip((0..).step_by(5)) {
        let day = 11 + n % 3;
        let hour = 9 + (n / 3) % 8;
        let form = FormFields {
            date: Some(format!("2026-02-{day}")),
            ..of_stranger(n, &format!("{hour}:00"))
        };
        let later = now() + jiff::SignedDuration::from_mins(minutes);
        match world.run(scheduler.book(&form, Some(&format!("k{n}")), ADDRESS, later)) {
            Ok(_) => booked.push(minutes),
            Err(SchedulerError::AddressLimit | SchedulerError::Taken { .. }) => {}
            Err(SchedulerError::Unbookable(_)) => {}
            Err(error) => panic!("{error}"),
        }
        if minutes == 600 {
            break;
        }
    }
    assert_eq!(booked.len(), 5, "{booked:?}");
    assert!(booked[3] - booked[0] >= 60, "{booked:?}");
}

#[test]
fn the_limit_of_an_address_holds_for_many_at_once() {
    let world = World::new();
    let scheduler = world.scheduler();
    let forms: Vec<FormFields> = (0..40)
        .map(|n| FormFields {
            date: Some(format!("2026-02-{}", 11 + n % 3)),
            ..of_stranger(n, &format!("{}:00", 9 + (n / 3) % 8))
        })
        .collect();
    let booked = world.run(futures::future::join_all(
        forms.iter().map(|form| scheduler.book(form, None, ADDRESS, now())),
    ));
    assert_eq!(booked.iter().filter(|booked| booked.is_ok()).count(), 5);
    assert_eq!(world.store.open_bookings().len(), 5);
}

#[test]
fn a_repeat_is_never_limited_and_another_address_is_not() {
    let world = World::new();
    let scheduler = world.scheduler().with_limits(FormLimits { per_hour: 1, per_day: 9 });
    let book = |n, time, key, address| {
        world.run(scheduler.book(&of_stranger(n, time), Some(key), address, now()))
    };
    let first = book(1, "9am", "k1", ADDRESS).unwrap();
    assert!(matches!(book(2, "10am", "k2", ADDRESS), Err(SchedulerError::AddressLimit)));
    assert_eq!(book(1, "9am", "k1", ADDRESS).unwrap(), first);
    book(2, "10am", "k2", "192.0.2.2").unwrap();
}

#[test]
fn what_is_refused_for_its_slot_does_not_count() {
    let world = World::new();
    let scheduler = world.scheduler().with_limits(FormLimits { per_hour: 2, per_day: 9 });
    let book = |n, time| world.run(scheduler.book(&of_stranger(n, time), None, ADDRESS, now()));
    book(1, "9am").unwrap();
    for n in 2..6 {
        assert!(matches!(book(n, "9am"), Err(SchedulerError::Taken { .. })));
        assert!(matches!(book(n, "5am"), Err(SchedulerError::Unbookable(_))));
    }
    // Taken only when it is written.
    let (one, other) = (of_stranger(7, "10am"), of_stranger(8, "10am"));
    let (one, other) = world.run(async {
        futures::join!(
            scheduler.book(&one, None, "192.0.2.2", now()),
            scheduler.book(&other, None, ADDRESS, now())
        )
    });
    assert!(one.is_ok() != other.is_ok());
    let next = book(9, "11am");
    assert_eq!(next.is_ok(), other.is_err(), "{next:?}");
}

#[test]
fn a_form_that_is_sent_many_times_at_once_counts_once() {
    let world = World::new();
    let scheduler = world.scheduler().with_limits(FormLimits { per_hour: 2, per_day: 9 });
    let form = of_stranger(1, "9am");
    let booked = world.run(futures::future::join_all(
        (0..8).map(|_| scheduler.book(&form, Some("k1"), ADDRESS, now())),
    ));
    assert!(booked.iter().all(Result::is_ok), "{booked:?}");
    let book = |n, time| world.run(scheduler.book(&of_stranger(n, time), None, ADDRESS, now()));
    book(2, "10am").unwrap();
    assert!(matches!(book(3, "11am"), Err(SchedulerError::AddressLimit)));
    assert_eq!(world.store.leads().len(), 2);
}

#[test]
fn what_a_number_has_cannot_be_tried_out() {
    let world = World::new();
    let scheduler = world.scheduler().with_limits(FormLimits { per_hour: 3, per_day: 9 });
    let book = |n, time| {
        let booked = world.run(scheduler.book(&of_stranger(n, time), None, ADDRESS, now()));
        booked.map_err(|error| error.to_string())
    };
    book(1, "9am").unwrap();
    book(1, "10am").unwrap();
    // Refused for its number, which counts; the next one is refused for its address.
    let known = book(1, "11am").unwrap_err();
    assert_eq!(book(2, "11am").unwrap_err(), known);
}
