//! What the form's codes may cost, and what becomes of those that nobody gets.

use handlers::{
    app::scheduler::{FormFields, SchedulerError},
    domain::{outbox::OutboxText, usage::FormLimits},
    ports::Store as _,
};

use crate::form_confirmation::{
    ADDRESS, Answered, code, codes, confirm, fields, held, hold_of, is_free, later, now, scheduler,
    submit, submit_ann, wrong,
};
use memory_ports::{ANN, BOB, World, phone};

#[test]
fn only_numbers_of_the_shops_country_get_codes() {
    let world = World::new();
    let answer = submit(&world, "+44 20 7946 0958", "2pm", "k1", now()).unwrap_err();
    assert_eq!(answer.to_string(), "Invalid phone: codes go to +1 numbers only");
    assert!(world.sms.sent().is_empty() && is_free(&world, 14, now()));
}

/// The nth of 112 times, and a number of its own.
fn nth(n: usize) -> FormFields {
    const DAYS: [u8; 14] = [11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26];
    FormFields {
        date: Some(format!("2026-02-{}", DAYS[n / 8])),
        ..fields(&format!("(904) 252-{n:04}"), &format!("{}:00", 9 + n % 8))
    }
}

#[test]
fn a_number_gets_three_codes_an_hour_from_wherever_they_are_asked_for() {
    let world = World::new();
    let scheduler = scheduler(&world);
    let submit = |n: usize, at| {
        let form = FormFields { phone: Some(ANN.to_owned()), ..nth(n) };
        let (key, address) = (format!("k{n}"), format!("192.0.2.{n}"));
        world.run(scheduler.submit(&form, Some(&key), &address, at))
    };
    for n in 0..3 {
        hold_of(submit(n, now()));
    }
    let limited = |answer: &Answered| matches!(answer, Err(SchedulerError::AddressLimit));
    assert!(limited(&submit(3, now())) && limited(&submit(3, later(59))));
    assert_eq!(
        hold_of(submit(0, later(9))),
        hold_of(submit(0, now())),
        "a repeat is no other code"
    );
    hold_of(submit(3, later(60)));
    assert_eq!(codes(&world, ANN).len(), 4);
    // A hold that has ended by wrong codes leads to another code, which counts.
    let hold = hold_of(submit(4, later(60)));
    let right = code(&world, ANN);
    for _ in 0..5 {
        assert!(confirm(&world, &hold, wrong(&right), later(60)).is_err());
    }
    hold_of(submit(4, later(60)));
    assert!(limited(&submit(5, later(60))));
}

#[test]
fn an_address_asks_for_ten_codes_an_hour_whatever_is_known_of_the_number() {
    let world = World::new();
    let scheduler = scheduler(&world);
    let submit = |form: &FormFields, key: &str, address: &str, at| {
        world.run(scheduler.submit(form, Some(key), address, at))
    };
    for n in 0..10 {
        hold_of(submit(&nth(n), &format!("k{n}"), ADDRESS, now()));
    }
    // One number had a code before, the other one is unknown.
    let known = FormFields { phone: nth(0).phone, ..nth(10) };
    for form in [&known, &nth(11)] {
        let answer = submit(form, "k10", ADDRESS, now()).unwrap_err();
        assert_eq!(
            answer.to_string(),
            "No more appointments can be booked here right now. Please text or call us"
        );
        assert!(matches!(answer, SchedulerError::AddressLimit));
    }
    hold_of(submit(&nth(10), "k10", "192.0.2.2", now()));
    hold_of(submit(&nth(11), "k11", ADDRESS, later(60)));
}

#[test]
fn a_hundred_codes_a_day_are_sent_at_most() {
    let world = World::new();
    let scheduler = scheduler(&world);
    let submit = |n: usize, at| {
        let (key, address) = (format!("k{n}"), format!("198.51.100.{n}"));
        world.run(scheduler.submit(&nth(n), Some(&key), &address, at))
    };
    for n in 0..100 {
        hold_of(submit(n, now()));
    }
    let refused = submit(100, now());
    assert!(matches!(refused, Err(SchedulerError::AddressLimit)), "{refused:?}");
    assert_eq!(world.sms.sent().len(), 100);
    hold_of(submit(101, later(24 * 60)));
}

#[test]
fn a_time_that_is_taken_costs_no_code() {
    let world = World::new();
    hold_of(submit(&world, BOB, "2pm", "k0", now()));
    for n in 1..20 {
        let answer = submit_ann(&world, &format!("k{n}"), "2pm");
        assert!(matches!(answer, Err(SchedulerError::Taken { .. })), "{answer:?}");
    }
    hold_of(submit_ann(&world, "k20", "3pm"));
}

#[test]
fn the_limits_on_bookings_of_an_address_stay() {
    let world = World::new();
    let scheduler = scheduler(&world).with_limits(FormLimits { per_hour: 1, per_day: 9 });
    let submit =
        |n: usize, key: &str| world.run(scheduler.submit(&nth(n), Some(key), ADDRESS, now()));
    let (one, two) = (hold_of(submit(0, "k1")), hold_of(submit(1, "k2")));
    let confirm = |hold: &str, number: &str| {
        let code = code(&world, number);
        world.run(scheduler.confirm(Some(hold), Some(&code), ADDRESS, now()))
    };
    confirm(&one, "+19042520000").unwrap();
    let second = confirm(&two, "+19042520001");
    assert!(matches!(second, Err(SchedulerError::AddressLimit)), "{second:?}");
    // Nobody is asked for a code that would be refused.
    let third = submit(2, "k3");
    assert!(matches!(third, Err(SchedulerError::AddressLimit)), "{third:?}");
    confirm(&one, "+19042520000").unwrap();
}

#[test]
fn a_code_that_nobody_gets_is_no_news_and_is_not_kept() {
    let world = World::new();
    world.sms.refuse(ANN, 21_614);
    held(&world);
    assert!(world.sms.sent().is_empty(), "the owner hears nothing");
    assert!(world.store.outbox().is_empty());

    // After ten minutes it would be of no use.
    let store = |world: &World, id: &str| {
        let texts = OutboxText::messages(id, &phone(ANN), "Your code is 123456.", now());
        assert!(world.run(world.store.enqueue_once(&texts)).unwrap());
    };
    for (minutes, sent) in [(9, 1), (10, 0)] {
        let world = World::new();
        store(&world, "code#LEAD-1");
        world.run(world.outbox().send_waiting(later(minutes))).unwrap();
        assert_eq!(world.sms.sent().len(), sent, "{minutes}");
        assert!(world.store.outbox().is_empty(), "{minutes}");
    }
}
