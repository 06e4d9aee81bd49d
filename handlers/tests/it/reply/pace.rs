//! How many texts of one customer are answered.

use handlers::{
    app::reply::InboundText,
    domain::{pace::TurnLimits, text::TOO_MANY_TEXTS_REPLY},
};

use super::book;
use crate::testing::{ANN, DEADLINE, World, phone, say, text};

/// Ann sends as many texts as are answered within an hour.
fn use_up(world: &World) {
    for n in 0..TurnLimits::default().per_hour {
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

#[test]
fn pictures_without_words_are_no_loop() {
    let world = World::new();
    for n in 0..8 {
        world.model.then([say("Which phone is it?")]);
        let picture = InboundText { media: 1, ..text(&format!("SM{n}"), "") };
        assert_eq!(world.answer(&picture), ["Which phone is it?"], "picture {n}");
    }
}
