//! A customer who sends more texts than can be answered one after the other.

use std::time::Duration;

use handlers::{
    app::reply::InboundText,
    domain::{
        text::{FALLBACK_REPLY, NO_PROMISE_REPLY},
        turn::MAX_QUEUE,
    },
};

use memory_ports::{ANN, DEADLINE, OWNER, World, phone, say, text};

fn nth(n: usize) -> InboundText {
    text(&format!("SM{n}"), &format!("Text {n}"))
}

/// The first text is being answered, and others wait for it until the queue is full. All of these
/// attempts crash.
fn fill_queue(world: &World) {
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    for n in 0..MAX_QUEUE {
        world.crash(world.reply().answer(&nth(n)));
    }
    assert_eq!(world.store.queue_of(&phone(ANN)).len(), MAX_QUEUE);
}

#[test]
fn a_flood_behind_a_running_turn_is_one_text_to_the_owner_and_no_words_are_lost() {
    let world = World::new();
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&nth(0)));
    world.store.never_expire();
    let reply = world.reply();
    let flood: Vec<InboundText> = (1..=60).map(nth).collect();
    let answers = world.run(futures::future::join_all(flood.iter().map(|text| reply.answer(text))));

    let sent = world.sms.sent();
    assert!(
        matches!(&sent[..], [(to, body)] if to == OWNER && body.contains(ANN) && body.contains("Text ")),
        "{sent:?}"
    );
    let mut kept: Vec<String> =
        world.store.unanswered().into_iter().map(|unanswered| unanswered.words).collect();
    let mut said: Vec<String> = flood.into_iter().map(|text| text.body).collect();
    kept.sort();
    said.sort();
    assert_eq!(kept, said);
    // Who had a place is told that it came to nothing.
    let promised = answers.iter().filter(|answer| **answer == [FALLBACK_REPLY]).count();
    let silent = answers.iter().filter(|answer| answer.is_empty()).count();
    assert_eq!((promised, silent), (MAX_QUEUE - 1, 60 - (MAX_QUEUE - 1)));
    assert_eq!(world.store.queue_of(&phone(ANN)).len(), 1);
}

#[test]
fn the_owner_hears_of_a_flood_once_an_hour() {
    let world = World::new();
    fill_queue(&world);
    world.store.never_expire();
    let hour = jiff::SignedDuration::from_hours(1);
    for (n, later, told) in [(97, 0, 1), (98, 0, 1), (99, 1, 2)] {
        let text = nth(n);
        let text = InboundText { now: text.now + hour * later, ..text };
        assert!(world.answer(&text).is_empty(), "text {n}");
        assert!(world.answer(&text).is_empty(), "a repeat");
        assert_eq!(world.sms.sent().len(), told, "text {n}");
    }
    assert_eq!(world.store.unanswered().len(), 3);
}

#[test]
fn what_cannot_be_stored_of_a_flood_is_texted_to_the_owner() {
    for operation in ["enqueue_once", "finish_turn"] {
        let world = World::new();
        fill_queue(&world);
        world.store.never_expire();
        world.store.fail_from_now_on(operation);
        assert_eq!(world.answer(&nth(99)), [FALLBACK_REPLY], "{operation}");
        let sent = world.sms.sent();
        assert!(
            matches!(&sent[..], [(to, body)] if to == OWNER && body.contains("Text 99")),
            "{operation}: {sent:?}"
        );
    }
}

#[test]
fn nothing_is_promised_to_a_flood_of_which_nobody_can_be_told() {
    let world = World::new();
    world.answer(&InboundText { phone: phone(OWNER), ..text("SM98", "STOP") });
    fill_queue(&world);
    world.store.never_expire();
    assert_eq!(world.answer(&nth(99)), [NO_PROMISE_REPLY]);
    assert_eq!(world.store.unanswered()[0].words, "Text 99");
}

#[test]
fn a_queue_that_cannot_be_read_is_not_passed_by() {
    let world = World::new();
    world.store.fail_from_now_on("join_queue");
    // The model would fail the test if it were asked.
    assert_eq!(world.answer(&nth(99)), [FALLBACK_REPLY]);
    assert_eq!(world.store.unanswered()[0].words, "Text 99");
}

#[test]
fn a_queue_full_of_dead_attempts_makes_room() {
    let world = World::new();
    fill_queue(&world);
    world.timer.advance(DEADLINE * 2);
    world.model.then([say("Here I am.")]);
    assert_eq!(world.answer(&nth(99)), ["Here I am."]);
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn a_repeat_takes_the_place_that_its_crashed_attempt_left_in_a_full_queue() {
    let world = World::new();
    fill_queue(&world);
    // The claims have ended, the places have not.
    world.timer.advance(Duration::from_secs(4));
    world.model.then([say("Here I am.")]);
    assert_eq!(world.answer(&nth(1)), ["Here I am."]);
    let left = world.store.queue_of(&phone(ANN));
    assert_eq!(left.len(), MAX_QUEUE - 2, "without the first and this one");
    assert!(left.iter().all(|entry| entry.sid != "SM0" && entry.sid != "SM1"), "{left:?}");
}
