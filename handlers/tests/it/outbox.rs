//! Sending the outbox, on ports in memory: every text goes out, and none goes out twice.

use handlers::{
    app::outbox::OutboxReport,
    domain::{
        calendar_settings::{CalendarPatch, CalendarSettings},
        outbox::{OutboxText, TextKind},
        text::NO_PROMISE_REPLY,
    },
    ports::{ModelError, Sms as _, Store as _, Timer as _},
};
use jiff::{SignedDuration, Timestamp};

use memory_ports::{ANN, NOW, OWNER, SendFailure, World, phone, text};

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn store(world: &World, id: &str, to: &str) {
    let texts = OutboxText::messages(id, &phone(to), &format!("text {id}"), now());
    assert!(world.run(world.store.enqueue_once(&texts)).unwrap());
}

fn send(world: &World) -> OutboxReport {
    world.run(world.outbox().send_waiting(now())).unwrap()
}

#[test]
fn a_text_is_sent_once_and_leaves_the_outbox() {
    let world = World::new();
    store(&world, "a", OWNER);
    store(&world, "b", OWNER);
    assert_eq!(send(&world), OutboxReport { sent: 2, ..OutboxReport::default() });
    assert_eq!(send(&world), OutboxReport::default());
    assert_eq!(world.sms.sent().len(), 2);
}

#[test]
fn a_cause_that_is_repeated_stores_nothing_new_even_after_sending() {
    let world = World::new();
    store(&world, "a", OWNER);
    send(&world);
    let texts = OutboxText::messages("a", &phone(OWNER), "text a", now());
    assert!(!world.run(world.store.enqueue_once(&texts)).unwrap());
    assert_eq!(send(&world), OutboxReport::default());
}

#[test]
fn a_send_of_unknown_outcome_is_looked_up() {
    for (failure, sends) in [(SendFailure::LostAfter, 1), (SendFailure::LostBefore, 1)] {
        let world = World::new();
        store(&world, "a", OWNER);
        world.sms.fail(&[failure]);
        assert_eq!(send(&world).sent, 1, "{failure:?}");
        assert_eq!(world.sms.sent().len(), sends, "{failure:?}");
    }
}

#[test]
fn a_customers_text_of_unknown_outcome_is_adopted_or_told_to_the_owner() {
    for (failure, sent, told) in [(SendFailure::LostAfter, 1, 0), (SendFailure::LostBefore, 0, 1)] {
        let world = World::new();
        store(&world, "late#SM1", ANN);
        world.sms.fail(&[failure]);
        send(&world);
        send(&world);
        let texts = world.sms.sent();
        let to = |number| texts.iter().filter(|(to, _)| to == number).count();
        assert_eq!((to(ANN), to(OWNER)), (sent, told), "{failure:?}: {texts:?}");
        if told > 0 {
            let (_, body) = texts.last().unwrap();
            assert!(
                body.contains("may not have been sent") && body.contains("text late#SM1"),
                "{body}"
            );
        }
    }
}

#[test]
fn news_waits_for_the_end_of_quiet_hours_and_goes_when_it_is_switched_off() {
    let world = World::new();
    let settings = |fields: serde_json::Value| {
        let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
        world.store.set_calendar(CalendarSettings::default().with(&patch));
    };
    for id in ["booked#LEAD-1", "unreadable#2026-02-11", "callback#SM1"] {
        store(&world, id, OWNER);
    }
    settings(serde_json::json!({ "quiet_hours": "15:00-16:00" }));
    assert_eq!(send(&world), OutboxReport { sent: 1, ..OutboxReport::default() });
    assert_eq!(world.sms.sent()[0].1, "text callback#SM1");
    settings(serde_json::json!({ "booking_texts": false }));
    assert_eq!(send(&world), OutboxReport { sent: 1, ..OutboxReport::default() });
    assert_eq!(world.sms.sent()[1].1, "text unreadable#2026-02-11");
    assert!(world.store.outbox().is_empty());
    settings(serde_json::json!({}));
    store(&world, "booked#LEAD-2", OWNER);
    world.store.fail("calendar_settings");
    assert_eq!(send(&world).sent, 1, "rather told than not");
}

#[test]
fn a_crash_after_a_send_is_no_second_text() {
    let world = World::new();
    store(&world, "a", OWNER);
    world.store.hang_before("remove_text");
    world.crash(world.outbox().send_waiting(now()));
    assert_eq!(send(&world), OutboxReport::default(), "the claim still holds");
    world.timer.advance(std::time::Duration::from_secs(61));
    assert_eq!(send(&world).sent, 1);
    assert_eq!(world.sms.sent().len(), 1);
}

/// Who cannot learn whether an alert was stored sends it directly.
#[test]
fn what_the_owner_was_sent_without_the_outbox_the_schedule_does_not_send_again() {
    let world = World::new();
    store(&world, "a", OWNER);
    world.run(world.sms.send(&phone(OWNER), "text a", false)).unwrap();
    assert_eq!(send(&world).sent, 1);
    assert!(world.store.outbox().is_empty());
    assert_eq!(world.sms.sent().len(), 1);
}

/// It is stored with the change and never sent directly, and a booking may be moved to and fro.
#[test]
fn the_same_news_of_a_booking_comes_as_often_as_it_happens() {
    let world = World::new();
    for (cause, body) in [("1", "to 3 PM"), ("2", "to 2 PM"), ("3", "to 3 PM")] {
        let id = OutboxText::id_of(TextKind::Moved, &format!("LEAD-1#{cause}"));
        let texts = OutboxText::messages(&id, &phone(OWNER), body, now());
        world.run(world.store.enqueue_once(&texts)).unwrap();
    }
    assert_eq!(send(&world).sent, 3);
    let sent: Vec<String> = world.sms.sent().into_iter().map(|(_, body)| body).collect();
    assert_eq!(sent, ["to 3 PM", "to 2 PM", "to 3 PM"]);
}

#[test]
fn two_runs_at_once_send_it_once() {
    let world = World::new();
    store(&world, "a", OWNER);
    let (one, other) = (world.outbox(), world.outbox());
    let (one, other) =
        world.run(async { futures::join!(one.send_waiting(now()), other.send_waiting(now())) });
    assert_eq!(one.unwrap().sent + other.unwrap().sent, 1);
    assert_eq!(world.sms.sent().len(), 1);
}

#[test]
fn what_twilio_does_not_take_waits_for_the_next_run() {
    let world = World::new();
    store(&world, "a", OWNER);
    world.sms.fail(&[SendFailure::LostBefore; 2]);
    assert_eq!(send(&world), OutboxReport { waiting: 1, ..OutboxReport::default() });
    let before = world.timer.unix_ms();
    assert_eq!(send(&world).sent, 1, "without waiting for a claim to end");
    assert_eq!(world.timer.unix_ms(), before);
}

#[test]
fn a_customer_who_opted_out_meanwhile_hears_nothing() {
    let world = World::new();
    store(&world, "a", ANN);
    world.answer(&text("SM1", "STOP"));
    assert!(world.sms.sent().is_empty());
    assert_eq!(send(&world).refused, 1);
    assert!(world.sms.sent().is_empty());
    // While it cannot be read, the text waits.
    let world = World::new();
    store(&world, "b", ANN);
    world.store.fail("opted_out");
    assert_eq!(send(&world).waiting, 1);
    assert!(world.sms.sent().is_empty());
    assert_eq!(send(&world).sent, 1);
}

#[test]
fn a_text_that_twilio_refuses_is_not_tried_for_ever() {
    let world = World::new();
    store(&world, "a", OWNER);
    world.sms.opt_out();
    assert_eq!(send(&world).refused, 1);
    assert_eq!(send(&world), OutboxReport::default());
}

#[test]
fn the_owner_is_told_of_a_customers_text_that_is_refused() {
    let world = World::new();
    store(&world, "a", ANN);
    store(&world, "b", OWNER);
    world.sms.refuse(ANN, 21_614);
    assert_eq!(send(&world), OutboxReport { sent: 2, refused: 1, waiting: 0 });
    let told = format!(
        "A text to {ANN} was not sent (Twilio refused it, code 21614). Please call them. It said: \
         \"text a\""
    );
    let expected = [(OWNER.to_owned(), "text b".to_owned()), (OWNER.to_owned(), told)];
    assert_eq!(world.sms.sent(), expected);
    assert_eq!(send(&world), OutboxReport::default());
}

#[test]
fn an_owner_whom_twilio_has_as_opted_out_is_promised_no_more() {
    let world = World::new();
    store(&world, "a", OWNER);
    world.sms.opt_out();
    assert_eq!(send(&world).refused, 1);
    assert!(world.store.is_opted_out(&phone(OWNER)));
    world.model.after(std::time::Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM1", "Hello?")), [NO_PROMISE_REPLY]);
}

#[test]
fn the_owner_hears_when_his_own_words_reach_nobody() {
    for (id, told) in [("owner#SM9", 1), ("late#SM9", 0)] {
        let world = World::new();
        world.answer(&text("SM1", "STOP"));
        let before = world.sms.sent().len();
        store(&world, id, ANN);
        assert_eq!(send(&world).refused, 1, "{id}");
        let sent = world.sms.sent();
        assert_eq!(sent.len() - before, told, "{id}: {sent:?}");
        if told == 1 {
            let (to, body) = sent.last().unwrap();
            assert!(to == OWNER && body.contains("want no more texts"), "{body}");
        }
    }
}

#[test]
fn an_answer_that_is_hours_old_is_told_to_the_owner_instead() {
    let hours = SignedDuration::from_hours(6);
    for (id, to, age, reaches) in [
        ("late#SM9", ANN, hours, ANN),
        ("late#SM9", ANN, hours + SignedDuration::from_millis(1), OWNER),
        ("owner#SM9", ANN, hours * 4, ANN),
        ("callback#SM9", OWNER, hours * 4, OWNER),
    ] {
        let world = World::new();
        store(&world, id, to);
        let later = now() + age;
        let report = world.run(world.outbox().send_waiting(later)).unwrap();
        let refused = usize::from(reaches != to);
        assert_eq!(report, OutboxReport { sent: 1, refused, waiting: 0 }, "{id} after {age}");
        let body = match refused {
            0 => format!("text {id}"),
            _ => format!(
                "A text to {ANN} was not sent (it was more than 6 hours old). Please call them. It \
                 said: \"text {id}\""
            ),
        };
        assert_eq!(world.sms.sent(), [(reaches.to_owned(), body)], "{id} after {age}");
        let again = world.run(world.outbox().send_waiting(later)).unwrap();
        assert_eq!(again, OutboxReport::default(), "{id} after {age}");
    }
}

#[test]
fn an_old_answer_that_went_out_by_a_lost_attempt_is_no_news() {
    let world = World::new();
    store(&world, "late#SM9", ANN);
    world.store.hang_before("remove_text");
    world.crash(world.outbox().send_waiting(now()));
    world.timer.advance(std::time::Duration::from_secs(61));
    let later = now() + SignedDuration::from_hours(7);
    let report = world.run(world.outbox().send_waiting(later)).unwrap();
    assert_eq!(report, OutboxReport { sent: 1, ..OutboxReport::default() });
    assert_eq!(world.sms.sent(), [(ANN.to_owned(), "text late#SM9".to_owned())]);
}

#[test]
fn a_failure_keeps_no_other_text_from_going_out_and_two_in_a_row_end_the_run() {
    let world = World::new();
    for id in ["a", "b", "c"] {
        store(&world, id, OWNER);
    }
    world.store.fail("claim_text");
    assert!(world.run(world.outbox().send_waiting(now())).is_err());
    assert_eq!(world.sms.sent().len(), 2);
    let world = World::new();
    for id in ["a", "b", "c"] {
        store(&world, id, OWNER);
    }
    world.store.fail("claim_text");
    world.store.fail("claim_text");
    assert!(world.run(world.outbox().send_waiting(now())).is_err());
    assert!(world.sms.sent().is_empty());
}

#[test]
fn a_row_that_cannot_be_read_keeps_no_other_text_from_going_out() {
    let world = World::new();
    for id in ["a", "b", "c"] {
        store(&world, id, OWNER);
    }
    world.store.malformed("claim_text");
    assert!(world.run(world.outbox().send_waiting(now())).is_err());
    assert_eq!(world.sms.sent().len(), 2);
}

#[test]
fn the_last_text_reaches_a_customer_who_has_just_opted_out() {
    let world = World::new();
    world.answer(&text("SM1", "STOP"));
    for despite_opt_out in [false, true] {
        let mut texts = OutboxText::messages("a", &phone(ANN), "Bye", now());
        texts[0].id = format!("a{despite_opt_out}");
        texts[0].despite_opt_out = despite_opt_out;
        assert!(world.run(world.store.enqueue_once(&texts)).unwrap());
        let report = send(&world);
        assert_eq!((report.sent, report.refused), if despite_opt_out { (1, 0) } else { (0, 1) });
    }
}
