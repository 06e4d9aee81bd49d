//! Failures: the customer is told nothing false, and the owner is alerted.

use std::time::Duration;

use handlers::{
    domain::owner::OwnerState,
    domain::text::{FALLBACK_REPLY, NO_PROMISE_REPLY},
    ports::{ModelError, Timer as _},
};
use serde_json::json;

use super::{book, with_booking};
use memory_ports::{
    ANN, BOB, DEADLINE, FakeStore, OWNER, SendFailure, World, call, phone, say, text,
};

#[test]
fn every_failure_of_the_model_is_the_fallback_and_an_alert() {
    for (error, words) in [
        (ModelError::Unavailable("503".into()), "the model gave no answer"),
        (ModelError::Rejected("400".into()), "the model gave no answer"),
        (ModelError::Refused, "the model gave no answer"),
        (ModelError::Filtered, "the model gave no answer"),
        (ModelError::Incomplete, "the model gave no answer"),
        (ModelError::Empty, "the model gave no answer"),
    ] {
        let world = World::new();
        world.model.after(Duration::ZERO, Err(error));
        assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
        let body =
            format!("{ANN} got no answer ({words}). 3:10 PM: \"Hello?\" Please text them back.");
        assert_eq!(world.sms.sent(), [(OWNER.to_owned(), body)]);
        assert!(world.store.outbox().is_empty());
        assert_eq!(world.store.unanswered()[0].words, "Hello?");
        // A repeat of the webhook finds the answer and calls nobody.
        assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
        assert_eq!(world.sms.sent().len(), 1);
    }
}

#[test]
fn an_answer_without_words_is_none() {
    let world = World::new();
    world.model.then([say("  ")]);
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
}

#[test]
fn a_model_that_never_stops_calling_is_stopped() {
    let world = World::new();
    for _ in 0..6 {
        world.model.then([call("list_bookings", json!({}))]);
    }
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert_eq!(world.model.requests().len(), 6);
}

#[test]
fn the_deadline_ends_a_turn_and_tells_what_was_booked() {
    let world = World::new();
    world.model.then([book()]).after(Duration::from_secs(20), Ok(vec![say("too late")]));
    let messages = world.answer(&text("SM1", "Tomorrow at two"));
    let confirmed = "Confirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-";
    assert!(messages[0].starts_with(confirmed), "no apology for what is done: {messages:?}");
    assert_eq!(world.timer.unix_ms(), i64::try_from(DEADLINE.as_millis()).unwrap());
    assert!(world.store.unanswered().is_empty());
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
    assert_eq!(world.store.memory_of(&phone(ANN)).turns[0].assistant, messages[0]);
}

#[test]
fn a_booking_that_is_written_when_the_deadline_falls_is_told() {
    let world = World::new();
    world.model.then([book()]);
    world.store.hang_after("book");
    let messages = world.answer(&text("SM1", "Tomorrow at two"));
    let id = world.store.leads()[0].id.to_string();
    assert_eq!(
        messages,
        [format!("Confirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref {id}. Price: $79.")]
    );
    assert_eq!(world.answer(&text("SM1", "Tomorrow at two")), messages, "a repeat says the same");
    assert!(world.store.unanswered().is_empty());
}

#[test]
fn a_booking_that_is_not_there_when_the_deadline_falls_is_not_told() {
    let world = World::new();
    world.model.then([book()]);
    world.store.hang_before("book");
    assert_eq!(world.answer(&text("SM1", "Tomorrow at two")), [FALLBACK_REPLY]);
    let alert = &world.sms.sent()[0].1;
    assert!(alert.contains("Please check it"), "{alert}");
}

#[test]
fn a_change_that_is_written_when_the_deadline_falls_is_told() {
    for (operation, tool, line) in [
        ("cancel", "cancel_booking", "Cancelled: Wed Feb 11, 2:00 PM, iPhone screen."),
        ("reschedule", "reschedule_booking", "Moved: Thu Feb 12, 9:00 AM, iPhone screen."),
    ] {
        for (written, hang) in
            [(true, FakeStore::hang_after as fn(&_, _)), (false, FakeStore::hang_before)]
        {
            let (world, id) = with_booking();
            hang(&world.store, operation);
            let arguments = json!({ "lead_id": id, "date": "2026-02-12", "time": "9:00 AM" });
            world.model.then([call(tool, arguments)]);
            let messages = world.answer(&text("SM1", "Something came up"));
            assert_eq!(messages[0].contains(line), written, "{operation}: {messages:?}");
            let promises = messages[0].contains("Brandon will get back to you");
            assert_eq!(promises, !written, "{operation}: {messages:?}");
        }
    }
}

/// Whatever hangs, the answer comes before Twilio gives up after 15 seconds.
#[test]
fn an_answer_comes_in_time_even_if_everything_hangs() {
    let operations = [
        "opted_out",
        "claim_turn",
        "owner",
        "join_queue",
        "memory",
        "save_round",
        "book",
        "set_opted_out",
        "open_bookings",
        "queue",
        "leave_queue",
    ];
    for operation in operations {
        for body in ["Tomorrow at two", "STOP", "START", "HELP"] {
            let world = World::new();
            world.model.then([book()]).after(Duration::from_secs(60), Ok(vec![say("too late")]));
            world.sms.hang();
            for name in
                [operation, "lead", "opted_out", "finish_turn", "keep_callback", "hand_over"]
            {
                world.store.hang_from_now_on(name);
            }
            world.answer(&text("SM1", body));
            assert!(world.timer.unix_ms() <= 14_100, "{operation}: {}", world.timer.unix_ms());
        }
    }
}

#[test]
fn an_answer_of_which_nothing_may_be_said_is_none() {
    let world = World::new();
    world.model.then([say("Your reference is LEAD-20260210-201000-ffffff.")]);
    assert_eq!(world.answer(&text("SM1", "Is it booked?")), [FALLBACK_REPLY]);
    assert!(world.sms.sent()[0].1.contains("nothing of the model's answer may be said"));
}

#[test]
fn closing_is_bounded_even_if_the_tables_hang() {
    let world = World::new();
    world.model.after(Duration::from_secs(20), Ok(vec![say("too late")]));
    world.store.hang_before("finish_turn");
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert!(world.timer.unix_ms() <= 14_000, "{}", world.timer.unix_ms());
    assert_eq!(world.sms.sent().len(), 1, "the owner hears of it all the same");
}

#[test]
fn what_came_before_the_turn_counts_towards_the_deadline() {
    let world = World::new();
    world.model.after(Duration::from_secs(20), Ok(vec![say("too late")]));
    world.timer.advance(Duration::from_secs(100));
    let received_ms = world.timer.unix_ms() - 5_000;
    let text = handlers::app::reply::InboundText { received_ms, ..text("SM1", "Hello?") };
    world.answer(&text);
    assert_eq!(world.timer.unix_ms() - received_ms, 12_000);
}

#[test]
fn the_owner_hears_of_every_customer_who_got_no_answer() {
    let world = World::new();
    for (sid, number) in [("SM1", ANN), ("SM2", BOB), ("SM3", ANN)] {
        world.model.after(Duration::ZERO, Err(ModelError::Refused));
        let text =
            handlers::app::reply::InboundText { phone: phone(number), ..text(sid, "Hello?") };
        world.answer(&text);
        let (_, alert) = world.sms.sent().pop().unwrap();
        assert!(alert.contains(number), "{alert}");
    }
    assert_eq!(world.sms.sent().len(), 3);
}

#[test]
fn with_the_tables_down_a_callback_is_promised_once_twilio_has_the_owners_text() {
    let world = World::new();
    world.store.set_down(true);
    let reply = world.reply();
    assert_eq!(world.run(reply.answer(&text("SM1", "Hello?"))), [FALLBACK_REPLY]);
    assert_eq!(world.run(reply.answer(&text("SM2", "Hello?"))), [FALLBACK_REPLY]);
    assert_eq!(world.sms.sent().len(), 2, "the owner hears of each");
    world.sms.fail(&[SendFailure::LostBefore]);
    assert_eq!(world.run(reply.answer(&text("SM3", "Hello?"))), [NO_PROMISE_REPLY]);
    assert!(world.model.requests().is_empty());
}

#[test]
fn a_customer_whose_opt_out_cannot_be_read_hears_nothing_and_the_owner_knows() {
    let world = World::new();
    world.store.fail_from_now_on("opted_out");
    assert!(world.answer(&text("SM1", "One more thing")).is_empty());
    assert!(world.sms.sent()[0].1.contains("heard nothing"), "{:?}", world.sms.sent());
    assert_eq!(world.store.unanswered()[0].words, "One more thing");
}

#[test]
fn an_opt_out_that_was_read_once_in_the_turn_is_known() {
    let world = World::new();
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    world.store.hang_from_the_second("opted_out");
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
}

#[test]
fn nothing_is_promised_when_the_owner_cannot_be_told() {
    // Nothing can be stored, and Twilio refuses the owner's text.
    let world = World::new();
    world.sms.opt_out();
    world.store.fail("finish_turn");
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM1", "Hello?")), [NO_PROMISE_REPLY]);
    // The owner has opted out.
    let world = World::new();
    let stop = handlers::app::reply::InboundText { phone: phone(OWNER), ..text("SM1", "STOP") };
    world.answer(&stop);
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM2", "Hello?")), [NO_PROMISE_REPLY]);
    assert!(world.sms.sent().is_empty());
    assert_eq!(world.store.unanswered().len(), 1, "the owner can still read it");
}

#[test]
fn a_callback_is_stored_with_the_answer_that_promises_it() {
    let world = World::new();
    world.sms.fail(&[SendFailure::LostBefore; 2]);
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM1", "Gate code is 4711")), [FALLBACK_REPLY]);
    assert!(world.sms.sent().is_empty());
    assert!(world.store.outbox()[0].body.contains("Gate code is 4711"));
    // The next run sends it.
    let now = text("SM1", "").now;
    world.run(world.outbox().send_waiting(now)).unwrap();
    assert_eq!(world.sms.sent().len(), 1);
    assert!(world.store.outbox().is_empty());
}

#[test]
fn the_words_of_a_text_that_could_not_be_claimed_are_kept() {
    let world = World::new();
    world.store.fail_from_now_on("claim_turn");
    assert_eq!(world.answer(&text("SM1", "Gate code is 4711")), [FALLBACK_REPLY]);
    assert_eq!(world.store.unanswered()[0].words, "Gate code is 4711");
    assert!(world.sms.sent()[0].1.contains("Gate code is 4711"));
}

#[test]
fn a_crash_before_the_answer_is_stored_tells_the_owner_once() {
    for operation in ["finish_turn", "claim_text", "remove_text"] {
        for hang in [FakeStore::hang_before as fn(&_, _), FakeStore::hang_after] {
            let world = World::new();
            world.store.set_owner(OwnerState { ai_answers_sms: false, ..OwnerState::default() });
            hang(&world.store, operation);
            world.crash(world.reply().answer(&text("SM1", "My phone is dead")));
            world.timer.advance(Duration::from_secs(61));
            world.answer(&text("SM1", "My phone is dead"));
            world.run(world.outbox().send_waiting(text("SM1", "").now)).unwrap();
            assert_eq!(world.sms.sent().len(), 1, "{operation}: {:?}", world.sms.sent());
        }
    }
}

#[test]
fn the_owner_gets_words_and_pictures() {
    let world = World::new();
    world.store.set_owner(OwnerState { ai_answers_sms: false, ..OwnerState::default() });
    let url = "https://api.twilio.com/media/ME1".to_owned();
    let text = handlers::app::reply::InboundText {
        media: 1,
        media_urls: vec![url.clone()],
        ..text("SM1", "Can you fix this?")
    };
    world.answer(&text);
    let alert = &world.sms.sent()[0].1;
    assert!(alert.contains("Can you fix this?") && alert.contains(&url), "{alert}");
    assert_eq!(world.store.unanswered()[0].media, [url]);
}

#[test]
fn an_unreadable_calendar_is_never_a_free_one() {
    let world = World::new();
    world.store.fail("day_schedule");
    world
        .model
        .then([call("check_availability", json!({ "date": "2026-02-11" }))])
        .then([say("Brandon will get back to you.")]);
    world.answer(&text("SM1", "When?"));
    let result = &world.model.results()[0];
    assert_eq!(result["success"], false);
    assert!(result.get("available_slots").is_none());
    assert_eq!(world.sms.sent().len(), 1, "he was promised to get back, so he must know");
}

#[test]
fn a_booking_of_unknown_outcome_is_not_confirmed() {
    let world = World::new();
    world.store.fail("book");
    world.model.then([book()]).then([say("I am not sure.")]);
    assert_eq!(world.answer(&text("SM1", "Tomorrow at two")), ["I am not sure."]);
    let message = world.model.results()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("It is not known"), "{message}");
}

#[test]
fn an_answer_that_cannot_be_stored_still_goes_out() {
    let world = World::new();
    world.store.fail("finish_turn");
    world.model.then([say("Hi!")]);
    assert_eq!(world.answer(&text("SM1", "Hello?")), ["Hi!"]);
    // The customer's next text does not wait.
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
    world.model.then([say("Yes!")]);
    assert_eq!(world.answer(&text("SM2", "Still there?")), ["Yes!"]);
}

#[test]
fn a_place_that_cannot_be_given_up_does_not_keep_the_answer() {
    let world = World::new();
    world.store.fail("finish_turn");
    world.store.hang_from_now_on("leave_queue");
    world.model.then([say("Hi!")]);
    assert_eq!(world.answer(&text("SM1", "Hello?")), ["Hi!"]);
    assert!(world.timer.unix_ms() < 1_000, "{}", world.timer.unix_ms());
}

#[test]
fn a_fallback_that_cannot_be_stored_gives_its_place_up_too() {
    let world = World::new();
    world.store.fail("finish_turn");
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn calls_do_not_run_before_they_are_stored() {
    let world = World::new();
    world.store.fail("save_round");
    world.model.then([book()]);
    assert_eq!(world.answer(&text("SM1", "Tomorrow at two")), [FALLBACK_REPLY]);
    assert!(world.store.leads().is_empty());
}
