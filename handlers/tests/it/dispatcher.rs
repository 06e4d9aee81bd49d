//! `/dispatcher` as Twilio uses it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use handlers::{
    adapters::{
        secrets::StaticCredential,
        system::{RandomIdGenerator, SystemTimer},
    },
    app::outbox::OutboxService,
    app::reply::{ReplyPorts, ReplyService, ReplySettings, SEND_TIMEOUT},
    domain::{calendar::Calendar, pace::TurnLimits, phone::Phone, turn::ConversationItem},
    http::{self, WebhookAuthentication},
    ports::{Model, ModelError, ModelRequest},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::events::{TestRequest, TestResponse, request};
use memory_ports::{FakeSms, FakeStore};

pub const TOKEN: &str = "12345";
const OWN_URL: &str = "https://shop.example/dispatcher";
/// In Twilio's order of fields.
const TEXT: &str = "ToCountry=US&To=%2B19045550100&NumMedia=0&Body=Hi+%26+bye&MessageSid=SM00000000000000000000000000000001&AccountSid=AC1&From=%2B19042520927";

/// A model that always answers the same, and records what it received.
#[derive(Default)]
pub struct FixedAnswerModel {
    answer: &'static str,
    received: Mutex<Vec<String>>,
}

#[async_trait]
impl Model for FixedAnswerModel {
    async fn respond(
        &self,
        request: ModelRequest<'_>,
    ) -> Result<Vec<ConversationItem>, ModelError> {
        let received = request.input.iter().filter_map(|item| match item {
            ConversationItem::User(text) => Some(text.clone()),
            _ => None,
        });
        self.received.lock().unwrap().extend(received);
        Ok(vec![ConversationItem::Assistant(self.answer.to_owned())])
    }
}

pub fn shop(
    answer: &'static str,
    public_urls: &[&str],
) -> (Router, Arc<FixedAnswerModel>, Arc<FakeStore>) {
    let (router, model, store, _) = build_shop(answer, public_urls, None);
    (router, model, store)
}

fn shop_with_owner() -> (Router, Arc<FakeSms>) {
    let owner = Phone::parse("+19045550199").unwrap();
    let (router, _, _, sms) = build_shop("Hello", &[], Some(owner));
    (router, sms)
}

/// The function that works outside of requests.
pub fn late_reply() -> (Router, Arc<FakeStore>) {
    let Services { reply, outbox, store, .. } = services("Hello", None);
    (http::background(reply, outbox), store)
}

fn build_shop(
    answer: &'static str,
    public_urls: &[&str],
    owner_phone: Option<Phone>,
) -> (Router, Arc<FixedAnswerModel>, Arc<FakeStore>, Arc<FakeSms>) {
    let Services { reply, model, store, sms, .. } = services(answer, owner_phone);
    let public_urls = public_urls.iter().map(|url| (*url).to_owned()).collect();
    let authentication = WebhookAuthentication {
        auth_token: Arc::new(StaticCredential::new(TOKEN)),
        public_urls,
        account_sid: "AC1".to_owned(),
        number: Phone::parse("+19045550100").unwrap(),
    };
    (http::dispatcher(reply, authentication), model, store, sms)
}

/// What answers texts, on ports in memory.
struct Services {
    reply: ReplyService,
    outbox: OutboxService,
    model: Arc<FixedAnswerModel>,
    store: Arc<FakeStore>,
    sms: Arc<FakeSms>,
}

fn services(answer: &'static str, owner_phone: Option<Phone>) -> Services {
    let model = Arc::new(FixedAnswerModel { answer, ..FixedAnswerModel::default() });
    let store = Arc::new(FakeStore::default());
    let sms = Arc::new(FakeSms::default());
    let outbox = OutboxService::new(
        store.clone(),
        sms.clone(),
        Arc::new(RandomIdGenerator),
        Arc::new(SystemTimer),
        owner_phone.clone(),
        Calendar::new("America/New_York").unwrap(),
    );
    let ports = ReplyPorts {
        model: model.clone(),
        store: store.clone(),
        sms: sms.clone(),
        background: Arc::new(outbox.clone()),
        ids: Arc::new(RandomIdGenerator),
        timer: Arc::new(SystemTimer),
        safety_key: Arc::new(StaticCredential::new("key")),
    };
    let settings = ReplySettings {
        deadline: Duration::from_secs(10),
        lease: Duration::from_secs(3),
        owner_phone,
        turn_limits: TurnLimits::default(),
        late_replies: false,
        send_timeout: SEND_TIMEOUT,
    };
    let reply = ReplyService::new(ports, Calendar::new("America/New_York").unwrap(), settings);
    Services { reply, outbox, model, store, sms }
}

/// Twilio's signature with the shop's token.
pub fn sign(url: &str, form: &str) -> String {
    sign_with(TOKEN, url, form)
}

/// Twilio's signature, implemented independently of the handlers.
pub fn sign_with(token: &str, url: &str, form: &str) -> String {
    let mut fields: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
    fields.sort();
    fields.dedup();
    let signed = fields.iter().fold(url.to_owned(), |text, (key, value)| text + key + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

pub fn webhook(form: &str) -> TestRequest {
    let signature = sign(OWN_URL, form);
    request("POST", "/dispatcher").form(form).header("x-twilio-signature", signature)
}

fn assert_twiml(answer: &TestResponse, messages: &str) {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/xml");
    answer.assert_cors();
    let document = format!(r#"<?xml version="1.0" encoding="UTF-8"?>{messages}"#);
    assert_eq!(answer.text, document);
}

#[tokio::test]
async fn a_text_is_answered_with_escaped_twiml() {
    let (router, model, _) = shop("Screens < $90 & \"quick\"\u{7}", &[]);
    let answer = webhook(TEXT).send(&router).await;
    assert_twiml(
        &answer,
        "<Response><Message>Screens &lt; $90 &amp; &quot;quick&quot;</Message></Response>",
    );
    assert_eq!(*model.received.lock().unwrap(), ["Hi & bye"]);
}

#[tokio::test]
async fn characters_beyond_ascii_survive_lambda() {
    let (router, _, _) = shop("caf\u{e9} \u{1f600} \u{201c}ok\u{201d}", &[]);
    let answer = webhook(TEXT).send_as_lambda(&router).await;
    assert_eq!(answer["isBase64Encoded"], false);
    assert_eq!(answer["headers"]["content-type"], "text/xml");
    let body = answer["body"].as_str().unwrap();
    assert!(body.contains("caf\u{e9} \u{1f600}"), "{body}");
}

#[tokio::test]
async fn the_same_text_is_answered_the_same_without_asking_again() {
    let (router, model, _) = shop("Hello", &[]);
    let first = webhook(TEXT).send(&router).await;
    let fallback =
        format!("{TEXT}&ErrorCode=11200&ErrorUrl=https%3A%2F%2Fshop.example%2Fdispatcher");
    let again = webhook(&fallback).send(&router).await;
    assert_eq!((again.status, again.text), (first.status, first.text));
    assert_eq!(model.received.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_get_webhook_signs_its_query() {
    let (router, _, _) = shop("Hello", &[]);
    let signature = sign(&format!("{OWN_URL}?{TEXT}"), "");
    let answer = request("GET", "/dispatcher").query(TEXT).header("x-twilio-signature", signature);
    assert_twiml(&answer.send(&router).await, "<Response><Message>Hello</Message></Response>");
}

/// A signature covers the query as it was sent, odd characters included.
#[tokio::test]
async fn a_query_is_verified_as_it_was_signed() {
    let (router, _, _) = shop("Hello", &[]);
    let query = "from=a|b&note={x}^`";
    let signature = sign(&format!("{OWN_URL}?{query}"), TEXT);
    let post = request("POST", "/dispatcher").query(query).form(TEXT);
    let answer = post.header("x-twilio-signature", signature).send(&router).await;
    assert_twiml(&answer, "<Response><Message>Hello</Message></Response>");
}

#[tokio::test]
async fn requests_without_twilios_signature_are_refused() {
    let (router, model, _) = shop("Hello", &[]);
    let unsigned = request("POST", "/dispatcher").form(TEXT);
    let other_body = request("POST", "/dispatcher")
        .form(&TEXT.replace("Hi", "Ho"))
        .header("x-twilio-signature", sign(OWN_URL, TEXT));
    let other_url = request("POST", "/dispatcher")
        .form(TEXT)
        .header("x-twilio-signature", sign("https://other.example/dispatcher", TEXT));
    let query_of_another =
        request("GET", "/dispatcher").query(TEXT).header("x-twilio-signature", sign(OWN_URL, TEXT));
    for refused in [unsigned, other_body, other_url, query_of_another] {
        let answer = refused.send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (403, "Invalid signature"));
    }
    assert!(model.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_deployed_function_knows_its_own_urls() {
    let (router, _, _) =
        shop("Hello", &["https://sms.shop.com/hook?shop=1", "https://other.example"]);
    let signed_for = |url: &str| {
        request("POST", "/dispatcher").form(TEXT).header("x-twilio-signature", sign(url, TEXT))
    };
    let right = signed_for("https://sms.shop.com/hook?shop=1").send(&router).await;
    assert_eq!(right.status, 200);
    // The sender of a request chooses its Host header, and must not choose the URL by it.
    let own = signed_for(OWN_URL).send(&router).await;
    assert_eq!(own.status, 403);
}

#[tokio::test]
async fn fields_are_signed_as_they_came() {
    let (router, model, _) = shop("Hello", &[]);
    let spaces = "AccountSid=AC1&To=%2B19045550100&Body=+Hi+%0A&MessageSid=SM00000000000000000000000000000002&From=%2B19042520927&MediaUrl0=a&MediaUrl0=a";
    let answer = webhook(spaces).send(&router).await;
    assert_eq!(answer.status, 200);
    assert!(model.received.lock().unwrap()[0].starts_with(" Hi \n"));
}

#[tokio::test]
async fn an_authentic_request_that_is_no_text_is_answered_by_silence() {
    let (router, model, _) = shop("Hello", &[]);
    for form in [
        "MessageStatus=delivered&MessageSid=SM00000000000000000000000000000001&From=%2B19042520927",
        "From=%2B19042520927&MessageSid=SM00000000000000000000000000000001",
        "Body=Hi&MessageSid=SM00000000000000000000000000000001&From=12345",
        "MessageSid=SM00000000000000000000000000000001",
    ] {
        let form = format!("AccountSid=AC1&To=%2B19045550100&{form}");
        assert_twiml(&webhook(&form).send(&router).await, "<Response/>");
    }
    assert!(model.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_is_split_otherwise_than_it_was_signed_is_refused() {
    let (router, model, _) = shop("Hello", &[]);
    let signature = sign(OWN_URL, TEXT);
    for (field, moved) in [
        ("To=%2B19045550100&NumMedia=0", "NumMedia=0To%2B19045550100"),
        ("Body=Hi+%26+bye&MessageSid=SM0", "Body=Hi+%26+bye&MessageSidSM=0"),
    ] {
        let form = TEXT.replace(field, moved);
        assert_ne!(form, TEXT);
        assert_eq!(sign(OWN_URL, &form), signature, "the signature fits both");
        assert_eq!(webhook(&form).send(&router).await.status, 403, "{form}");
    }
    for form in [TEXT.replace("%2B19045550100", "%2B19045550101"), TEXT.replace("AC1", "AC2")] {
        assert_eq!(webhook(&form).send(&router).await.status, 403, "{form}");
    }
    assert!(model.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_authentic_text_is_answered_200_even_when_everything_fails() {
    let (router, _, store) = shop("Hello", &[]);
    store.set_down(true);
    let answer = webhook(TEXT).send(&router).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("<Message>"), "{}", answer.text);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[tokio::test]
async fn a_json_body_is_bound_to_the_url_by_its_digest() {
    let (router, _, _) = shop("Hello", &[]);
    // SHA-256 of `{}`
    let query = "bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let signature = sign(&format!("{OWN_URL}?{query}"), "");
    for (body, status) in [("{}", 200), ("{ }", 403)] {
        let post = request("POST", "/dispatcher").query(query).body("application/json", body);
        let answer = post.header("x-twilio-signature", &signature).send(&router).await;
        assert_eq!(answer.status, status, "{body}");
    }
}

#[tokio::test]
async fn requests_that_are_no_webhook_get_an_error() {
    let (router, _, _) = shop("Hello", &[]);
    for (wrong, status, message) in [
        (
            request("POST", "/dispatcher").body("text/plain", TEXT),
            415,
            "Send application/x-www-form-urlencoded",
        ),
        (
            request("POST", "/dispatcher").form(&"a".repeat(64 * 1024 + 1)),
            413,
            "The body may have at most 64 KiB",
        ),
        (request("PUT", "/dispatcher"), 405, "Method PUT not allowed"),
        (webhook(TEXT).time_epoch(None), 500, "Something went wrong on our side"),
    ] {
        let answer = wrong.send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, message));
    }
}

const STATUS_URL: &str = "https://shop.example/message-status";

fn status_report(status: &str) -> String {
    format!(
        "ErrorCode=30003&MessageStatus={status}&MessageSid=SM00000000000000000000000000000009\
         &AccountSid=AC1&From=%2B19045550100&To=%2B19042520927"
    )
}

#[tokio::test]
async fn only_twilio_reports_what_did_not_arrive() {
    let (router, sms) = shop_with_owner();
    let form = status_report("undelivered");
    let report = |signature: String| {
        request("POST", "/message-status").form(&form).header("x-twilio-signature", signature)
    };
    assert_eq!(report("walrus".into()).send(&router).await.status, 403);
    assert!(sms.sent().is_empty());
    for _ in 0..2 {
        assert_eq!(report(sign(STATUS_URL, &form)).send(&router).await.status, 204);
    }
    let sent = sms.sent();
    assert_eq!(sent.len(), 1, "once for each text");
    assert!(sent[0].1.contains("+19042520927") && sent[0].1.contains("30003"), "{sent:?}");
    let form = status_report("delivered");
    let report = request("POST", "/message-status").form(&form);
    let report = report.header("x-twilio-signature", sign(STATUS_URL, &form));
    assert_eq!(report.send(&router).await.status, 204);
    assert_eq!(sms.sent().len(), 1);
}
