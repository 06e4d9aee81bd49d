//! Rounds of the model that are answered by hand.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::support::{CUSTOMER, Running, asking, persona};
use crate::loopback_client;
use rehearse_testutils::{TEMPLATE, hello, until};

/// Waits until a round is held; returns it.
pub async fn held(running: &Running) -> Value {
    let journal = running.world.journal();
    let mut changes = journal.watch();
    let held = async {
        loop {
            changes.mark_unchanged();
            let state = running.ok("GET", "/model", "").await;
            if let Some(round) = state["held"].get(0) {
                return round.clone();
            }
            // The round is held after its exchange has begun, within the same task.
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::task::yield_now() => {}
            }
        }
    };
    until("a round to be held", held).await
}

/// Texts without waiting for the answer.
fn texting(running: &Running, body: &str) -> tokio::task::JoinHandle<Value> {
    let url = format!("{}/sms", running.server.url());
    let request = loopback_client().unwrap().post(url).body(json!({ "body": body }).to_string());
    tokio::spawn(async move { request.send().await.unwrap().json().await.unwrap() })
}

#[tokio::test]
async fn a_round_is_answered_by_hand_and_only_as_a_model_could() {
    let running = Running::with(asking(), None).await;
    let on = running.ok("PUT", "/model/hold", r#"{"from": "customer", "text": "Hello"}"#).await;
    assert_eq!(on["holding"], json!({ "text": "Hello", "from": CUSTOMER }));
    let sent = texting(&running, "Hello there");
    let round = held(&running).await;
    assert_eq!((&round["text"], &round["from"]), (&json!("Hello there"), &json!(CUSTOMER)));
    assert_eq!(round["tools"][0]["parameters"]["type"], "object");
    let state = running.ok("GET", "/model", "").await;
    assert_eq!(state["time_stands_still"], true);
    let exchange = &running.ok("GET", &format!("/journal/{}", round["exchange"]), "").await;
    assert_eq!((&exchange["name"], &exchange["outcome"]), (&json!("openai.chat"), &Value::Null));

    let path = format!("/model/held/{}/answer", round["id"]);
    for (answer, words) in [
        ("{ call: { fly: {} } }", "the model cannot call 'fly'"),
        ("{ say: '{{ nothing }}' }", "nothing"),
        ("{ sees: { input: Hi }, say: Hi }", "has no sees"),
        ("{ sya: Hi }", "sya"),
        ("{}", "a round needs one of say"),
    ] {
        let (status, error) = running.raw("POST", &path, answer).await;
        assert_eq!(status, 400, "{answer}");
        assert!(error.error.contains(words), "{answer}: {error:?}");
    }
    let state = running.ok("POST", &path, "{ call: { look_up: {} } }").await;
    assert_eq!(state["ended"][0]["how"], "answered");
    let next = held(&running).await;
    assert_eq!(next["calls"][0], json!({ "call": "look_up({})", "result": { "id": "L1" } }));
    running.ok("POST", &format!("/model/held/{}/answer", next["id"]), "{ say: By hand. }").await;
    assert_eq!(sent.await.unwrap()["replies"][0]["body"], "By hand.");
    let state = running.ok("GET", "/model", "").await;
    assert_eq!((&state["time_stands_still"], &state["held"]), (&json!(false), &json!([])));
    let (status, error) = running.raw("POST", &path, "{ say: Late }").await;
    assert_eq!((status, error.help.unwrap().as_str()), (404, "it was answered"));
    let exchange = &running.ok("GET", &format!("/journal/{}", next["exchange"]), "").await;
    assert_eq!(exchange["crossing"]["script"], "by hand");
}

#[tokio::test]
async fn a_round_goes_to_the_persona_fails_or_disappears_with_its_client() {
    let running = Running::with(asking(), None).await;
    running.world.openai().set_persona(Some(persona("I am Linda.")));
    running.ok("PUT", "/model/hold", r#"{"text": "Hold me"}"#).await;
    assert_eq!(running.reply("Hi").await, "I am Linda.");
    let sent = texting(&running, "Hold me");
    let id = held(&running).await["id"].clone();
    running.ok("POST", &format!("/model/held/{id}/release"), "").await;
    assert_eq!(sent.await.unwrap()["replies"][0]["body"], "I am Linda.");

    let sent = texting(&running, "Hold me again");
    let id = held(&running).await["id"].clone();
    running.ok("POST", &format!("/model/held/{id}/answer"), "{ fail: 503 }").await;
    assert_eq!(sent.await.unwrap()["replies"][0]["body"], "Sorry.");

    // Nobody waits for the answer any more.
    running.ok("PUT", "/model/hold", "").await;
    let request = json!({ "model": "gpt-4.1", "messages": [{ "role": "user", "content": "Hi" }] });
    let openai = running.world.openai();
    let url = format!("{}/chat/completions", openai.url());
    let client = loopback_client().unwrap().post(url).bearer_auth(openai.api_key());
    let client = tokio::spawn(client.json(&request).send());
    let id = held(&running).await["id"].clone();
    client.abort();
    let gone = async {
        loop {
            let state = running.ok("GET", "/model", "").await;
            if let Some(ended) = state["ended"].as_array().unwrap().iter().find(|e| e["id"] == id) {
                return (
                    ended["how"].clone(),
                    state["held"].clone(),
                    state["time_stands_still"].clone(),
                );
            }
        }
    };
    let gone = until("the round of a client that hung up to end", gone).await;
    assert_eq!(gone, (json!("hung_up"), json!([]), json!(false)));
}

#[tokio::test]
async fn no_function_times_out_while_its_round_is_held() {
    let template = TEMPLATE.replace(
        "    Properties:\n      Events:",
        "    Properties:\n      Timeout: 1\n      Events:",
    );
    assert!(template.contains("Timeout"));
    let running = Running::with_template(asking(), None, &template).await;
    running.ok("PUT", "/model/hold", "").await;
    let sent = texting(&running, "Hello");
    let id = held(&running).await["id"].clone();
    // Longer than the function may take: it is real time that must not count.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    running.ok("POST", &format!("/model/held/{id}/answer"), "{ say: In time. }").await;
    assert_eq!(sent.await.unwrap()["replies"][0]["body"], "In time.");
}

#[tokio::test]
async fn the_clock_is_frozen_and_let_run() {
    let running = Running::start().await;
    let clock = running.ok("POST", "/clock", r#"{"running": false}"#).await;
    assert_eq!(clock["running"], false);
    assert_eq!(running.ok("GET", "/clock", "").await, clock);
    let clock = running.ok("POST", "/clock", r#"{"running": true}"#).await;
    assert_eq!(clock["running"], true);
    let (status, error) =
        running.raw("POST", "/clock", r#"{"running": true, "advance": "1h"}"#).await;
    assert_eq!((status, error.error.as_str()), (400, "give one of now, advance and running"));
}

#[tokio::test]
async fn schedules_go_on_once_a_clock_is_let_run_that_stood_still_in_a_restore() {
    let every = "      Events:\n        Every: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }\n";
    let template = TEMPLATE.replace("      Events:\n", every);
    assert!(template.contains("rate(1 minute)"));
    let running = Running::with_template(hello(), None, &template).await;
    running.ok("POST", "/clock", r#"{"running": false}"#).await;
    running.ok("POST", "/snapshots", r#"{"name": "a"}"#).await;
    running.ok("POST", "/snapshots/a/restore", "").await;
    let journal = running.world.journal();
    let mut changes = journal.watch();
    running.ok("POST", "/clock", r#"{"running": true}"#).await;
    // Not through the API, which would have happen itself what is due.
    running.world.clock().advance(SignedDuration::from_mins(1));
    let fired = || journal.exchanges().named("schedule.Hello").count() > 0;
    until("a schedule to fire", changes.wait_for(|_| fired())).await.unwrap();
}
