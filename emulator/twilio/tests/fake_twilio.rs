//! A fake Twilio in front of a small backend that checks signatures, as a project would test its own.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode, header};
use rehearse_core::{
    faults::{Failure, Fault},
    serve::Serving,
};
use rehearse_testutils::until;
use rehearse_twilio::{FakeTwilio, Inbound, Signing, TextError};
use sha1::Sha1;
use tokio::net::TcpListener;

const ANN: &str = "+15550123456";

/// A backend that replies to a text with its words, one message each. It replies to `later` with the
/// REST API, and it fails on `fail`.
struct Backend {
    /// The URL that Twilio signs.
    webhook: String,
    twilio_url: String,
    account_sid: String,
    auth_token: String,
    number: String,
    web: reqwest::Client,
}

impl Backend {
    /// Starts it and makes it the webhook of the fake's number.
    async fn start(twilio: &FakeTwilio) -> Serving {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = format!("http://{}/sms", listener.local_addr().unwrap());
        twilio.set_webhook(&webhook);
        // It fails when another test has installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let backend = Self {
            webhook,
            twilio_url: twilio.url().to_owned(),
            account_sid: twilio.account_sid().to_owned(),
            auth_token: twilio.auth_token(),
            number: twilio.number().to_owned(),
            web: reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap(),
        };
        let router = Router::new().route("/sms", post(sms)).with_state(Arc::new(backend));
        Serving::router(listener, router).unwrap()
    }

    fn is_signed(&self, headers: &HeaderMap, params: &[(String, String)]) -> bool {
        let mut sorted = params.to_vec();
        sorted.sort();
        let mut mac = Hmac::<Sha1>::new_from_slice(self.auth_token.as_bytes()).unwrap();
        mac.update(self.webhook.as_bytes());
        for (key, value) in sorted {
            mac.update(key.as_bytes());
            mac.update(value.as_bytes());
        }
        let expected = STANDARD.encode(mac.finalize().into_bytes());
        headers.get("x-twilio-signature").is_some_and(|given| *given == expected)
    }

    async fn send(&self, to: &str, body: &str) {
        let path = format!("/2010-04-01/Accounts/{}/Messages.json", self.account_sid);
        let response = self
            .web
            .post(format!("{}{path}", self.twilio_url))
            .basic_auth(&self.account_sid, Some(&self.auth_token))
            .form(&[("To", to), ("From", &self.number), ("Body", body)])
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
    }
}

async fn sms(State(backend): State<Arc<Backend>>, headers: HeaderMap, form: String) -> Response {
    let params: Vec<(String, String)> =
        form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    if !backend.is_signed(&headers, &params) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let param = |key: &str| params.iter().find(|(name, _)| name == key).unwrap().1.as_str();
    let replies = match param("Body") {
        "fail" => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "later" => {
            backend.send(param("From"), "by REST").await;
            String::new()
        }
        words => words.split(' ').map(|word| format!("<Message>{word}</Message>")).collect(),
    };
    let twiml = format!("<Response>{replies}</Response>");
    ([(header::CONTENT_TYPE, "text/xml")], twiml).into_response()
}

async fn replies(twilio: &FakeTwilio, body: &str) -> Result<Vec<String>, TextError> {
    until("the replies to a text", twilio.text(ANN, body)).await
}

#[tokio::test]
async fn a_text_returns_its_replies_in_order_on_a_current_thread_runtime() {
    let twilio = FakeTwilio::builder().number("+12125550100").start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    assert_eq!(replies(&twilio, "one two").await.unwrap(), ["one", "two"]);
    assert_eq!(twilio.journal().exchanges().named("webhook.sms").count(), 1);
    assert!(twilio.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_returns_its_replies_in_order_on_a_multi_thread_runtime() {
    let twilio = FakeTwilio::builder().auth_token("another-token").start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    assert_eq!(replies(&twilio, "one two").await.unwrap(), ["one", "two"]);
}

#[tokio::test]
async fn a_reply_by_rest_is_returned_and_among_the_sent_messages() {
    let twilio = FakeTwilio::start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    assert_eq!(replies(&twilio, "later").await.unwrap(), ["by REST"]);
    let sent = twilio.sent();
    assert_eq!((sent.len(), sent[0].to.as_str(), sent[0].body.as_str()), (1, ANN, "by REST"));
}

#[tokio::test]
async fn after_stop_only_twilios_notice_is_returned() {
    let twilio = FakeTwilio::start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    let notice = replies(&twilio, "STOP").await.unwrap();
    assert_eq!(notice.len(), 1);
    assert!(notice[0].starts_with("You have successfully been unsubscribed."), "{notice:?}");
    assert_eq!(replies(&twilio, "hello").await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_forged_webhook_is_refused_by_the_backend() {
    let twilio = FakeTwilio::start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    for signing in [Signing::Missing, Signing::Wrong, Signing::OtherBody] {
        let text = Inbound { from: ANN.into(), body: "one".into(), signing, ..Inbound::default() };
        let delivery = until("the delivery", twilio.twilio().receive(text)).await;
        assert_eq!(delivery.attempts[0].status, Some(403), "{signing:?}");
    }
}

#[tokio::test]
async fn a_text_without_a_usable_response_is_an_error() {
    let twilio = FakeTwilio::start().await.unwrap();
    assert_eq!(replies(&twilio, "one").await, Err(TextError::NoWebhook));
    let _backend = Backend::start(&twilio).await;
    let error = replies(&twilio, "fail").await.unwrap_err();
    assert!(
        error.to_string().ends_with("/sms gave no usable response: status 500, Twilio error 11200"),
        "{error}"
    );
    assert_eq!(twilio.text("5550123456", "one").await, Err(TextError::InvalidSender));
}

#[tokio::test]
async fn an_injected_fault_fails_one_webhook() {
    let twilio = FakeTwilio::start().await.unwrap();
    let _backend = Backend::start(&twilio).await;
    let failure = Failure { status: Some(503), ..Failure::default() };
    let on = "webhook.sms".to_owned();
    twilio.faults().arm(Fault { on, failure, times: Some(1), ..Fault::default() });
    let Err(TextError::WebhookFailed { status, code, .. }) = replies(&twilio, "one").await else {
        panic!("the webhook fails");
    };
    assert_eq!((status, code), (Some(503), 11200));
    assert_eq!(replies(&twilio, "one").await.unwrap(), ["one"]);
}

#[tokio::test]
async fn a_number_that_is_not_e164_is_refused() {
    let error = FakeTwilio::builder().number("5550100").start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
