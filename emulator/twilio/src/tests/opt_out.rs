//! Opting out and in again.

use http::StatusCode;

use super::harness::*;
use crate::NumberKind;
use rehearse_core::journal::{ExchangeDetail, Via};

fn notices(harness: &Harness) -> Vec<String> {
    harness
        .exchanges("sms.sent")
        .into_iter()
        .filter_map(|entry| match entry.detail {
            ExchangeDetail::SmsSent { body, via: Via::Twilio, .. } => Some(body),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn stop_refuses_replies_and_sends_until_start() {
    let harness = Harness::start().await;
    let reply = || xml("<Message>Hi</Message>");
    harness.backend.respond(reply()).respond(reply()).respond(reply());
    // The webhook is called, but its reply is not sent.
    assert_eq!(harness.server.receive(text(" Cancel\n")).await.errors, [21610]);
    assert!(harness.has_opted_out(PERSON));
    assert_eq!(harness.server.receive(text("hello?")).await.errors, [21610]);
    let (status, json) = harness.create(&[("To", PERSON), ("From", NUMBER), ("Body", "a")]).await;
    assert_eq!((status, json["code"].as_u64()), (StatusCode::BAD_REQUEST, Some(21610)));
    assert_eq!(json["message"], "Attempt to send to unsubscribed recipient");
    // Another person has not opted out.
    let other = [("To", "+15550177777"), ("From", NUMBER), ("Body", "a")];
    assert_eq!(harness.create(&other).await.0, StatusCode::CREATED);
    assert_eq!(harness.server.receive(text("YES")).await.errors, [0_u32; 0]);
    harness.send("welcome back").await;
    let texts = notices(&harness);
    assert!(texts[0].starts_with("You have successfully been unsubscribed."), "{texts:?}");
    assert!(texts[1].starts_with("You have successfully been re-subscribed"), "{texts:?}");
    assert_eq!(texts.len(), 2);
    let refused = &harness.exchanges("sms.sent")[1];
    assert_eq!(refused.outcome.as_ref().unwrap().error.as_deref(), Some("21610"));
    assert!(
        matches!(&refused.detail, ExchangeDetail::SmsSent { body, via: Via::Twiml, .. } if body == "Hi")
    );
}

#[tokio::test]
async fn the_notice_is_sent_once_and_before_the_webhook() {
    let harness = Harness::start().await;
    harness.server.receive(text("STOP")).await;
    harness.server.receive(text("STOP")).await;
    harness.server.receive(text("HELP")).await;
    assert_eq!(
        harness.exchange_names(),
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
async fn yes_is_an_ordinary_text_of_a_person_who_has_not_opted_out() {
    let harness = Harness::start().await;
    harness.backend.respond(xml("<Message>Booked</Message>"));
    let delivery = harness.server.receive(text("Yes")).await;
    assert_eq!(delivery.replies.len(), 1);
    assert_eq!(notices(&harness), [""; 0]);
}

#[tokio::test]
async fn stop_opts_out_without_a_webhook_and_reset_undoes_it() {
    let harness = Harness::start().await;
    harness.server.configure(|number| number.webhook_url = None);
    harness.server.receive(text("stop")).await;
    assert!(harness.has_opted_out(PERSON));
    harness.server.reset();
    assert!(!harness.has_opted_out(PERSON));
}

#[tokio::test]
async fn a_toll_free_number_has_the_networks_notices_and_ignores_yes() {
    let harness = Harness::start().await;
    harness.server.configure(|number| number.kind = NumberKind::TollFree);
    for body in ["STOP", "YES"] {
        harness.server.receive(text(body)).await;
    }
    assert!(harness.has_opted_out(PERSON), "YES is not a keyword here");
    harness.server.receive(text("UNSTOP")).await;
    assert!(!harness.has_opted_out(PERSON));
    let texts = notices(&harness);
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().all(|text| text.starts_with("NETWORK MSG: ")), "{texts:?}");
}
