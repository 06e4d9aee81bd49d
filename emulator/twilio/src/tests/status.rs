//! Status callbacks: which there are, their order and signature.

use http::StatusCode;

use super::harness::*;
use crate::Status;
use rehearse_core::faults::Failure;

fn statuses(harness: &Harness) -> Vec<String> {
    harness.backend.requests().iter().filter_map(|got| got.param("MessageStatus")).collect()
}

fn callback(harness: &Harness) -> String {
    format!("{}/status?x=1#rc=0", harness.url)
}

/// Replaces a sid with the one of the recorded form.
fn with_recorded_sid(body: &str, sid: &str) -> String {
    body.replace(sid, "SM00000000000000000000000000000003")
}

#[tokio::test]
async fn a_message_calls_back_when_sent_and_when_delivered() {
    let harness = Harness::start().await;
    let url = callback(&harness);
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)];
    let (status, json) = harness.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"queued".into()));
    harness.settled().await;
    assert_eq!(statuses(&harness), ["sent", "delivered"]);
    let got = harness.backend.requests();
    assert_eq!(got[0].uri, "/status?x=1");
    assert!(got[0].param("Body").is_none());
    for request in &got {
        let url = format!("{}/status?x=1", harness.url);
        let signature = crate::signature::sign(TOKEN, &url, &request.params());
        assert_eq!(request.header("x-twilio-signature"), signature);
    }
    let sid = json["sid"].as_str().unwrap();
    let recorded = include_str!("../../../../fixtures/twilio/webhooks/status-delivered.form");
    assert_eq!(with_recorded_sid(&got[1].body, sid), recorded);
    let tokens = [0, 1].map(|n: usize| got[n].header("i-twilio-idempotency-token").to_owned());
    assert_ne!(tokens[0], tokens[1]);
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!(json["status"], "delivered");
}

#[tokio::test]
async fn a_fault_on_delivery_makes_a_message_undelivered_with_its_code() {
    let harness = Harness::start().await;
    let failure = Failure { code: Some("30034".into()), ..Failure::default() };
    harness.inject("twilio.delivery", failure.clone());
    let url = callback(&harness);
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)];
    let (_, json) = harness.create(&params).await;
    harness.settled().await;
    assert_eq!(statuses(&harness), ["sent", "undelivered"]);
    let recorded = include_str!("../../../../fixtures/twilio/webhooks/status-undelivered.form");
    let sid = json["sid"].as_str().unwrap();
    assert_eq!(with_recorded_sid(&harness.backend.requests()[1].body, sid), recorded);
    // The same without a callback: the message shows it when fetched.
    harness.inject("twilio.delivery", failure);
    let sid = harness.send("b").await;
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!((&json["status"], &json["error_code"]), (&"undelivered".into(), &30034.into()));
    assert!(json["error_message"].is_string());
}

#[tokio::test]
async fn a_reply_calls_back_to_the_url_of_its_verb() {
    let harness = Harness::start().await;
    harness.backend.respond(xml("<Message action='/done' method='GET'>a</Message>"));
    harness.server.receive(text("hello")).await;
    harness.settled().await;
    let got = harness.backend.requests();
    assert_eq!((got[1].method.as_str(), got.len()), ("GET", 3));
    assert!(got[1].uri.starts_with("/done?SmsSid=SM"), "{}", got[1].uri);
    assert!(got[2].uri.contains("MessageStatus=delivered"), "{}", got[2].uri);
}

#[tokio::test]
async fn a_messages_own_callback_replaces_the_numbers() {
    let harness = Harness::start().await;
    harness
        .server
        .configure(|number| number.status_callback = Some(format!("{}/all", harness.url)));
    harness.send("a").await;
    let own = format!("{}/own", harness.url);
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "b"), ("StatusCallback", &own)])
        .await;
    harness.settled().await;
    let count =
        |path: &str| harness.backend.requests().iter().filter(|got| got.uri == path).count();
    assert_eq!((count("/all"), count("/own")), (2, 2));
}

#[tokio::test]
async fn a_services_message_is_accepted_then_queued_and_fails_after_an_opt_out() {
    let harness = Harness::start().await;
    let service = "MG00000000000000000000000000000001";
    harness.server.configure(|number| {
        number.messaging_service_sid = Some(service.into());
        number.webhook_url = None;
    });
    let url = callback(&harness);
    let params =
        [("To", PERSON), ("MessagingServiceSid", service), ("Body", "a"), ("StatusCallback", &url)];
    let (status, json) = harness.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"accepted".into()));
    assert_eq!((&json["from"], &json["num_segments"]), (&serde_json::Value::Null, &"0".into()));
    harness.settled().await;
    assert_eq!(statuses(&harness), ["queued", "sent", "delivered"]);
    assert_eq!(harness.server.messages()[0].from.as_deref(), Some(NUMBER));
    harness.server.receive(text("STOP")).await;
    let (status, json) = harness.create(&params).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &"accepted".into()));
    harness.settled().await;
    assert_eq!(statuses(&harness)[3..], ["queued", "failed"]);
    let refused = harness.exchanges("sms.sent").pop().unwrap();
    assert_eq!(refused.outcome.unwrap().error.as_deref(), Some("21610"));
}

#[tokio::test]
async fn a_late_report_changes_the_status_and_calls_back() {
    let harness = Harness::start().await;
    let url = callback(&harness);
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)];
    harness.create(&params).await;
    harness.create(&[("To", PERSON), ("From", NUMBER), ("Body", "b")]).await;
    harness.settled().await;
    assert_eq!(statuses(&harness), ["sent", "delivered"]);
    let [with, without] = [0, 1].map(|at| harness.server.messages()[at].sid);
    let report = |sid| harness.server.report(sid, Status::Undelivered, Some(30003));
    let reported = report(with).await.unwrap();
    assert_eq!((reported.status, reported.error_code), (Status::Undelivered, Some(30003)));
    assert_eq!(statuses(&harness), ["sent", "delivered", "undelivered"]);
    let sent = harness.backend.requests().pop().unwrap();
    assert!(sent.body.contains("ErrorCode=30003"), "{}", sent.body);
    assert_eq!(report(without).await.unwrap().error_code, Some(30003));
    assert_eq!(statuses(&harness).len(), 3, "it has no callback");
    let received = harness.server.receive(text("Hi")).await.sid;
    assert!(report(received).await.is_none(), "a text to the shop has no such status");
}

#[tokio::test]
async fn a_failing_callback_is_retried_and_the_message_is_delivered() {
    let harness = Harness::start().await;
    harness.backend.respond(StatusCode::INTERNAL_SERVER_ERROR).respond(StatusCode::OK);
    let url = format!("{}/status#rc=1&rp=5xx", harness.url);
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    harness.settled().await;
    assert_eq!(statuses(&harness), ["sent", "sent", "delivered"]);
    assert_eq!(harness.server.messages()[0].status, Status::Delivered);
    let errors: Vec<_> = harness
        .exchanges("webhook.status")
        .into_iter()
        .map(|entry| entry.outcome.unwrap().error)
        .collect();
    assert_eq!(errors, [Some("11200".to_owned()), None, None]);
}
