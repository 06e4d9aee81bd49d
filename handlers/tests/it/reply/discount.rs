//! Discounts: granted once, bound to one booking.

use handlers::domain::sales::SalesEvent;
use serde_json::json;

use super::{book, book_at};
use memory_ports::{FakeStore, World, call, say, text};

fn ask(percent: i64) -> handlers::domain::turn::ConversationItem {
    call("authorize_discount", json!({ "discount_percent": percent, "reason": "asked" }))
}

#[test]
fn a_discount_is_bound_to_the_next_booking_and_to_no_other() {
    let world = World::new();
    world.model.then([ask(15)]).then([book()]).then([say("Done.")]);
    let messages = world.answer(&text("SM1", "15 off, tomorrow at two"));
    assert!(messages[0].contains("Price: $79 less 15 percent."), "{messages:?}");
    world.model.then([book_at("3:00 PM")]).then([say("Done.")]);
    let messages = world.answer(&text("SM2", "And at three"));
    assert!(messages[0].contains("Price: $79."), "{messages:?}");
    let percents: Vec<_> = world.store.leads().iter().map(|lead| lead.discount_percent).collect();
    assert_eq!(percents.iter().filter(|percent| **percent == Some(15)).count(), 1, "{percents:?}");
}

#[test]
fn a_second_discount_is_refused_and_noted() {
    let world = World::new();
    world.model.then([ask(10)]).then([say("Yes, 10 percent.")]);
    world.answer(&text("SM1", "Any discount?"));
    world.model.then([ask(5)]).then([say("Sorry, only one.")]);
    world.answer(&text("SM2", "And five more?"));
    let result = world.model.results().pop().unwrap();
    assert_eq!(result["approved"], false);
    assert_eq!(result["open_discount_percent"], 10);
    let granted = world
        .store
        .sales()
        .into_iter()
        .filter(|sale| matches!(sale.kind, SalesEvent::Discount { approved: true, .. }));
    assert_eq!(granted.count(), 1);
}

#[test]
fn a_discount_waits_for_its_booking_for_a_month() {
    for (days, price) in [(29, "$79 less 10 percent."), (31, "$79.")] {
        let world = World::new();
        world.model.then([ask(10)]).then([say("Yes, 10 percent.")]);
        world.answer(&text("SM1", "Any discount?"));
        let later = handlers::app::reply::InboundText {
            now: text("SM2", "").now + jiff::SignedDuration::from_hours(24 * days),
            ..text("SM2", "In two days at two")
        };
        let date = later.now.to_zoned(jiff::tz::TimeZone::UTC).date() + jiff::Span::new().days(1);
        let date =
            if date.weekday() == jiff::civil::Weekday::Sunday { date.tomorrow() } else { Ok(date) };
        let booking = json!({
            "date": date.unwrap().to_string(), "time": "2:00 PM", "repair_type": "screen",
            "device": "iPhone", "customer_name": null,
        });
        world.model.then([call("book_slot", booking)]).then([say("Done.")]);
        let messages = world.answer(&later);
        assert!(messages[0].contains(&format!("Price: {price}")), "{days}: {messages:?}");
    }
}

#[test]
fn a_repeat_of_the_turn_grants_it_again_and_books_with_it_once() {
    for operation in ["grant_discount", "record_sale", "save_round", "book"] {
        let world = World::new();
        world.model.then([ask(15)]).then([book()]);
        FakeStore::hang_after(&world.store, operation);
        world.crash(world.reply().answer(&text("SM1", "15 off, tomorrow at two")));
        world.timer.advance(std::time::Duration::from_secs(16));
        world.model.then([ask(15)]).then([book()]).then([say("Done.")]);
        let messages = world.answer(&text("SM1", "15 off, tomorrow at two"));
        assert!(messages[0].contains("less 15 percent"), "{operation}: {messages:?}");
        assert_eq!(world.store.leads().len(), 1, "{operation}");
    }
}
