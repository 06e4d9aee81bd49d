//! The owner's texts: commands and notes, by code.

use handlers::app::reply::InboundText;

use super::with_booking;
use memory_ports::{ANN, BOB, OWNER, World, phone, say, text};

fn from_owner(sid: &str, body: &str) -> InboundText {
    InboundText { phone: phone(OWNER), ..text(sid, body) }
}

fn sent_to(world: &World, number: &str) -> Vec<String> {
    world.sms.sent().into_iter().filter(|(to, _)| *to == number).map(|(_, body)| body).collect()
}

#[test]
fn his_words_reach_the_one_customer_and_are_remembered() {
    let (world, _) = with_booking();
    let answer = world.answer(&from_owner("SM1", "TO 0927: I'll be there"));
    assert_eq!(answer, [format!("On its way to {ANN}.")]);
    assert_eq!(sent_to(&world, ANN), ["I'll be there"]);
    let memory = world.store.memory_of(&phone(ANN));
    assert_eq!(memory.turns.last().unwrap().assistant, "I'll be there");
}

#[test]
fn a_repeated_webhook_sends_once() {
    let (world, _) = with_booking();
    let first = world.answer(&from_owner("SM1", "to 0927: hi"));
    assert_eq!(world.answer(&from_owner("SM1", "to 0927: hi")), first);
    assert_eq!(sent_to(&world, ANN), ["hi"]);
}

#[test]
fn a_repeat_after_a_crash_sends_once() {
    let (world, _) = with_booking();
    world.store.hang_before("finish_turn");
    world.crash(world.reply().answer(&from_owner("SM1", "to 0927: hi")));
    world.store.expire_claims();
    let answer = world.answer(&from_owner("SM1", "to 0927: hi"));
    assert_eq!(answer, [format!("On its way to {ANN}.")]);
    assert_eq!(sent_to(&world, ANN), ["hi"]);
}

#[test]
fn what_waited_for_his_answer_waits_no_longer() {
    let world = World::new();
    world.model.then([say("Brandon will call you back.")]);
    world.answer(&text("SM1", "I need a human"));
    assert_eq!(world.store.unanswered().len(), 1, "a call was promised");
    world.answer(&from_owner("SM2", "to 0927: coming"));
    assert!(world.store.unanswered().is_empty());
}

#[test]
fn nothing_is_sent_when_the_tables_fail_or_the_number_is_nobodys() {
    for (operation, body) in [
        ("unanswered", "to 0927: hi"),
        ("recent_customers", "to 0927: hi"),
        ("day_schedule", "to 0927: hi"),
        ("opted_out", "to 0927: hi"),
        ("answer_by_owner", "to 0927: hi"),
        ("claim_turn", "to 0927: hi"),
        ("change_time_off", "block friday 2-4"),
        ("versioned_day_schedule", "open friday"),
        ("lead", "tomorrow?"),
    ] {
        let (world, _) = with_booking();
        world.store.fail(operation);
        let answer = world.answer(&from_owner("SM1", body));
        assert!(answer[0].contains("may not have done"), "{operation}: {answer:?}");
        assert!(sent_to(&world, ANN).is_empty(), "{operation}");
    }
    let (world, _) = with_booking();
    assert!(world.answer(&from_owner("SM1", "to 0928: hi"))[0].starts_with("Not sent"));
    assert!(sent_to(&world, BOB).is_empty());
}

#[test]
fn his_texts_never_reach_the_model_nor_become_a_callback() {
    let world = World::new();
    world.model.then([say("Hello, customer!")]);
    for (sid, body) in [("SM1", "Book me for tomorrow at 2"), ("SM2", "block friday"), ("SM3", "")]
    {
        let answer = world.answer(&from_owner(sid, body));
        assert!(!answer[0].contains("customer!"), "{answer:?}");
    }
    assert!(world.store.unanswered().is_empty());
    assert!(world.store.memory_of(&phone(OWNER)).turns.is_empty());
}

#[test]
fn after_his_own_stop_no_answer_is_sent() {
    let (world, _) = with_booking();
    assert!(world.answer(&from_owner("SM1", "STOP")).is_empty());
    assert!(world.answer(&from_owner("SM2", "tomorrow?")).is_empty());
}

#[test]
fn an_opted_out_customer_gets_nothing() {
    let (world, _) = with_booking();
    world.answer(&text("SM1", "STOP"));
    let answer = world.answer(&from_owner("SM2", "to 0927: hi"));
    assert!(answer[0].contains("wants no more texts"), "{answer:?}");
    assert!(sent_to(&world, ANN).is_empty());
}
