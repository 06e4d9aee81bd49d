//! Scripted failures, of the API and of the webhooks.

use http::StatusCode;

use super::support::*;
use rehearse_core::faults::{Cut, Failure};

const CREATE: &str = "twilio.messages.create";

fn request(world: &World) -> reqwest::RequestBuilder {
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a")];
    world.web.post(world.messages_url()).basic_auth(ACCOUNT, Some(TOKEN)).form(&params)
}

#[tokio::test]
async fn a_status_is_played_in_twilios_words_and_has_no_effect() {
    let world = world().await;
    for (status, code, expected) in [
        (Some(429), None, (429, 20429)),
        (Some(503), None, (503, 20503)),
        (Some(500), None, (500, 20500)),
        (None, Some("21610"), (400, 21610)),
        (Some(400), Some("30001"), (400, 30001)),
    ] {
        let code = code.map(str::to_owned);
        world.fail(CREATE, Failure { status, code, retry_after: Some(7), ..Failure::default() });
        let response = request(&world).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "7");
        let (status, json) = answer(response).await;
        assert_eq!((status.as_u16(), json["code"].as_u64().unwrap()), expected);
        assert_eq!(json["more_info"], format!("https://www.twilio.com/docs/errors/{}", expected.1));
    }
    assert_eq!(world.server.messages().len(), 0);
    let entries = world.entries(CREATE);
    assert_eq!(entries[0].outcome.as_ref().unwrap().error.as_deref(), Some("20429"));
}

#[tokio::test]
async fn a_cut_connection_has_no_answer_and_the_effect_that_it_says() {
    let world = world().await;
    for (cut, messages) in [(Cut::Before, 0), (Cut::After, 1)] {
        world.fail(CREATE, Failure { cut: Some(cut), ..Failure::default() });
        let error = request(&world).send().await.unwrap_err();
        assert!(!error.is_status() && !error.is_timeout(), "{error:?}");
        assert_eq!(world.server.messages().len(), messages);
    }
    let errors: Vec<_> =
        world.entries(CREATE).into_iter().map(|e| e.outcome.unwrap().error.unwrap()).collect();
    assert_eq!(errors, ["cut", "cut"]);
    world.send("fine again").await;
}

#[tokio::test]
async fn a_delay_only_delays() {
    let world = world().await;
    world.fail(CREATE, Failure { delay_ms: Some(30), ..Failure::default() });
    let began = std::time::Instant::now();
    assert_eq!(request(&world).send().await.unwrap().status(), StatusCode::CREATED);
    assert!(began.elapsed().as_millis() >= 30);
}

#[tokio::test]
async fn a_webhook_cut_before_never_arrives_and_one_cut_after_does() {
    let world = world().await;
    world.fail("webhook.sms", Failure { cut: Some(Cut::Before), ..Failure::default() });
    world.backend.answer(xml("<Message>a</Message>"));
    let delivery = world.server.receive(text("hello")).await;
    let errors: Vec<_> = delivery.attempts.iter().map(|attempt| attempt.error).collect();
    assert_eq!(errors, [Some(11205), None]);
    assert_eq!((world.backend.got().len(), delivery.replies.len()), (1, 1));
    world.fail("webhook.sms", Failure { cut: Some(Cut::After), ..Failure::default() });
    for _ in 0..2 {
        world.backend.answer(xml("<Message>a</Message>"));
    }
    let delivery = world.server.receive(text("hello")).await;
    assert_eq!((world.backend.got().len(), delivery.replies.len()), (3, 1));
}

#[tokio::test]
async fn a_webhook_can_be_answered_by_a_fault() {
    let world = world().await;
    world.fail("webhook.sms", Failure { status: Some(502), ..Failure::default() });
    let delivery = world.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts[0].status, delivery.errors), (Some(502), vec![11200]));
    assert_eq!(world.backend.got().len(), 0);
}

#[tokio::test]
async fn a_dropped_server_is_gone_and_its_callbacks_end() {
    let world = world().await;
    let (_listener, url) = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/never", listener.local_addr().unwrap());
        (listener, url)
    };
    world
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    let (handle, url) = (world.server.handle(), world.messages_url());
    drop(world.server);
    handle.settled().await;
    // Accepting ends when the serving task next runs.
    while world.web.get(&url).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
