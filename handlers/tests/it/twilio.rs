//! Sending through Twilio's REST API.

use std::{sync::Arc, time::Duration};

use handlers::{
    adapters::{
        secrets::StaticCredential,
        twilio::{Settings, Twilio},
    },
    domain::phone::Phone,
    ports::{Sms, SmsError},
};
use jiff::Timestamp;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, body_string, header, method, path},
};

use crate::support::{recorded, web};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn client(server: &MockServer, timeout: Duration) -> Twilio {
    let settings = Settings {
        account_sid: ACCOUNT.into(),
        auth_token: Arc::new(StaticCredential::new("12345")),
        from: Phone::parse("+19045550100").unwrap(),
        base_url: server.uri(),
        timeout,
        status_callback: Some("https://shop.example/message-status".into()),
    };
    Twilio::new(web(), settings)
}

fn customer() -> Phone {
    Phone::parse("+19042520927").unwrap()
}

async fn send(server: &MockServer, timeout: Duration) -> Result<(), SmsError> {
    client(server, timeout).send(&customer(), "A customer & more", false).await
}

/// The result against a server that always answers the same, and the number of requests to it.
async fn always(answer: ResponseTemplate) -> (Result<(), SmsError>, usize) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let outcome = send(&server, Duration::from_secs(5)).await;
    (outcome, server.received_requests().await.unwrap().len())
}

#[tokio::test]
async fn a_text_is_created_as_twilio_documents_it() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")))
        // base64 of the account and the token
        .and(header(
            "authorization",
            "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMToxMjM0NQ==",
        ))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string("To=%2B19042520927&From=%2B19045550100&Body=A+customer+%26+more"))
        .respond_with(recorded(201, "twilio/bodies/message_201.json"))
        .expect(1)
        .mount(&server)
        .await;
    send(&server, Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_report_is_asked_for_where_delivery_matters() {
    let server = MockServer::start().await;
    let created = recorded(201, "twilio/bodies/message_201.json");
    Mock::given(any()).respond_with(created).mount(&server).await;
    let twilio = client(&server, Duration::from_secs(5));
    for wants_report in [false, true] {
        twilio.send(&customer(), "Confirmed", wants_report).await.unwrap();
    }
    let callback = "&StatusCallback=https%3A%2F%2Fshop.example%2Fmessage-status";
    let asks: Vec<bool> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| String::from_utf8_lossy(&request.body).ends_with(callback))
        .collect();
    assert_eq!(asks, [false, true]);
}

#[tokio::test]
async fn a_recipient_who_opted_out_has_an_error_of_its_own() {
    let (outcome, asked) = always(recorded(400, "twilio/bodies/error_400_21610.json")).await;
    assert!(matches!(outcome, Err(SmsError::OptedOut)), "{outcome:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_refusal_has_twilios_code_and_is_not_repeated() {
    for (status, refused) in [
        (400, 21211),
        (400, 21408),
        (400, 21602),
        (400, 21608),
        (400, 21612),
        (400, 21614),
        (400, 21617),
    ] {
        let body = format!("twilio/bodies/error_{status}_{refused}.json");
        let (outcome, asked) = always(recorded(status, &body)).await;
        let Err(SmsError::Refused { code }) = outcome else { panic!("{refused}: {outcome:?}") };
        assert_eq!((code, asked), (Some(refused), 1));
    }
    let (outcome, _) = always(ResponseTemplate::new(400).set_body_string("<html>")).await;
    assert!(matches!(outcome, Err(SmsError::Refused { code: None })), "{outcome:?}");
}

/// A token that is being rotated or a wrong number loses no text.
#[tokio::test]
async fn what_is_wrong_on_our_side_refuses_no_text() {
    for (status, code) in [(400, 21606), (400, 21660), (401, 20003), (404, 20404)] {
        let body = format!("twilio/bodies/error_{status}_{code}.json");
        let (outcome, asked) = always(recorded(status, &body)).await;
        assert!(matches!(outcome, Err(SmsError::Unavailable(_))), "{code}: {outcome:?}");
        assert_eq!(asked, 1);
    }
    let (outcome, _) = always(ResponseTemplate::new(403)).await;
    assert!(matches!(outcome, Err(SmsError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn too_many_requests_are_tried_again_once() {
    let busy =
        || recorded(429, "twilio/bodies/error_429_20429.json").insert_header("retry-after", "0");
    let (outcome, asked) = always(busy()).await;
    assert!(matches!(outcome, Err(SmsError::Unavailable(_))), "{outcome:?}");
    assert_eq!(asked, 2);

    let server = MockServer::start().await;
    Mock::given(any()).respond_with(busy()).up_to_n_times(1).mount(&server).await;
    let created = recorded(201, "twilio/bodies/message_201.json");
    Mock::given(any()).respond_with(created).mount(&server).await;
    send(&server, Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_request_that_may_have_been_carried_out_is_not_repeated() {
    for (status, code) in [(500, 20500), (503, 20503)] {
        let body = format!("twilio/bodies/error_{status}_{code}.json");
        let (outcome, asked) = always(recorded(status, &body)).await;
        assert!(matches!(outcome, Err(SmsError::Unknown(_))), "{outcome:?}");
        assert_eq!(asked, 1, "{status}");
    }

    let server = MockServer::start().await;
    let slow = recorded(201, "twilio/bodies/message_201.json").set_delay(Duration::from_secs(30));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let outcome = send(&server, Duration::from_millis(50)).await;
    assert!(matches!(outcome, Err(SmsError::Unknown(_))), "{outcome:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_log_of_a_failure_has_no_phone_number() {
    let (outcome, _) = always(recorded(500, "twilio/bodies/error_500_20500.json")).await;
    let Err(SmsError::Unknown(source)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(source.to_string(), "answered 500 Internal Server Error, code Some(20500)");
}

#[tokio::test]
async fn the_log_of_a_lookup_that_fails_has_no_phone_number() {
    let server = MockServer::start().await;
    let slow = recorded(200, "twilio/bodies/message_201.json").set_delay(Duration::from_secs(30));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let twilio = client(&server, Duration::from_millis(50));
    let error = twilio.was_sent(&customer(), "Hello", Timestamp::UNIX_EPOCH).await.unwrap_err();
    let SmsError::Unknown(source) = error else { panic!("{error:?}") };
    let mut causes = vec![source.to_string()];
    let mut cause = source.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    assert!(!causes.join(": ").contains("904252"), "{causes:?}");
}
