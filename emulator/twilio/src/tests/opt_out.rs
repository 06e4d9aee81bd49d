//! STOP and back.

use http::StatusCode;

use super::harness::*;
use crate::NumberKind;
use rehearse_core::journal::{ExchangeDetail, Via};

fn notices(harness: &Harness) -> Vec<String> {
    harness
        .entries("sms.sent")
        .into_iter()
        .filter_map(|entry| match entry.detail {
            ExchangeDetail::SmsSent { body, via: Via::Twilio, .. } => Some(body),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn stop_blocks_replies_and_sends_until_start() {
    let harness = harness().await;
    let reply = || xml("<Message>Hi</Message>");
    harness.backend.answer(reply()).answer(reply()).answer(reply());
    // The webhook fires all the same, but its reply is not sent.
    assert_eq!(harness.server.receive(text(" Cancel\n")).await.errors, [21610]);
    assert!(harness.server.is_blocked(PERSON));
    assert_eq!(harness.server.receive(text("hello?")).await.errors, [21610]);
    let (status, json) = harness.create(&[("To", PERSON), ("From", NUMBER), ("Body", "a")]).await;
    assert_eq!((status, json["code"].as_u64()), (StatusCode::BAD_REQUEST, Some(21610)));
    assert_eq!(json["message"], "Attempt to send to unsubscribed recipient");
    // Another person is not blocked.
    let other = [("To", "+15550177777"), ("From", NUMBER), ("Body", "a")];
    assert_eq!(harness.create(&other).await.0, StatusCode::CREATED);
    assert_eq!(harness.server.receive(text("YES")).await.errors, [0_u32; 0]);
    harness.send("welcome back").await;
    let texts = notices(&harness);
    assert!(texts[0].starts_with("You have successfully been unsubscribed."), "{texts:?}");
    assert!(texts[1].starts_with("You have successfully been re-subscribed"), "{texts:?}");
    assert_eq!(texts.len(), 2);
    let refused = &harness.entries("sms.sent")[1];
    assert_eq!(refused.outcome.as_ref().unwrap().error.as_deref(), Some("21610"));
    assert!(
        matches!(&refused.detail, ExchangeDetail::SmsSent { body, via: Via::Twiml, .. } if body == "Hi")
    );
}

#[tokio::test]
async fn the_notice_comes_before_the_webhook_and_once() {
    let harness = harness().await;
    harness.server.receive(text("STOP")).await;
    harness.server.receive(text("STOP")).await;
    harness.server.receive(text("HELP")).await;
    assert_eq!(
        harness.names(),
        [
            "sms.received",
            "sms.sent",
            "webhook.sms",
            "sms.received",
            "webhook.sms",
            "sms.received",
            "webhook.sms"
        ]
    );
}

#[tokio::test]
async fn yes_is_an_answer_to_who_is_not_blocked() {
    let harness = harness().await;
    harness.backend.answer(xml("<Message>Booked</Message>"));
    let delivery = harness.server.receive(text("Yes")).await;
    assert_eq!(delivery.replies.len(), 1);
    assert_eq!(notices(&harness), [""; 0]);
}

#[tokio::test]
async fn a_block_is_made_without_a_webhook_too() {
    let harness = harness().await;
    harness.server.configure(|number| number.webhook_url = None);
    harness.server.receive(text("stop")).await;
    assert!(harness.server.is_blocked(PERSON));
    harness.server.reset();
    assert!(!harness.server.is_blocked(PERSON));
}

#[tokio::test]
async fn toll_free_speaks_with_the_networks_words() {
    let harness = harness().await;
    harness.server.configure(|number| number.kind = NumberKind::TollFree);
    for body in ["STOP", "YES"] {
        harness.server.receive(text(body)).await;
    }
    assert!(harness.server.is_blocked(PERSON), "YES does not undo it");
    harness.server.receive(text("UNSTOP")).await;
    assert!(!harness.server.is_blocked(PERSON));
    let texts = notices(&harness);
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().all(|text| text.starts_with("NETWORK MSG: ")), "{texts:?}");
}
