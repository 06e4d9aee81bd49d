//! Webhooks that fail: retries, timeouts, redirects, the fallback.

use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use http::StatusCode;
use tokio::net::TcpListener;

use super::harness::*;
use crate::{Attempt, Delivery, WebhookKind};

fn attempts(delivery: &Delivery) -> Vec<(WebhookKind, Option<u16>, Option<u32>)> {
    delivery.attempts.iter().map(|a: &Attempt| (a.kind, a.status, a.error)).collect()
}

fn webhook(harness: &Harness, overrides: &str, fallback: bool) {
    harness.server.configure(|number| {
        number.webhook_url = Some(format!("{}/dispatcher{overrides}", harness.url));
        number.fallback_url = fallback.then(|| format!("{}/fallback", harness.url));
    });
}

/// A port that nobody listens on.
async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}/dispatcher", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_500_is_not_retried_by_default_and_nothing_is_sent() {
    let harness = harness().await;
    harness.backend.answer((StatusCode::INTERNAL_SERVER_ERROR, xml("<Message>lost</Message>")));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, Some(500), Some(11200))]);
    assert_eq!(harness.entries("sms.sent").len(), 0);
    let outcome = harness.entries("webhook.sms")[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(500), Some("11200")));
}

#[tokio::test]
async fn retries_follow_the_overrides_with_one_idempotency_token() {
    let harness = harness().await;
    webhook(&harness, "#rc=2&rp=ct,5xx", false);
    harness.backend.answer(StatusCode::BAD_GATEWAY).answer(StatusCode::INTERNAL_SERVER_ERROR);
    harness.backend.answer(xml("<Message>third</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [
        (WebhookKind::Sms, Some(502), Some(11200)),
        (WebhookKind::Sms, Some(500), Some(11200)),
        (WebhookKind::Sms, Some(200), None),
    ];
    assert_eq!(attempts(&delivery), seen);
    assert_eq!(delivery.replies.len(), 1);
    let got = harness.backend.got();
    let tokens: Vec<_> = got.iter().map(|g| g.header("i-twilio-idempotency-token")).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    harness.backend.answer(StatusCode::NOT_FOUND);
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, Some(404), Some(11200))]);
    assert_ne!(harness.backend.got()[3].header("i-twilio-idempotency-token"), tokens[0]);
}

#[tokio::test]
async fn the_fallback_gets_everything_and_why() {
    let harness = harness().await;
    let url = closed().await;
    harness.server.configure(|number| {
        number.webhook_url = Some(format!("{url}#rc=0"));
        number.fallback_url = Some(format!("{}/fallback", harness.url));
    });
    harness.backend.answer(xml("<Message>Sorry</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [(WebhookKind::Sms, None, Some(11202)), (WebhookKind::Fallback, Some(200), None)];
    assert_eq!(attempts(&delivery), seen);
    let got = &harness.backend.got()[0];
    assert_eq!((got.uri.as_str(), got.param("ErrorUrl")), ("/fallback", Some(url)));
    assert_eq!(got.param("ErrorCode").as_deref(), Some("11202"));
    assert_eq!(harness.names(), ["sms.received", "webhook.sms", "webhook.fallback", "sms.sent"]);
}

#[tokio::test]
async fn the_form_of_a_fallback_is_the_recorded_one() {
    let harness = harness().await;
    webhook(&harness, "", true);
    harness.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    let sid = Some("SM00000000000000000000000000000001".parse().unwrap());
    let text =
        crate::Inbound { from: "+16175551234".into(), sid, ..text("Can I come tomorrow? 😀") };
    harness.server.receive(text).await;
    let own = form_urlencoded::byte_serialize(harness.url.as_bytes()).collect::<String>();
    let body = harness.backend.got()[1].body.replace(&own, "http%3A%2F%2Fshop.test");
    assert_eq!(body, include_str!("../../../../fixtures/twilio/webhooks/fallback.form"));
}

#[tokio::test]
async fn a_refused_connection_is_retried_once_by_default() {
    let harness = harness().await;
    let url = closed().await;
    harness.server.configure(|number| number.webhook_url = Some(url));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, None, Some(11202)); 2]);
    assert_eq!(delivery.errors, [11202, 11202]);
}

#[tokio::test]
async fn a_fallback_that_fails_ends_it() {
    let harness = harness().await;
    webhook(&harness, "", true);
    harness.backend.answer(StatusCode::INTERNAL_SERVER_ERROR).answer(StatusCode::FORBIDDEN);
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [
        (WebhookKind::Sms, Some(500), Some(11200)),
        (WebhookKind::Fallback, Some(403), Some(11200)),
    ];
    assert_eq!(attempts(&delivery), seen);
}

/// A listener that accepts and never answers.
async fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/dispatcher", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn a_slow_answer_is_given_up_and_retried_only_if_asked() {
    let harness = harness().await;
    let (_listener, url) = silent().await;
    for (overrides, codes) in [
        ("#rt=100", vec![11205]),
        ("#rt=100&rc=1&rp=rt", vec![11205, 11205]),
        ("#rt=200&tt=100&rc=5&rp=all", vec![11203]),
    ] {
        harness.server.configure(|number| number.webhook_url = Some(format!("{url}{overrides}")));
        let began = Instant::now();
        let delivery = harness.server.receive(text("hello")).await;
        assert_eq!(delivery.errors, codes, "{overrides}");
        assert!(began.elapsed() < Duration::from_secs(5), "{overrides}");
    }
}

#[tokio::test]
async fn a_bad_retry_policy_is_said_and_the_default_holds() {
    let harness = harness().await;
    webhook(&harness, "#rc=3&rp=sometimes", false);
    harness.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts.len(), delivery.errors), (1, vec![11243, 11200]));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(delivery.errors, [11243]);
    let outcome = harness.entries("webhook.sms")[1].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(200), Some("11243")));
}

#[tokio::test]
async fn a_url_that_is_none_is_11100() {
    let harness = harness().await;
    harness.server.configure(|number| number.webhook_url = Some("shop/dispatcher".into()));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, None, Some(11100))]);
}

#[tokio::test]
async fn https_on_a_plain_port_is_a_tls_failure() {
    let harness = harness().await;
    let url = format!("{}/dispatcher#rc=0", harness.url.replace("http", "https"));
    harness.server.configure(|number| number.webhook_url = Some(url));
    assert_eq!(harness.server.receive(text("hello")).await.errors, [11220]);
}

#[tokio::test]
async fn http_redirects_are_followed_and_signed_for_their_own_url() {
    let harness = harness().await;
    let to =
        |status: StatusCode, url: &str| (status, [("location", url.to_owned())]).into_response();
    harness.backend.answer(to(StatusCode::TEMPORARY_REDIRECT, "/moved?a=1#part"));
    harness.backend.answer(to(StatusCode::FOUND, "found"));
    harness.backend.answer(xml("<Message>there</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts.len(), delivery.replies.len()), (1, 1));
    let got = harness.backend.got();
    let seen: Vec<_> = got.iter().map(|g| (g.method.as_str(), g.uri.as_str())).collect();
    assert_eq!(seen, [("POST", "/dispatcher"), ("POST", "/moved?a=1"), ("GET", "/found")]);
    let params: Vec<(String, String)> =
        form_urlencoded::parse(got[1].body.as_bytes()).into_owned().collect();
    let url = format!("{}/moved?a=1", harness.url);
    let signed = crate::signature::sign(TOKEN, &url, &params);
    assert_eq!(got[1].header("x-twilio-signature"), signed);
    for _ in 0..20 {
        harness.backend.answer(to(StatusCode::FOUND, "/again"));
    }
    assert_eq!(harness.server.receive(text("hello")).await.errors, [11215]);
    assert_eq!(harness.backend.got().len(), 3 + 11);
}
