//! Status callbacks: which, in which order, signed.

use http::StatusCode;

use super::support::*;
use crate::Method;
use rehearse_core::faults::Failure;

fn statuses(world: &World) -> Vec<String> {
    world.backend.got().iter().filter_map(|got| got.param("MessageStatus")).collect()
}

fn callback(world: &World) -> String {
    format!("{}/status?x=1#rc=0", world.url)
}

/// Replaces the sid by the one of the recorded form.
fn with_recorded_sid(body: &str, sid: &str) -> String {
    body.replace(sid, "SM00000000000000000000000000000003")
}

#[tokio::test]
async fn sent_then_delivered_and_none_for_queued() {
    let world = world().await;
    let url = callback(&world);
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)];
    let (status, json) = world.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"queued".into()));
    world.server.settled().await;
    assert_eq!(statuses(&world), ["sent", "delivered"]);
    let got = world.backend.got();
    assert_eq!(got[0].uri, "/status?x=1");
    assert!(got[0].param("Body").is_none());
    for request in &got {
        let params: Vec<(String, String)> =
            form_urlencoded::parse(request.body.as_bytes()).into_owned().collect();
        let url = format!("{}/status?x=1", world.url);
        let signature = crate::signature::sign(TOKEN, &url, &params);
        assert_eq!(request.header("x-twilio-signature"), signature);
    }
    let sid = json["sid"].as_str().unwrap();
    let recorded = include_str!("../../../../fixtures/twilio/webhooks/status-delivered.form");
    assert_eq!(with_recorded_sid(&got[1].body, sid), recorded);
    let tokens = [0, 1].map(|n: usize| got[n].header("i-twilio-idempotency-token").to_owned());
    assert_ne!(tokens[0], tokens[1]);
    let (_, json) = world.get(&world.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!(json["status"], "delivered");
}

#[tokio::test]
async fn a_carrier_that_refuses_is_undelivered_with_its_code() {
    let world = world().await;
    let failure = Failure { code: Some("30034".into()), ..Failure::default() };
    world.fail("twilio.delivery", failure.clone());
    let url = callback(&world);
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)];
    let (_, json) = world.create(&params).await;
    world.server.settled().await;
    assert_eq!(statuses(&world), ["sent", "undelivered"]);
    let recorded = include_str!("../../../../fixtures/twilio/webhooks/status-undelivered.form");
    let sid = json["sid"].as_str().unwrap();
    assert_eq!(with_recorded_sid(&world.backend.got()[1].body, sid), recorded);
    // The same without a callback: it shows when the message is fetched.
    world.fail("twilio.delivery", failure);
    let sid = world.send("b").await;
    let (_, json) = world.get(&world.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!((&json["status"], &json["error_code"]), (&"undelivered".into(), &30034.into()));
    assert!(json["error_message"].is_string());
}

#[tokio::test]
async fn a_reply_calls_back_where_its_verb_says() {
    let world = world().await;
    world.backend.answer(xml("<Message action='/done' method='GET'>a</Message>"));
    world.server.receive(text("hello")).await;
    world.server.settled().await;
    let got = world.backend.got();
    assert_eq!((got[1].method.as_str(), got.len()), ("GET", 3));
    assert!(got[1].uri.starts_with("/done?SmsSid=SM"), "{}", got[1].uri);
    assert!(got[2].uri.contains("MessageStatus=delivered"), "{}", got[2].uri);
}

#[tokio::test]
async fn a_messages_own_callback_wins_over_the_numbers() {
    let world = world().await;
    world.server.configure(|number| number.status_callback = Some(format!("{}/all", world.url)));
    world.send("a").await;
    let own = format!("{}/own", world.url);
    world
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "b"), ("StatusCallback", &own)])
        .await;
    world.server.settled().await;
    let count = |path: &str| world.backend.got().iter().filter(|got| got.uri == path).count();
    assert_eq!((count("/all"), count("/own")), (2, 2));
}

#[tokio::test]
async fn a_service_accepts_then_queues_and_learns_of_a_block_later() {
    let world = world().await;
    let service = "MG00000000000000000000000000000001";
    world.server.configure(|number| {
        number.messaging_service_sid = Some(service.into());
        number.webhook_url = None;
    });
    let url = callback(&world);
    let params =
        [("To", PERSON), ("MessagingServiceSid", service), ("Body", "a"), ("StatusCallback", &url)];
    let (status, json) = world.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"accepted".into()));
    assert_eq!((&json["from"], &json["num_segments"]), (&serde_json::Value::Null, &"0".into()));
    world.server.settled().await;
    assert_eq!(statuses(&world), ["queued", "sent", "delivered"]);
    assert_eq!(world.server.messages()[0].from.as_deref(), Some(NUMBER));
    world.server.receive(text("STOP")).await;
    let (status, json) = world.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"accepted".into()));
    world.server.settled().await;
    assert_eq!(statuses(&world)[3..], ["queued", "failed"]);
    let refused = world.entries("sms.sent").pop().unwrap();
    assert_eq!(refused.outcome.unwrap().error.as_deref(), Some("21610"));
}

#[tokio::test]
async fn a_failing_callback_changes_nothing_and_uses_its_overrides() {
    let world = world().await;
    world.backend.answer(StatusCode::INTERNAL_SERVER_ERROR).answer(StatusCode::OK);
    let url = format!("{}/status#rc=1&rp=5xx", world.url);
    world
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    world.server.settled().await;
    assert_eq!(statuses(&world), ["sent", "sent", "delivered"]);
    assert_eq!(world.server.config().webhook_method, Method::Post);
    let errors: Vec<_> = world
        .entries("webhook.status")
        .into_iter()
        .map(|entry| entry.outcome.unwrap().error)
        .collect();
    assert_eq!(errors, [Some("11200".to_owned()), None, None]);
}
