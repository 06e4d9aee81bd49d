//! Webhooks that arrive twice, concurrently, late or after a crash.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    domain::{text::FALLBACK_REPLY, turn::ConversationItem},
    ports::Timer as _,
};
use serde_json::json;

use super::{book, with_booking};
use memory_ports::{
    ANN, BOB, CallChance, CallFate, DEADLINE, TestTimer, World, call, phone, say, text,
};

/// Longer than any lease or queue entry.
const AFTER_ALL_LEASES: Duration = Duration::from_secs(16);

#[test]
fn a_repeat_gets_the_same_answer_from_the_table() {
    let world = World::new();
    world.model.then([book()]).then([say("Done!")]);
    let first = world.answer(&text("SM1", "Tomorrow at two"));
    assert_eq!(world.answer(&text("SM1", "Tomorrow at two")), first);
    assert_eq!(world.model.requests().len(), 2);
    assert_eq!(world.store.open_bookings().len(), 1);
}

#[test]
fn a_repeat_at_the_same_time_waits_for_the_answer() {
    let world = World::new();
    world.model.then([book()]).after(Duration::from_secs(2), Ok(vec![say("Done!")]));
    let (one, two) = (world.reply(), world.reply());
    let text = text("SM1", "Tomorrow at two");
    let (first, second) = world.run(async { futures::join!(one.answer(&text), two.answer(&text)) });
    assert!(first[0].contains("Confirmed: "));
    assert_eq!(first, second);
    assert_eq!(world.model.requests().len(), 2);
}

#[test]
fn a_crash_after_the_booking_leads_to_one_booking_and_a_true_answer() {
    for operation in ["book", "save_round", "finish_turn"] {
        let world = World::new();
        world.model.then([book()]);
        if operation == "finish_turn" {
            world.model.then([say("Done!")]);
            world.store.hang_before(operation);
        } else {
            world.store.hang_after(operation);
        }
        world.crash(world.reply().answer(&text("SM1", "Tomorrow at two")));
        world.timer.advance(AFTER_ALL_LEASES);
        world.model.then([say("Done!")]);
        let mut again = text("SM1", "Tomorrow at two");
        again.now = "2026-02-10T20:11:00Z".parse().unwrap();
        let messages = world.answer(&again);
        assert!(
            messages[0].contains("Confirmed: Wed Feb 11, 2:00 PM"),
            "{operation}: {messages:?}"
        );
        assert_eq!(world.store.open_bookings().len(), 1, "{operation}");
        let id = world.store.leads()[0].id.to_string();
        assert!(id.starts_with("LEAD-20260210-201000-"), "the first attempt's time: {id}");
        assert!(world.store.queue_of(&phone(ANN)).is_empty(), "{operation}");
        let asked_to_book = world.model.requests().iter().filter(|r| r.input.len() == 1).count();
        assert_eq!(asked_to_book, 1, "{operation}: a stored round is not asked again");
    }
}

#[test]
fn a_repeat_right_after_a_crash_takes_the_turn_over_in_time() {
    let world = World::new();
    world.model.then([book()]);
    world.store.hang_after("save_round");
    world.crash(world.reply().answer(&text("SM1", "Tomorrow at two")));
    world.model.then([say("Done!")]);
    let messages = world.answer(&text("SM1", "Tomorrow at two"));
    assert!(messages[0].contains("Confirmed: Wed Feb 11, 2:00 PM"), "{messages:?}");
    assert_eq!(world.store.open_bookings().len(), 1);
}

#[test]
fn a_slow_attempt_keeps_its_claim() {
    let world = World::new();
    world.model.after(Duration::from_secs(9), Ok(vec![say("At the shop.")]));
    let (one, two) = (world.reply(), world.reply());
    let text = text("SM1", "When?");
    let (first, second) = world.run(async { futures::join!(one.answer(&text), two.answer(&text)) });
    assert_eq!((first, second), (vec!["At the shop.".to_owned()], vec!["At the shop.".to_owned()]));
    assert_eq!(world.model.requests().len(), 1);
}

#[test]
fn stored_results_are_not_run_again() {
    let world = World::new();
    world.model.then([call("check_availability", json!({ "date": "2026-02-11" }))]);
    world.model.after(Duration::from_secs(5), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&text("SM1", "When?")));
    world.timer.advance(AFTER_ALL_LEASES);
    world.model.then([say("At the shop.")]);
    assert_eq!(world.answer(&text("SM1", "When?")), ["At the shop."]);
    let reads = world.store.calls().iter().filter(|call| **call == "day_schedule").count();
    assert_eq!(reads, 1);
    assert_eq!(world.model.results().len(), 1);
}

#[test]
fn an_attempt_that_lost_its_turn_gives_the_other_ones_answer() {
    let world = World::new();
    // The first attempt still waits for the model when another one takes the turn over, as after a
    // pause of its process.
    world.model.after(Duration::from_secs(8), Ok(vec![say("late")])).then([say("in time")]);
    let (frozen, second) = (world.reply(), world.reply());
    let text = text("SM1", "Hello?");
    let messages = world.run(async {
        let other = async {
            world.timer.sleep(Duration::from_secs(1)).await;
            world.store.expire_claims();
            second.answer(&text).await
        };
        futures::join!(frozen.answer(&text), other)
    });
    assert_eq!(messages, (vec!["in time".to_owned()], vec!["in time".to_owned()]));
    let remembered = world.store.memory_of(&phone(ANN)).turns;
    assert_eq!(remembered.len(), 1);
}

/// It has booked, so it could say so by itself; but the booking may have been moved since.
#[test]
fn an_attempt_that_lost_its_turn_and_cannot_wait_closes_with_the_other_ones_answer() {
    let world = World::new();
    world.model.then([book()]);
    world.model.after(Duration::from_secs(8), Ok(vec![say("late")])).then([say("in time")]);
    let (frozen, second) = (world.reply(), world.reply());
    let text = text("SM1", "Tomorrow at two");
    let (first, second) = world.run(async {
        let other = async {
            world.timer.sleep(Duration::from_secs(1)).await;
            world.store.expire_claims();
            let answer = second.answer(&text).await;
            world.store.fail("turn_answer");
            answer
        };
        futures::join!(frozen.answer(&text), other)
    });
    assert!(second[0].starts_with("in time") && second[0].contains("Confirmed: "), "{second:?}");
    assert_eq!(first, second);
}

/// It does not know that it has lost its turn, and would confirm by itself what it has booked.
#[test]
fn an_attempt_that_lost_its_turn_unawares_closes_with_the_other_ones_answer() {
    let world = World::new();
    world.model.then([book()]);
    world.model.after(DEADLINE * 2, Ok(vec![say("never")])).then([say("in time")]);
    let (frozen, second) = (world.reply(), world.reply());
    let text = text("SM1", "Tomorrow at two");
    let (first, second) = world.run(async {
        let other = async {
            world.timer.sleep(Duration::from_secs(1)).await;
            world.store.expire_claims();
            second.answer(&text).await
        };
        futures::join!(frozen.answer(&text), other)
    });
    assert!(second[0].starts_with("in time") && second[0].contains("Confirmed: "), "{second:?}");
    assert_eq!(first, second, "the other one's answer, and not its own words");
}

#[test]
fn an_answer_that_cannot_be_stored_gives_way_to_the_one_that_is() {
    let world = World::new();
    world.model.after(Duration::from_secs(8), Ok(vec![say("late")])).then([say("in time")]);
    let (frozen, second) = (world.reply(), world.reply());
    let text = text("SM1", "Hello?");
    let answers = world.run(async {
        let other = async {
            world.timer.sleep(Duration::from_secs(1)).await;
            world.store.expire_claims();
            let answer = second.answer(&text).await;
            world.store.fail_from_now_on("finish_turn");
            answer
        };
        futures::join!(frozen.answer(&text), other)
    });
    assert_eq!(answers, (vec!["in time".to_owned()], vec!["in time".to_owned()]));
}

#[test]
fn three_deliveries_that_take_the_turn_from_each_other_are_one_booking_and_one_discount() {
    let world = World::new();
    // No claim can be renewed, so each ends while the model thinks.
    world.store.fail_from_now_on("renew_turn");
    let think = Duration::from_secs(2);
    let discount = json!({ "discount_percent": 15, "reason": "asked" });
    world.model.after(think, Ok(vec![call("authorize_discount", discount)]));
    world.model.after(think, Ok(vec![book()])).after(think, Ok(vec![book()]));
    world.model.after(think, Ok(vec![say("Done!")])).after(think, Ok(vec![say("Done!")]));
    let attempts = [world.reply(), world.reply(), world.reply()];
    let text = text("SM1", "15 off, tomorrow at two");
    let answers = world.run(futures::future::join_all(attempts.iter().map(|a| a.answer(&text))));
    assert!(answers[0][0].contains("Confirmed: Wed Feb 11, 2:00 PM"), "{answers:?}");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(world.store.leads().len(), 1);
    assert_eq!(world.store.leads()[0].discount_percent, Some(15));
    assert!(world.model.requests().len() > 3, "a claim was lost");
}

#[test]
fn two_texts_of_a_customer_are_answered_in_order() {
    let world = World::new();
    world.model.after(Duration::from_secs(3), Ok(vec![say("one")])).then([say("two")]);
    let (first, second) = (world.reply(), world.reply());
    let (hello, again) = (text("SM1", "First"), text("SM2", "Second"));
    let (one, two) =
        world.run(async { futures::join!(first.answer(&hello), second.answer(&again)) });
    assert_eq!((one, two), (vec!["one".to_owned()], vec!["two".to_owned()]));
    let history = &world.model.requests()[1].input;
    let expected = [
        ConversationItem::User("First".to_owned()),
        ConversationItem::Assistant("one".to_owned()),
        ConversationItem::User("Second".to_owned()),
    ];
    assert_eq!(history, &expected);
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn the_queue_entry_of_a_dead_attempt_expires() {
    let world = World::new();
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&text("SM1", "First")));
    world.timer.advance(DEADLINE);
    world.model.then([say("two")]);
    assert_eq!(world.answer(&text("SM2", "Second")), ["two"]);
    assert!(world.store.queue_of(&phone(ANN)).is_empty());
}

#[test]
fn a_text_that_waits_too_long_gets_the_fallback_and_leaves_the_queue() {
    let world = World::new();
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&text("SM1", "First")));
    world.store.never_expire();
    assert_eq!(world.answer(&text("SM2", "Second")), [FALLBACK_REPLY]);
    let left: Vec<_> = world.store.queue_of(&phone(ANN)).into_iter().map(|w| w.sid).collect();
    assert_eq!(left, ["SM1"]);
    assert!(world.store.memory_of(&phone(ANN)).turns.is_empty());
}

#[test]
fn two_customers_and_one_slot() {
    let world = World::new();
    world.model.then([book()]).then([book()]).then([say("Hm.")]).then([say("Hm.")]);
    let (one, two) = (world.reply(), world.reply());
    let ann = text("SM1", "Tomorrow at two");
    let mut bob = text("SM2", "Tomorrow at two");
    bob.phone = phone(BOB);
    let (ann, bob) = world.run(async { futures::join!(one.answer(&ann), two.answer(&bob)) });
    let told = [&ann, &bob].iter().filter(|m| m[0].contains("Confirmed: ")).count();
    assert_eq!(told, 1, "{ann:?} {bob:?}");
    assert_eq!(world.store.open_bookings().len(), 1);
}

#[test]
fn cancelling_again_after_a_crash_is_told_as_cancelled() {
    let (world, id) = with_booking();
    world.model.then([call("cancel_booking", json!({ "lead_id": id }))]);
    world.store.hang_after("cancel");
    world.crash(world.reply().answer(&text("SM1", "I can't come")));
    world.timer.advance(AFTER_ALL_LEASES);
    world.model.then([say("Gone.")]);
    let messages = world.answer(&text("SM1", "I can't come"));
    assert!(messages[0].contains("Cancelled: Wed Feb 11, 2:00 PM"), "{messages:?}");
}

#[test]
fn attempts_that_only_wait_tell_the_owner_once() {
    let world = World::new();
    world.model.after(Duration::from_secs(60), Ok(vec![say("never heard")]));
    world.crash(world.reply().answer(&text("SM1", "Hello?")));
    world.store.never_expire();
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert_eq!(world.answer(&text("SM1", "Hello?")), [FALLBACK_REPLY]);
    assert_eq!(world.sms.sent().len(), 1, "he was promised to get back");
}

/// The second state of a round that is saved, its results, meets this.
struct ResultsAreSaved {
    fate: CallFate,
    saves: AtomicUsize,
    timer: Arc<TestTimer>,
}

#[async_trait]
impl CallChance for ResultsAreSaved {
    fn fate(&self, operation: &'static str) -> CallFate {
        match operation == "save_round" && self.saves.fetch_add(1, Ordering::Relaxed) == 1 {
            true => self.fate,
            false => CallFate::Works,
        }
    }

    async fn wait(&self, time: Duration) {
        self.timer.sleep(time).await;
    }
}

/// Another attempt at the text may find the booking somewhere else, and book the time or move it back.
#[test]
fn what_was_so_before_is_confirmed_only_once_that_is_stored() {
    let never = CallFate::Slow(AFTER_ALL_LEASES, Duration::ZERO);
    let fates = [(CallFate::Works, true), (CallFate::FailsBefore, false), (never, false)];
    for ((fate, is_confirmed), is_move) in
        fates.into_iter().flat_map(|fate| [(fate, false), (fate, true)])
    {
        let (world, id) = with_booking();
        let to = json!({ "lead_id": id, "date": "2026-02-11", "time": "2:00 PM" });
        let wish = if is_move { call("reschedule_booking", to) } else { book() };
        let heading = if is_move { "Moved: " } else { "Confirmed: " };
        world.model.then([wish]).then([say("Done!")]);
        let (saves, timer) = (AtomicUsize::new(0), world.timer.clone());
        world.store.set_chance(Arc::new(ResultsAreSaved { fate, saves, timer }));
        let messages = world.answer(&text("SM2", "Tomorrow at two, as I said"));
        assert_eq!(messages[0].contains(heading), is_confirmed, "{fate:?}: {messages:?}");
        assert_eq!(world.store.open_bookings().len(), 1);
    }
}
