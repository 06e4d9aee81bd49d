//! Injected failures of the API and of the webhooks.

use std::time::{Duration, Instant};

use http::StatusCode;

use rehearse_testutils::{until, within};

use super::harness::*;
use rehearse_core::faults::{Cut, Failure};

const CREATE: &str = "twilio.messages.create";

fn request(harness: &Harness) -> reqwest::RequestBuilder {
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a")];
    harness.web.post(harness.messages_url()).basic_auth(ACCOUNT, Some(TOKEN)).form(&params)
}

#[tokio::test]
async fn an_injected_status_has_twilios_error_body_and_no_effect() {
    let harness = Harness::start().await;
    for (status, code, expected) in [
        (Some(429), None, (429, 20429)),
        (Some(503), None, (503, 20503)),
        (Some(500), None, (500, 20500)),
        (None, Some("21610"), (400, 21610)),
        (Some(400), Some("30001"), (400, 30001)),
    ] {
        let code = code.map(str::to_owned);
        harness
            .inject(CREATE, Failure { status, code, retry_after: Some(7), ..Failure::default() });
        let response = request(&harness).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "7");
        let (status, json) = status_and_json(response).await;
        assert_eq!((status.as_u16(), json["code"].as_u64().unwrap()), expected);
        assert_eq!(json["more_info"], format!("https://www.twilio.com/docs/errors/{}", expected.1));
    }
    assert_eq!(harness.server.messages().len(), 0);
    let entries = harness.exchanges(CREATE);
    assert_eq!(entries[0].outcome.as_ref().unwrap().error.as_deref(), Some("20429"));
}

#[tokio::test]
async fn a_connection_cut_before_has_no_effect_and_one_cut_after_has() {
    let harness = Harness::start().await;
    for (cut, messages) in [(Cut::Before, 0), (Cut::After, 1)] {
        harness.inject(CREATE, Failure { cut: Some(cut), ..Failure::default() });
        let error = request(&harness).send().await.unwrap_err();
        assert!(!error.is_status() && !error.is_timeout(), "{error:?}");
        assert_eq!(harness.server.messages().len(), messages);
    }
    let errors: Vec<_> =
        harness.exchanges(CREATE).into_iter().map(|e| e.outcome.unwrap().error.unwrap()).collect();
    assert_eq!(errors, ["cut", "cut"]);
    harness.send("fine again").await;
}

#[tokio::test]
async fn a_delayed_call_succeeds_after_the_delay() {
    let harness = Harness::start().await;
    harness.inject(CREATE, Failure { delay_ms: Some(30), ..Failure::default() });
    let began = Instant::now();
    assert_eq!(request(&harness).send().await.unwrap().status(), StatusCode::CREATED);
    assert!(began.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn a_webhook_cut_before_does_not_arrive_and_one_cut_after_does() {
    let harness = Harness::start().await;
    harness.inject("webhook.sms", Failure { cut: Some(Cut::Before), ..Failure::default() });
    harness.backend.respond(xml("<Message>a</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let errors: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.error).collect();
    assert_eq!(errors, [Some(11205), None]);
    assert_eq!((harness.backend.requests().len(), delivery.replies.len()), (1, 1));
    harness.inject("webhook.sms", Failure { cut: Some(Cut::After), ..Failure::default() });
    for _ in 0..2 {
        harness.backend.respond(xml("<Message>a</Message>"));
    }
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((harness.backend.requests().len(), delivery.replies.len()), (3, 1));
}

#[tokio::test]
async fn an_injected_status_replaces_the_call_of_a_webhook() {
    let harness = Harness::start().await;
    harness.inject("webhook.sms", Failure { status: Some(502), ..Failure::default() });
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts[0].status, delivery.errors), (Some(502), vec![11200]));
    assert_eq!(harness.backend.requests().len(), 0);
}

#[tokio::test]
async fn a_dropped_server_stops_callbacks_and_refuses_connections() {
    let harness = Harness::start().await;
    let (_listener, silent) = silent_url().await;
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &silent)])
        .await;
    let (twilio, url) = (harness.server.handle(), harness.messages_url());
    drop(harness.server);
    // Shorter than the 15 seconds after which the callback would end by itself.
    let limit = Duration::from_secs(10);
    within(limit, "the status callback to be stopped", twilio.settled()).await;
    // The listener is closed when the runtime next runs the task that owned it.
    let refused = async {
        while harness.web.get(&url).send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    until("the server to refuse connections", refused).await;
}
