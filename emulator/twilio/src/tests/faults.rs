//! Scripted failures, of the API and of the webhooks.

use http::StatusCode;

use super::harness::*;
use rehearse_core::faults::{Cut, Failure};

const CREATE: &str = "twilio.messages.create";

fn request(harness: &Harness) -> reqwest::RequestBuilder {
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a")];
    harness.web.post(harness.messages_url()).basic_auth(ACCOUNT, Some(TOKEN)).form(&params)
}

#[tokio::test]
async fn a_status_is_played_in_twilios_words_and_has_no_effect() {
    let harness = harness().await;
    for (status, code, expected) in [
        (Some(429), None, (429, 20429)),
        (Some(503), None, (503, 20503)),
        (Some(500), None, (500, 20500)),
        (None, Some("21610"), (400, 21610)),
        (Some(400), Some("30001"), (400, 30001)),
    ] {
        let code = code.map(str::to_owned);
        harness.fail(CREATE, Failure { status, code, retry_after: Some(7), ..Failure::default() });
        let response = request(&harness).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "7");
        let (status, json) = answer(response).await;
        assert_eq!((status.as_u16(), json["code"].as_u64().unwrap()), expected);
        assert_eq!(json["more_info"], format!("https://www.twilio.com/docs/errors/{}", expected.1));
    }
    assert_eq!(harness.server.messages().len(), 0);
    let entries = harness.entries(CREATE);
    assert_eq!(entries[0].outcome.as_ref().unwrap().error.as_deref(), Some("20429"));
}

#[tokio::test]
async fn a_cut_connection_has_no_answer_and_the_effect_that_it_says() {
    let harness = harness().await;
    for (cut, messages) in [(Cut::Before, 0), (Cut::After, 1)] {
        harness.fail(CREATE, Failure { cut: Some(cut), ..Failure::default() });
        let error = request(&harness).send().await.unwrap_err();
        assert!(!error.is_status() && !error.is_timeout(), "{error:?}");
        assert_eq!(harness.server.messages().len(), messages);
    }
    let errors: Vec<_> =
        harness.entries(CREATE).into_iter().map(|e| e.outcome.unwrap().error.unwrap()).collect();
    assert_eq!(errors, ["cut", "cut"]);
    harness.send("fine again").await;
}

#[tokio::test]
async fn a_delay_only_delays() {
    let harness = harness().await;
    harness.fail(CREATE, Failure { delay_ms: Some(30), ..Failure::default() });
    let began = std::time::Instant::now();
    assert_eq!(request(&harness).send().await.unwrap().status(), StatusCode::CREATED);
    assert!(began.elapsed().as_millis() >= 30);
}

#[tokio::test]
async fn a_webhook_cut_before_never_arrives_and_one_cut_after_does() {
    let harness = harness().await;
    harness.fail("webhook.sms", Failure { cut: Some(Cut::Before), ..Failure::default() });
    harness.backend.answer(xml("<Message>a</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let errors: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.error).collect();
    assert_eq!(errors, [Some(11205), None]);
    assert_eq!((harness.backend.got().len(), delivery.replies.len()), (1, 1));
    harness.fail("webhook.sms", Failure { cut: Some(Cut::After), ..Failure::default() });
    for _ in 0..2 {
        harness.backend.answer(xml("<Message>a</Message>"));
    }
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((harness.backend.got().len(), delivery.replies.len()), (3, 1));
}

#[tokio::test]
async fn a_webhook_can_be_answered_by_a_fault() {
    let harness = harness().await;
    harness.fail("webhook.sms", Failure { status: Some(502), ..Failure::default() });
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts[0].status, delivery.errors), (Some(502), vec![11200]));
    assert_eq!(harness.backend.got().len(), 0);
}

#[tokio::test]
async fn a_dropped_server_is_gone_and_its_callbacks_end() {
    let harness = harness().await;
    let (_listener, url) = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/never", listener.local_addr().unwrap());
        (listener, url)
    };
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    let (handle, url) = (harness.server.handle(), harness.messages_url());
    drop(harness.server);
    handle.settled().await;
    // Accepting ends when the serving task next runs.
    while harness.web.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
