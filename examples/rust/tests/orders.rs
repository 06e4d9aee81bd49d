//! The bakery between a fake Twilio, a scripted model and an embedded DynamoDB.
//!
//! Every test has a world of its own. A round of the script that the backend never asks for, and a
//! request that no script expects, fail the test when the world is dropped.

use example_bakery::{APOLOGY, router};
use rehearse_world::{AttributeKind, Failure, Fault, TableSpec, World, WorldError};
use serde_json::json;

const ANN: &str = "+15555550101";
const BOB: &str = "+15555550102";
const NOON: &str = "2026-02-11T12:00";

async fn bakery() -> Result<World, WorldError> {
    let orders = TableSpec::new("Orders").partition_key("pickup", AttributeKind::String);
    World::builder()
        .function("Bakery", router)
        .tables([orders])
        .now("2026-02-10T15:10:00-05:00")
        .start()
        .await
}

#[tokio::test]
async fn an_order_becomes_a_row_and_the_model_words_the_answer() {
    let world = bakery().await.unwrap();
    world
        .openai()
        .when("a lemon cake for noon")
        .call("order_cake", json!({ "flavour": "lemon", "pickup": NOON }))
        .say("Your lemon cake is ready at noon.")
        .mount();

    let replies = world.twilio().text(ANN, "Hi, a lemon cake for noon please").await.unwrap();

    assert_eq!(replies, ["Your lemon cake is ready at noon."]);
    let expected = json!({ "pickup": NOON, "flavour": "lemon", "phone": ANN });
    assert_eq!(world.database().rows("Orders").await.unwrap(), [expected]);
}

#[tokio::test]
async fn a_question_orders_nothing() {
    let world = bakery().await.unwrap();
    world.openai().when("Are you open").say("Until six.").mount();

    assert_eq!(world.twilio().text(ANN, "Are you open today?").await.unwrap(), ["Until six."]);

    assert!(world.database().rows("Orders").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_hour_is_given_to_one_customer_only() {
    let world = bakery().await.unwrap();
    for (text, reply) in [("lemon", "Done."), ("cherry", "Noon is taken, is one fine?")] {
        let order = json!({ "flavour": text, "pickup": NOON });
        world.openai().when(text).call("order_cake", order).say(reply).mount();
    }

    assert_eq!(world.twilio().text(ANN, "lemon at noon").await.unwrap(), ["Done."]);
    let late = world.twilio().text(BOB, "cherry at noon").await.unwrap();

    assert_eq!(late, ["Noon is taken, is one fine?"]);
    let rows = world.database().rows("Orders").await.unwrap();
    assert_eq!((rows.len(), &rows[0]["phone"]), (1, &json!(ANN)));
}

#[tokio::test]
async fn a_customer_hears_something_when_the_model_is_down() {
    let world = bakery().await.unwrap();
    let failure = Failure { status: Some(503), ..Failure::default() };
    world.faults().arm(Fault { on: "openai.chat".into(), failure, ..Fault::default() });

    assert_eq!(world.twilio().text(ANN, "a lemon cake").await.unwrap(), [APOLOGY]);

    assert_eq!(world.journal().exchanges().named("openai.chat").count(), 1, "it was asked once");
}

#[tokio::test]
async fn nothing_is_promised_when_the_order_cannot_be_written() {
    let world = bakery().await.unwrap();
    world
        .openai()
        .when("lemon")
        .call("order_cake", json!({ "flavour": "lemon", "pickup": NOON }))
        .mount();
    let failure = Failure { status: Some(400), ..Failure::default() };
    world.faults().arm(Fault { on: "dynamodb.PutItem".into(), failure, ..Fault::default() });

    assert_eq!(world.twilio().text(ANN, "lemon at noon").await.unwrap(), [APOLOGY]);

    assert!(world.journal().exchanges().named("dynamodb.PutItem").count() > 0, "it was tried");
    assert!(world.database().rows("Orders").await.unwrap().is_empty());
}
