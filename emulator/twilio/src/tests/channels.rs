//! Content templates, WhatsApp and alphanumeric senders.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::json;

use super::harness::*;
use crate::{Inbound, ServiceConfig, Status};

const TEMPLATE: &str = "HX0000000000000000000000000000000a";
const SHOP: &str = "whatsapp:+15550100000";
const ANN: &str = "whatsapp:+15550123456";

async fn with_whatsapp() -> Harness {
    Harness::start_with(|options, _| {
        options.whatsapp = [NUMBER.to_owned()].into();
        options.contents = [(TEMPLATE.to_owned(), "Hi {{1}}, see you {{day}}.".to_owned())].into();
    })
    .await
}

/// Source: the dictionary's pages of 21654, 21655 and 21656.
#[tokio::test]
async fn a_template_becomes_the_text_of_a_message() {
    let harness = with_whatsapp().await;
    let send = |more: &[(&'static str, &'static str)]| {
        let mut params = vec![("To", PERSON), ("From", NUMBER)];
        params.extend_from_slice(more);
        let harness = &harness;
        async move { harness.create(&params).await }
    };
    let values = r#"{"1": "Ann", "day": "on Monday"}"#;
    let (status, json) = send(&[("ContentSid", TEMPLATE), ("ContentVariables", values)]).await;
    assert_eq!(
        (status, &json["body"]),
        (StatusCode::CREATED, &json!("Hi Ann, see you on Monday."))
    );
    for (params, code) in [
        (vec![("Body", "a"), ("ContentVariables", values)], 21654),
        (vec![("ContentSid", "HX0000000000000000000000000000000b")], 21655),
        (vec![("ContentSid", TEMPLATE)], 21656),
        (vec![("ContentSid", TEMPLATE), ("ContentVariables", "Ann")], 21656),
        (vec![("ContentSid", TEMPLATE), ("ContentVariables", r#"{"1": "", "day": "a"}"#)], 21656),
        (vec![("ContentSid", TEMPLATE), ("ContentVariables", r#"{"1": null, "day": "a"}"#)], 21656),
    ] {
        assert_eq!(send(&params).await.1["code"], code, "{params:?}");
    }
}

/// Source: the dictionary's page of 63016.
#[tokio::test]
async fn free_text_goes_out_within_a_day_of_the_persons_message() {
    let harness = with_whatsapp().await;
    let last = |harness: &Harness| {
        let message = harness.server.messages().pop().unwrap();
        (message.status, message.error_code)
    };
    let params = [("To", ANN), ("From", SHOP), ("Body", "a")];
    harness.create(&params).await;
    assert_eq!(last(&harness), (Status::Failed, Some(63016)));
    let values = r#"{"1": "Ann", "day": "soon"}"#;
    let template =
        [("To", ANN), ("From", SHOP), ("ContentSid", TEMPLATE), ("ContentVariables", values)];
    harness.create(&template).await;
    assert_eq!(last(&harness), (Status::Delivered, None));
    harness.server.receive(Inbound { from: ANN.into(), ..text("hello") }).await;
    // Back in a time in which nobody had written yet.
    let written = harness.clock.now();
    harness.clock.set(written - SignedDuration::from_mins(1));
    harness.create(&params).await;
    assert_eq!(last(&harness), (Status::Failed, Some(63016)));
    harness.clock.set(written);
    harness.clock.advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    harness.create(&params).await;
    assert_eq!(last(&harness), (Status::Delivered, None));
    harness.clock.advance(SignedDuration::from_secs(1));
    harness.create(&params).await;
    assert_eq!(last(&harness), (Status::Failed, Some(63016)));
}

#[tokio::test]
async fn a_whatsapp_message_is_delivered_and_answered_on_its_channel() {
    let harness = with_whatsapp().await;
    harness.backend.respond(xml("<Message>hello</Message>"));
    harness.server.receive(Inbound { from: ANN.into(), ..text("STOP") }).await;
    let got = &harness.backend.requests()[0];
    for (key, value) in [
        ("From", ANN),
        ("To", SHOP),
        ("WaId", "15550123456"),
        ("ProfileName", "+15550123456"),
        ("MessageType", "text"),
        ("Body", "STOP"),
    ] {
        assert_eq!(got.param(key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(got.param("FromCity"), None);
    let messages = harness.server.messages();
    assert_eq!(messages.len(), 2, "no notice about an opt-out");
    assert_eq!((messages[1].from.as_deref(), messages[1].to.as_str()), (Some(SHOP), ANN));
    assert_eq!(messages[1].status, Status::Delivered);
    for (from, to, code) in [
        ("whatsapp:+15550100001", ANN, 63007),
        (NUMBER, ANN, 21910),
        (SHOP, PERSON, 21910),
        (SHOP, "whatsapp:ann", 21211),
    ] {
        let params = [("To", to), ("From", from), ("Body", "a")];
        assert_eq!(harness.create(&params).await.1["code"], code, "{from} {to}");
    }
}

/// A Messaging Service takes the number's texts, or drops them; its WhatsApp messages are the number's.
#[tokio::test]
async fn a_whatsapp_message_goes_to_the_numbers_own_webhook() {
    for route in [Some("/service"), None] {
        let harness = Harness::start_with(|options, url| {
            options.whatsapp = [NUMBER.to_owned()].into();
            options.services = vec![ServiceConfig {
                sid: "MG000000000000000000000000000000aa".into(),
                numbers: vec![NUMBER.into()],
                inbound_request_url: route.map(|route| format!("{url}{route}")),
                ..ServiceConfig::default()
            }];
        })
        .await;
        harness.server.receive(Inbound { from: ANN.into(), ..text("hello") }).await;
        let got = harness.backend.requests();
        let uris: Vec<_> = got.iter().map(|got| got.uri.as_str()).collect();
        assert_eq!(uris, ["/dispatcher"], "{route:?}");
        let messages = harness.server.messages();
        assert_eq!((messages[0].to.as_str(), &messages[0].service), (SHOP, &None));
    }
}

#[tokio::test]
async fn a_whatsapp_message_reaches_no_number_that_is_no_whatsapp_sender() {
    let harness = Harness::start().await;
    assert!(!harness.server.is_whatsapp_sender(NUMBER));
    harness.server.receive(Inbound { from: ANN.into(), ..text("hello") }).await;
    assert_eq!((harness.backend.requests().len(), harness.server.messages().len()), (0, 0));
    assert!(with_whatsapp().await.server.is_whatsapp_sender(NUMBER));
}

#[tokio::test]
async fn a_reply_by_twiml_stays_on_its_channel() {
    let harness = with_whatsapp().await;
    let to_text = "to='+15550177777'";
    for (from, verb, expected) in [
        (ANN, format!("from='{SHOP}'"), Ok(SHOP)),
        (ANN, format!("to='{ANN}'"), Ok(SHOP)),
        (ANN, format!("from='{NUMBER}' {to_text}"), Ok(NUMBER)),
        (ANN, format!("from='{NUMBER}'"), Err(14102)),
        (ANN, "from='whatsapp:+15550100001'".to_owned(), Err(14102)),
        (ANN, to_text.to_owned(), Err(14101)),
        (PERSON, format!("from='{SHOP}'"), Err(14102)),
        (PERSON, format!("to='{ANN}'"), Err(14101)),
        (PERSON, format!("from='{SHOP}' to='{ANN}'"), Ok(SHOP)),
    ] {
        harness.backend.respond(xml(&format!("<Message {verb}>hello</Message>")));
        let delivery = harness.server.receive(Inbound { from: from.into(), ..text("a") }).await;
        let sender = delivery.replies.first().map(|sid| harness.server.message(*sid).unwrap());
        let sender = sender.and_then(|message| message.from);
        match expected {
            Ok(expected) => assert_eq!(sender.as_deref(), Some(expected), "{from}: {verb}"),
            Err(code) => {
                assert_eq!((sender, delivery.errors), (None, vec![code]), "{from}: {verb}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_sends_where_countries_allow_it() {
    let harness = Harness::start().await;
    let send = |to: &'static str| {
        let harness = &harness;
        async move { harness.create(&[("To", to), ("From", "Shop"), ("Body", "a")]).await }
    };
    let (status, json) = send("+447911123456").await;
    assert_eq!((status, &json["from"]), (StatusCode::CREATED, &json!("Shop")));
    for to in
        [PERSON, "+14165551234", "+5511912345678", "+61412345678", "+353851234567", "+34612345678"]
    {
        assert_eq!(send(to).await.1["code"], 21612, "{to}");
    }
}
