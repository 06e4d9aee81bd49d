//! How many texts of one customer are answered, and what they may cost.

use std::time::Duration;

use handlers::{
    app::reply::InboundText,
    domain::{
        pace::{PaceWindow, TurnLimits},
        text::{FALLBACK_REPLY, TOO_MANY_TEXTS_REPLY, count_segments},
    },
    ports::ModelError,
};
use serde_json::json;

use super::book;
use memory_ports::{ANN, DEADLINE, World, call, phone, say, text};

/// Ann sends as many texts as are answered within an hour.
fn use_up(world: &World) {
    for n in 0..TurnLimits::default().hour.turns {
        world.model.then([say("Which one is it?")]);
        let answer = world.answer(&text(&format!("SM{n}"), &format!("Do you fix phone {n}?")));
        assert_eq!(answer, ["Which one is it?"], "text {n}");
    }
}

#[test]
fn at_the_limit_one_text_says_so_and_then_there_is_silence() {
    let world = World::new();
    use_up(&world);
    let asked = world.model.requests().len();
    assert_eq!(world.answer(&text("SM100", "And cars?")), [TOO_MANY_TEXTS_REPLY]);
    assert_eq!(world.answer(&text("SM100", "And cars?")), [TOO_MANY_TEXTS_REPLY], "a repeat");
    for sid in ["SM101", "SM102"] {
        assert!(world.answer(&text(sid, "Hello?")).is_empty(), "{sid}");
    }
    assert_eq!(world.model.requests().len(), asked, "the model is not asked");
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn a_turn_that_has_begun_is_finished_at_the_limit() {
    let world = World::new();
    world.model.then([book()]);
    world.store.hang_after("book");
    let wish = text("SM100", "Tomorrow at two");
    world.crash(world.reply().answer(&wish));
    // Her other texts wait until the place of the attempt that crashed expires.
    world.timer.advance(DEADLINE);
    use_up(&world);
    world.model.then([say("See you then!")]);
    let answer = world.answer(&wish);
    assert!(answer[0].contains("Confirmed: Wed Feb 11, 2:00 PM"), "{answer:?}");
    assert_eq!(world.store.leads().len(), 1);
}

/// What Ann has cost within the hour.
fn hour(world: &World) -> PaceWindow {
    world.store.memory_of(&phone(ANN)).pace.hour
}

fn assert_no_more_answers(world: &World) {
    assert_eq!(world.answer(&text("SM100", "And cars?")), [TOO_MANY_TEXTS_REPLY]);
    let asked = world.model.requests().len();
    assert!(world.answer(&text("SM101", "Hello?")).is_empty());
    assert_eq!(world.model.requests().len(), asked, "the model is not asked");
}

#[test]
fn requests_to_the_model_are_limited_however_few_the_texts_are() {
    let world = World::new();
    let most = TurnLimits::default().hour.model_calls;
    for n in 0..most / 6 {
        for _ in 0..5 {
            world.model.then([call("list_bookings", json!({}))]);
        }
        world.model.then([say("Which one is it?")]);
        let answer = world.answer(&text(&format!("SM{n}"), &format!("Do you fix phone {n}?")));
        assert_eq!(answer, ["Which one is it?"], "text {n}");
    }
    assert_eq!((hour(&world).turns, hour(&world).model_calls), (most / 6, most));
    assert_no_more_answers(&world);
}

#[test]
fn segments_are_limited_however_few_the_texts_are() {
    let world = World::new();
    let most = TurnLimits::default().hour.segments;
    let mut sent = 0;
    while sent < most {
        world.model.then([say(&"字 ".repeat(3000))]);
        let n = hour(&world).turns;
        let answer = world.answer(&text(&format!("SM{n}"), &format!("Tell me of phone {n}")));
        assert!(answer.len() > 1, "{answer:?}");
        sent += answer.iter().map(|message| count_segments(message)).sum::<usize>();
        assert_eq!(hour(&world).segments, sent);
    }
    assert!(hour(&world).turns < TurnLimits::default().hour.turns);
    assert_no_more_answers(&world);
}

#[test]
fn a_turn_costs_what_its_attempts_stored_and_its_last_round() {
    let world = World::new();
    world.model.then([book()]);
    world.store.hang_after("save_round");
    world.crash(world.reply().answer(&text("SM1", "Tomorrow at two")));
    world.timer.advance(DEADLINE * 2);
    world.model.then([say("Done!")]);
    assert!(world.answer(&text("SM1", "Tomorrow at two"))[0].contains("Confirmed: "));
    let PaceWindow { turns, model_calls, segments, .. } = hour(&world);
    assert_eq!((turns, model_calls, segments), (1, 2, 1));
}

#[test]
fn a_turn_without_an_answer_of_its_own_costs_as_much() {
    let world = World::new();
    world.model.then([call("list_bookings", json!({}))]);
    world.model.after(Duration::ZERO, Err(ModelError::Refused));
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    let PaceWindow { turns, model_calls, segments, .. } = hour(&world);
    assert_eq!((turns, model_calls, segments), (1, 2, 1));
}

#[test]
fn pictures_without_words_are_no_loop() {
    let world = World::new();
    for n in 0..8 {
        world.model.then([say("Which phone is it?")]);
        let picture = InboundText { media: 1, ..text(&format!("SM{n}"), "") };
        assert_eq!(world.answer(&picture), ["Which phone is it?"], "picture {n}");
    }
}
