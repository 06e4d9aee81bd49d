//! Delivery of a text: parameters, headers, signature and replies.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha1::Sha1;

use super::harness::*;
use crate::{Inbound, Media, Method, Signing};
use rehearse_core::journal::{ExchangeDetail, Via};

/// The signature, computed as Twilio documents it: sorted keys, each followed by its value.
fn expected(token: &str, url: &str, body: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    pairs.sort();
    let text = pairs.iter().fold(url.to_owned(), |text, (key, value)| text + key + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn the_forms_of_webhooks_equal_the_recorded_ones() {
    let harness = Harness::start().await;
    let sms = harness.server.receive(text_from_boston()).await.sid.to_string();
    let picture =
        Media { url: "https://media.test/screen.jpg".into(), content_type: "image/jpeg".into() };
    let mms = Inbound { media: vec![picture], ..text("") };
    let mms = harness.server.receive(mms).await.sid.to_string();
    let got = harness.backend.requests();
    assert_eq!(
        got[0].body.replace(&sms, "SM00000000000000000000000000000001"),
        include_str!("../../../../fixtures/twilio/webhooks/sms.form")
    );
    assert_eq!(
        got[1].body.replace(&mms, "MM00000000000000000000000000000002"),
        include_str!("../../../../fixtures/twilio/webhooks/mms.form")
    );
}

#[tokio::test]
async fn a_webhook_has_twilios_headers_and_signature() {
    let harness = Harness::start().await;
    harness.server.configure(|number| {
        number.webhook_url = Some(format!("{}/dispatcher?shop=1#rc=2&rp=ct,5xx", harness.url));
    });
    harness.server.receive(text("hello")).await;
    let got = &harness.backend.requests()[0];
    assert_eq!((got.method.as_str(), got.uri.as_str()), ("POST", "/dispatcher?shop=1"));
    assert_eq!(got.header("user-agent"), "TwilioProxy/1.1");
    assert_eq!(got.header("accept"), "*/*");
    assert_eq!(got.header("content-type"), "application/x-www-form-urlencoded; charset=utf-8");
    assert!(uuid::Uuid::parse_str(got.header("i-twilio-idempotency-token")).is_ok());
    let signed = format!("{}/dispatcher?shop=1", harness.url);
    assert_eq!(got.header("x-twilio-signature"), expected(TOKEN, &signed, &got.body));
}

/// Twilio's are `X-Twilio-Signature`; servers that give raw headers to the backend show the difference.
#[tokio::test]
async fn header_names_go_out_in_title_case() {
    let harness = Harness::start().await;
    let (url, mut heads) = raw_server().await;
    harness.server.configure(|number| number.webhook_url = Some(url.clone()));
    harness.server.receive(text("hello")).await;
    harness.server.configure(|number| number.webhook_method = Method::Get);
    harness.server.receive(text("hello")).await;
    harness
        .create(&[("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &url)])
        .await;
    harness.settled().await;
    let common =
        ["Accept", "Host", "I-Twilio-Idempotency-Token", "User-Agent", "X-Twilio-Signature"];
    for posts in [true, false, true, true] {
        let head = heads.recv().await.unwrap();
        let lines = head.lines().skip(1).filter(|line| !line.is_empty());
        let mut names: Vec<&str> =
            lines.map(|line| line.split_once(':').expect("a header").0).collect();
        names.sort_unstable();
        let mut expected = common.to_vec();
        if posts {
            expected.extend(["Content-Length", "Content-Type"]);
        }
        expected.sort_unstable();
        assert_eq!(names, expected, "{head}");
    }
}

#[tokio::test]
async fn a_public_url_is_signed_as_it_is_and_called_on_this_machine() {
    let public = "https://Sms.example.com/dispatcher?shop=1";
    let harness = Harness::start_with(|options, url| {
        options.hosts = [("sms.example.com".to_owned(), url.to_owned())].into();
        options.config.webhook_url = Some(public.into());
    })
    .await;
    harness.server.receive(text("hello")).await;
    let got = &harness.backend.requests()[0];
    assert_eq!((got.uri.as_str(), got.header("host")), ("/dispatcher?shop=1", "Sms.example.com"));
    assert_eq!(got.header("x-forwarded-proto"), "https");
    assert_eq!(got.header("x-twilio-signature"), expected(TOKEN, public, &got.body));
}

#[tokio::test]
async fn a_get_webhook_has_its_parameters_in_the_signed_query() {
    let harness = Harness::start().await;
    harness.server.configure(|number| {
        number.webhook_url = Some(format!("{}/dispatcher?shop=1", harness.url));
        number.webhook_method = Method::Get;
    });
    harness.server.receive(text("hello there")).await;
    let got = &harness.backend.requests()[0];
    assert_eq!((got.method.as_str(), got.body.as_str()), ("GET", ""));
    assert!(got.uri.starts_with("/dispatcher?shop=1&ToCountry=US&"), "{}", got.uri);
    assert!(got.uri.contains("&Body=hello+there&"), "{}", got.uri);
    let signed = format!("{}{}", harness.url, got.uri);
    assert_eq!(got.header("x-twilio-signature"), expected(TOKEN, &signed, ""));
}

#[tokio::test]
async fn forged_webhooks_have_no_or_wrong_signatures() {
    let harness = Harness::start().await;
    for signing in [Signing::Missing, Signing::Wrong, Signing::OtherBody] {
        harness.server.receive(Inbound { signing, ..text("hello") }).await;
    }
    let url = format!("{}/dispatcher", harness.url);
    let got = harness.backend.requests();
    assert!(got[0].headers.get("x-twilio-signature").is_none());
    for request in &got[1..] {
        let signature = request.header("x-twilio-signature");
        assert_eq!(STANDARD.decode(signature).unwrap().len(), 20);
        assert_ne!(signature, expected(TOKEN, &url, &request.body));
    }
    let other = got[2].body.replace("Body=hello", "Body=hello%21");
    assert_eq!(got[2].header("x-twilio-signature"), expected(TOKEN, &url, &other));
}

#[tokio::test]
async fn replies_are_sent_and_journaled_in_order_without_the_token() {
    let harness = Harness::start().await;
    harness
        .backend
        .respond(xml("<Message>One ’</Message><Message to='+15550199999'>Two</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.errors, delivery.replies.len()), (vec![], 2));
    assert_eq!(harness.exchange_names(), ["sms.received", "webhook.sms", "sms.sent", "sms.sent"]);
    let entries = harness.exchanges("sms.sent");
    let ExchangeDetail::SmsSent { sid, to, body, segments, encoding, via, in_reply_to, .. } =
        &entries[0].detail
    else {
        panic!("a text: {:?}", entries[0])
    };
    assert_eq!((to.as_str(), body.as_str()), (PERSON, "One ’"));
    assert_eq!((*segments, encoding.as_str(), *via), (1, "UCS-2", Via::Twiml));
    assert_eq!(sid, &delivery.replies[0].to_string());
    assert_eq!(in_reply_to.as_deref(), Some(delivery.sid.to_string().as_str()));
    let ExchangeDetail::SmsSent { to, encoding, .. } = &entries[1].detail else { panic!("a text") };
    assert_eq!((to.as_str(), encoding.as_str()), ("+15550199999", "GSM-7"));
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!(
        (&json["direction"], &json["status"]),
        (&"outbound-reply".into(), &"delivered".into())
    );
    let outcome = harness.exchanges("webhook.sms")[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.error), (Some(200), None));
    assert!(outcome.response.as_str().unwrap().contains("<Message>One"));
    let shown = serde_json::to_string(&harness.journal.since(0)).unwrap();
    assert!(!shown.contains(TOKEN), "the token is in the journal");
}

#[tokio::test]
async fn a_repeated_delivery_sends_the_same_request_and_acts_on_keywords_once() {
    let harness = Harness::start().await;
    for _ in 0..2 {
        harness.backend.respond(xml("<Message>Hi</Message>"));
    }
    let first = harness.server.receive(text("STOP")).await;
    let again = harness.server.redeliver(first.sid).await;
    let got = harness.backend.requests();
    assert_eq!(got[0].body, got[1].body);
    let token = |n: usize| got[n].header("i-twilio-idempotency-token");
    assert_eq!(token(0), token(1));
    assert_eq!(harness.exchanges("sms.received").len(), 1);
    assert_eq!((first.errors, again.errors), (vec![21610], vec![21610]));
}

#[tokio::test]
async fn a_sid_that_was_never_received_cannot_be_delivered() {
    let harness = Harness::start().await;
    let sid = "SM00000000000000000000000000000000".parse().unwrap();
    assert_eq!(harness.server.redeliver(sid).await.errors, [20404]);
}

#[tokio::test]
async fn without_a_webhook_a_text_is_only_recorded() {
    let harness = Harness::start().await;
    harness.server.configure(|number| number.webhook_url = None);
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts, delivery.errors), (vec![], vec![]));
    assert_eq!(harness.exchange_names(), ["sms.received"]);
    assert_eq!(harness.server.messages()[0].body, "hello");
}

#[tokio::test]
async fn cookies_are_kept_per_person_for_four_hours() {
    let harness = Harness::start().await;
    let cookie = |value: &str| ([("set-cookie", format!("seen={value}; Path=/"))], xml(""));
    harness.backend.respond(cookie("1"));
    for _ in 0..2 {
        harness.server.receive(text("hello")).await;
    }
    harness.server.receive(Inbound { from: "+15550177777".into(), ..text("hello") }).await;
    harness.clock.advance(SignedDuration::from_hours(4));
    harness.server.receive(text("hello")).await;
    let seen: Vec<String> =
        harness.backend.requests().iter().map(|got| got.header("cookie").to_owned()).collect();
    assert_eq!(seen, ["", "seen=1", "", ""]);
}

#[tokio::test]
async fn webhooks_name_the_service_and_the_type_of_opt_out() {
    let harness = Harness::start().await;
    let service = "MG00000000000000000000000000000001";
    harness.server.configure(|number| {
        number.messaging_service_sid = Some(service.into());
        number.advanced_opt_out = true;
    });
    for body in ["hello", "Stop", "start", "info"] {
        harness.server.receive(text(body)).await;
    }
    let got = harness.backend.requests();
    assert!(
        got[0].body.contains(&format!("&To=%2B15550100000&MessagingServiceSid={service}&ToZip="))
    );
    let types: Vec<_> = got.iter().map(|got| got.param("OptOutType")).collect();
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(types, [None, name("STOP"), name("START"), name("HELP")]);
}
