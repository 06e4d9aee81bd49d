//! What customers are told.

use handlers::domain::{
    lead::{LeadSource, LeadStatus},
    owner::OwnerState,
    sales::SalesEvent,
    turn::ConversationItem,
};
use serde_json::json;

use super::{book, book_at, with_booking};
use memory_ports::{ANN, OWNER, World, call, phone, say, text};

#[test]
fn a_question_is_answered_in_at_most_eight_store_calls() {
    let world = World::new();
    world.model.then([say("Yes, we do!")]);
    assert_eq!(world.answer(&text("SM1", "Do you fix screens?")), ["Yes, we do!"]);
    let request = &world.model.requests()[0];
    assert_eq!(request.input, [ConversationItem::User("Do you fix screens?".to_owned())]);
    assert!(request.instructions.contains("Tuesday 2026-02-10, 3:10 PM"));
    assert!(!request.instructions.contains("Do you fix screens?"));
    let calls = world.store.calls();
    assert!(calls.len() <= 8, "{calls:?}");
}

#[test]
fn a_booking_is_confirmed_from_its_row() {
    let (world, id) = with_booking();
    let lead = &world.store.leads()[0];
    assert_eq!(lead.phone.as_str(), ANN);
    assert_eq!((lead.status, lead.source), (LeadStatus::Booked, LeadSource::Sms));
    assert!(id.starts_with("LEAD-20260210-201000-"), "{id}");
    // The outbox is sent by another function. One call counts the customer's open bookings.
    let calls = world.store.calls();
    let of_the_turn = calls.iter().position(|call| *call == "finish_turn").unwrap() + 1;
    assert!(of_the_turn <= 14, "{calls:?}");

    world.model.then([say("See you!")]);
    world.answer(&text("SM1", "Thanks"));
    let told =
        format!("Done!\nConfirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref {id}. Price: $79.");
    let expected = ["Tomorrow at two, please", &told, "Thanks"];
    let history = world.model.requests()[2].input.clone();
    let said: Vec<_> = history
        .iter()
        .map(|item| match item {
            ConversationItem::User(said) | ConversationItem::Assistant(said) => said.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn two_bookings_in_one_text_are_two() {
    let world = World::new();
    world.model.then([book_at("2:00 PM"), book_at("3:00 PM")]).then([say("Both!")]);
    let messages = world.answer(&text("SM1", "Two phones"));
    assert_eq!(messages[0].matches("Confirmed: ").count(), 2);
    assert_eq!(world.store.open_bookings().len(), 2);
}

#[test]
fn a_taken_slot_comes_with_what_is_free() {
    let (world, _) = with_booking();
    world.model.then([book()]).then([say("Sorry, how about three?")]);
    let mut bob = text("SM1", "Tomorrow at two");
    bob.phone = phone(memory_ports::BOB);
    assert_eq!(world.answer(&bob), ["Sorry, how about three?"]);
    let result = &world.model.results()[0];
    assert_eq!(result["success"], false);
    let slots = result["available_slots"].as_array().unwrap();
    assert!(slots.contains(&json!("3:00 PM")) && !slots.contains(&json!("2:00 PM")));
}

#[test]
fn bookings_are_listed_moved_and_cancelled() {
    let (world, id) = with_booking();
    world
        .model
        .then([call("list_bookings", json!({}))])
        .then([say("You have one.")])
        .then([call(
            "reschedule_booking",
            json!({ "lead_id": id, "date": "2026-02-12", "time": "9am" }),
        )])
        .then([say("Moved.")])
        .then([call("cancel_booking", json!({ "lead_id": id }))])
        .then([say("Gone.")]);
    world.answer(&text("SM1", "What do I have?"));
    assert_eq!(world.model.results()[0]["bookings"][0]["lead_id"], id);

    let moved = world.answer(&text("SM2", "Thursday at nine instead"));
    assert_eq!(moved, [format!("Moved.\nMoved: Thu Feb 12, 9:00 AM, iPhone screen. Ref {id}")]);
    assert_eq!(world.store.open_bookings()[0].slot.wall_clock(), "2026-02-12T09:00");

    let cancelled = world.answer(&text("SM3", "I can't come"));
    assert_eq!(
        cancelled,
        [format!("Gone.\nCancelled: Thu Feb 12, 9:00 AM, iPhone screen. Ref {id}")]
    );
    assert!(world.store.open_bookings().is_empty());
    assert_eq!(world.store.leads()[0].status, LeadStatus::Cancelled);
}

#[test]
fn an_upsell_is_stored_with_the_price_of_the_catalogue() {
    let world = World::new();
    world
        .model
        .then([call("log_upsell", json!({ "upsell_item": "case", "accepted": true, "price": 1 }))])
        .then([say("Great!")]);
    world.answer(&text("SM1", "A case too"));
    let SalesEvent::Upsell { accepted, price, .. } = world.store.sales()[0].kind else {
        panic!("not an upsell");
    };
    assert_eq!((accepted, price), (true, Some(25)));
}

#[test]
fn with_the_assistant_off_the_owner_gets_the_text() {
    let world = World::new();
    world.store.set_owner(OwnerState { ai_answers_sms: false, ..OwnerState::default() });
    let messages = world.answer(&text("SM1", "Are you open?"));
    assert_eq!(messages, ["Thanks for your text! Brandon has it and answers you himself."]);
    let forwarded = format!("The assistant is off, and {ANN} wrote. 3:10 PM: \"Are you open?\"");
    assert_eq!(world.sms.sent(), [(OWNER.to_owned(), forwarded)]);
    assert!(world.model.requests().is_empty());
}

#[test]
fn pictures_are_a_note() {
    let world = World::new();
    world.model.then([say("Nice.")]).then([say("I see.")]);
    world.answer(&handlers::app::reply::InboundText { media: 1, ..text("SM1", "") });
    world.answer(&handlers::app::reply::InboundText { media: 2, ..text("SM2", "My screen") });
    let input = world.model.requests()[1].input.clone();
    assert_eq!(input[0], ConversationItem::User("[1 picture, no text]".to_owned()));
    assert_eq!(input[2], ConversationItem::User("My screen\n[2 pictures]".to_owned()));
}

#[test]
fn texts_are_plain_and_long_ones_are_numbered() {
    let world = World::new();
    world
        .model
        .then([say("It\u{2019}s \u{201c}fine\u{201d}")])
        .then([say(&"Word after word. ".repeat(120))]);
    assert_eq!(world.answer(&text("SM1", "?")), ["It's \"fine\""]);
    let messages = world.answer(&text("SM2", "?"));
    assert_eq!(messages.len(), 2);
    assert!(messages[0].starts_with("(1/2) Word") && messages[1].starts_with("(2/2) Word"));
}
