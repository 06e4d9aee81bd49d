//! The use case behind the webhook, on ports in memory.

mod conversation;
mod delivery;
mod discount;
mod failure;
mod flood;
mod late;
mod opt_out;
mod owner;
mod pace;
mod safety;

use handlers::domain::turn::ConversationItem;
use serde_json::{Value, json};

use memory_ports::{World, call, say};

/// The model books tomorrow at two.
fn book() -> ConversationItem {
    book_at("2:00 PM")
}

fn book_at(time: &str) -> ConversationItem {
    call("book_slot", booking(time))
}

fn booking(time: &str) -> Value {
    json!({
        "date": "2026-02-11",
        "time": time,
        "repair_type": "screen",
        "device": "iPhone",
        "customer_name": null,
    })
}

/// A world in which Ann has booked tomorrow at two by the text `SM0`.
fn with_booking() -> (World, String) {
    let world = World::new();
    world.model.then([book()]).then([say("Done!")]);
    world.answer(&memory_ports::text("SM0", "Tomorrow at two, please"));
    let id = world.store.leads()[0].id.to_string();
    (world, id)
}

/// The runtime may poll the future on any thread.
#[test]
fn an_answer_can_move_between_threads() {
    fn is_send(_: &impl Send) {}
    let world = World::new();
    let (reply, text) = (world.reply(), memory_ports::text("SM1", "Hello"));
    is_send(&reply.answer(&text));
}
