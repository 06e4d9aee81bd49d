//! Webhooks that fail: retries, timeouts, redirects and the fallback.

use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use http::StatusCode;

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

#[tokio::test]
async fn a_500_is_not_retried_by_default_and_nothing_is_sent() {
    let harness = Harness::start().await;
    harness.backend.respond((StatusCode::INTERNAL_SERVER_ERROR, xml("<Message>lost</Message>")));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, Some(500), Some(11200))]);
    assert_eq!(harness.exchanges("sms.sent").len(), 0);
    let outcome = harness.exchanges("webhook.sms")[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(500), Some("11200")));
}

#[tokio::test]
async fn retries_follow_the_overrides_with_one_idempotency_token() {
    let harness = Harness::start().await;
    webhook(&harness, "#rc=2&rp=ct,5xx", false);
    harness.backend.respond(StatusCode::BAD_GATEWAY).respond(StatusCode::INTERNAL_SERVER_ERROR);
    harness.backend.respond(xml("<Message>third</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [
        (WebhookKind::Sms, Some(502), Some(11200)),
        (WebhookKind::Sms, Some(500), Some(11200)),
        (WebhookKind::Sms, Some(200), None),
    ];
    assert_eq!(attempts(&delivery), seen);
    assert_eq!(delivery.replies.len(), 1);
    let got = harness.backend.requests();
    let tokens: Vec<_> = got.iter().map(|g| g.header("i-twilio-idempotency-token")).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    harness.backend.respond(StatusCode::NOT_FOUND);
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, Some(404), Some(11200))]);
    assert_ne!(harness.backend.requests()[3].header("i-twilio-idempotency-token"), tokens[0]);
}

#[tokio::test]
async fn the_fallback_gets_the_code_and_the_url_that_failed() {
    let harness = Harness::start().await;
    let (_socket, url) = refusing_url();
    harness.server.configure(|number| {
        number.webhook_url = Some(format!("{url}#rc=0"));
        number.fallback_url = Some(format!("{}/fallback", harness.url));
    });
    harness.backend.respond(xml("<Message>Sorry</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [(WebhookKind::Sms, None, Some(11202)), (WebhookKind::Fallback, Some(200), None)];
    assert_eq!(attempts(&delivery), seen);
    let got = &harness.backend.requests()[0];
    assert_eq!((got.uri.as_str(), got.param("ErrorUrl")), ("/fallback", Some(url)));
    assert_eq!(got.param("ErrorCode").as_deref(), Some("11202"));
    assert_eq!(
        harness.exchange_names(),
        ["sms.received", "webhook.sms", "webhook.fallback", "sms.sent"]
    );
}

#[tokio::test]
async fn the_form_of_a_fallback_equals_the_recorded_one() {
    let harness = Harness::start().await;
    webhook(&harness, "", true);
    harness.backend.respond(StatusCode::INTERNAL_SERVER_ERROR);
    let sid = harness.server.receive(text_from_boston()).await.sid.to_string();
    let own = form_urlencoded::byte_serialize(harness.url.as_bytes()).collect::<String>();
    let body = harness.backend.requests()[1].body.replace(&own, "http%3A%2F%2Fshop.test");
    let body = body.replace(&sid, "SM00000000000000000000000000000001");
    assert_eq!(body, include_str!("../../../../fixtures/twilio/webhooks/fallback.form"));
}

#[tokio::test]
async fn a_refused_connection_is_retried_once_by_default() {
    let harness = Harness::start().await;
    let (_socket, url) = refusing_url();
    harness.server.configure(|number| number.webhook_url = Some(url));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, None, Some(11202)); 2]);
    assert_eq!(delivery.errors, [11202, 11202]);
}

#[tokio::test]
async fn a_failing_fallback_ends_the_delivery() {
    let harness = Harness::start().await;
    webhook(&harness, "", true);
    harness.backend.respond(StatusCode::INTERNAL_SERVER_ERROR).respond(StatusCode::FORBIDDEN);
    let delivery = harness.server.receive(text("hello")).await;
    let seen = [
        (WebhookKind::Sms, Some(500), Some(11200)),
        (WebhookKind::Fallback, Some(403), Some(11200)),
    ];
    assert_eq!(attempts(&delivery), seen);
}

#[tokio::test]
async fn a_webhook_times_out_and_is_retried_only_if_its_url_says_so() {
    let harness = Harness::start().await;
    let (_listener, url) = silent_url().await;
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
async fn no_webhook_times_out_while_time_stands_still() {
    let harness = Harness::start().await;
    let (_listener, url) = silent_url().await;
    harness.server.configure(|number| number.webhook_url = Some(format!("{url}#rt=100")));
    let still = harness.clock.elapsed().stand_still();
    let delivery = harness.server.receive(text("hello"));
    let mut delivery = std::pin::pin!(delivery);
    let early = tokio::time::timeout(Duration::from_millis(400), &mut delivery).await;
    assert!(early.is_err(), "{early:?}");
    drop(still);
    assert_eq!(delivery.await.errors, [11205]);
}

#[tokio::test]
async fn an_invalid_retry_policy_is_a_warning_and_the_default_applies() {
    let harness = Harness::start().await;
    webhook(&harness, "#rc=3&rp=sometimes", false);
    harness.backend.respond(StatusCode::INTERNAL_SERVER_ERROR);
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts.len(), delivery.errors), (1, vec![11243, 11200]));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(delivery.errors, [11243]);
    let outcome = harness.exchanges("webhook.sms")[1].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(200), Some("11243")));
}

#[tokio::test]
async fn a_url_that_is_none_is_11100() {
    let harness = Harness::start().await;
    harness.server.configure(|number| number.webhook_url = Some("shop/dispatcher".into()));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!(attempts(&delivery), [(WebhookKind::Sms, None, Some(11100))]);
}

#[tokio::test]
async fn https_on_a_plain_port_is_a_tls_failure() {
    let harness = Harness::start().await;
    let url = format!("{}/dispatcher#rc=0", harness.url.replace("http", "https"));
    harness.server.configure(|number| number.webhook_url = Some(url));
    assert_eq!(harness.server.receive(text("hello")).await.errors, [11220]);
}

#[tokio::test]
async fn http_redirects_are_followed_and_signed_for_their_own_url() {
    let harness = Harness::start().await;
    let to =
        |status: StatusCode, url: &str| (status, [("location", url.to_owned())]).into_response();
    harness.backend.respond(to(StatusCode::TEMPORARY_REDIRECT, "/moved?a=1#part"));
    harness.backend.respond(to(StatusCode::FOUND, "found"));
    harness.backend.respond(xml("<Message>there</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts.len(), delivery.replies.len()), (1, 1));
    let got = harness.backend.requests();
    let seen: Vec<_> = got.iter().map(|g| (g.method.as_str(), g.uri.as_str())).collect();
    assert_eq!(seen, [("POST", "/dispatcher"), ("POST", "/moved?a=1"), ("GET", "/found")]);
    let url = format!("{}/moved?a=1", harness.url);
    let signed = crate::signature::sign(TOKEN, &url, &got[1].params());
    assert_eq!(got[1].header("x-twilio-signature"), signed);
}

/// Source: the dictionary's page of 11216. 308 is none of those that Twilio follows.
#[tokio::test]
async fn other_3xx_statuses_and_redirects_that_lead_nowhere_are_11216() {
    let harness = Harness::start().await;
    webhook(&harness, "#rc=2&rp=all", true);
    let there = Some("/there");
    for (status, location, followed) in [
        (301, there, true),
        (302, there, true),
        (303, there, true),
        (307, there, true),
        (300, there, false),
        (304, None, false),
        (305, there, false),
        (308, there, false),
        (301, None, false),
        (302, Some(""), false),
        (303, Some("ftp://shop.test/there"), false),
        (307, Some("http://"), false),
    ] {
        let before = harness.backend.requests().len();
        let mut response = StatusCode::from_u16(status).unwrap().into_response();
        if let Some(location) = location {
            response.headers_mut().insert("location", location.parse().unwrap());
        }
        harness.backend.respond(response);
        let delivery = harness.server.receive(text("hello")).await;
        let got: Vec<String> =
            harness.backend.requests()[before..].iter().map(|got| got.uri.clone()).collect();
        let (error, second) = if followed { (None, "/there") } else { (Some(11216), "/fallback") };
        assert_eq!(delivery.attempts[0].error, error, "{status} {location:?}");
        assert_eq!(got, ["/dispatcher", second], "{status} {location:?}");
    }
}

#[tokio::test]
async fn a_status_callback_that_redirects_elsewhere_is_11216() {
    let harness = Harness::start().await;
    harness.backend.respond((StatusCode::PERMANENT_REDIRECT, [("location", "/there")]));
    let url = format!("{}/status", harness.url);
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    harness.settled().await;
    let outcome = harness.exchanges("webhook.status")[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(308), Some("11216")));
}

#[tokio::test]
async fn the_eleventh_http_redirect_is_an_error() {
    let harness = Harness::start().await;
    for _ in 0..20 {
        harness.backend.respond((StatusCode::FOUND, [("location", "/again")]));
    }
    assert_eq!(harness.server.receive(text("hello")).await.errors, [11215]);
    assert_eq!(harness.backend.requests().len(), 11);
}
