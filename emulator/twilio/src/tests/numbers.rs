//! The account's numbers: lists, what is kept of them, and several of them.

use http::StatusCode;
use serde_json::{Value, json};

use super::harness::*;
use crate::{Inbound, NumberConfig};

const SECOND: &str = "+15550100001";

async fn with_two_numbers() -> Harness {
    Harness::start_with(|options, url| {
        let webhook_url = Some(format!("{url}/second"));
        options.other_numbers =
            vec![(SECOND.into(), NumberConfig { webhook_url, ..NumberConfig::default() })];
    })
    .await
}

async fn phones(harness: &Harness, query: &str) -> Vec<String> {
    let url = harness.url_of(&format!("IncomingPhoneNumbers.json{query}"));
    let (status, json) = harness.get(&url).await;
    assert_eq!(status, StatusCode::OK, "{json}");
    let numbers = json["incoming_phone_numbers"].as_array().unwrap();
    numbers.iter().map(|number| number["phone_number"].as_str().unwrap().to_owned()).collect()
}

/// Source: the parameter's description, "you can specify partial numbers and use '*' as a wildcard".
#[tokio::test]
async fn numbers_are_filtered_by_a_part_with_stars() {
    let harness = with_two_numbers().await;
    for (query, found) in [
        ("", vec![NUMBER, SECOND]),
        ("?PhoneNumber=%2B15550100001", vec![SECOND]),
        ("?PhoneNumber=555", vec![NUMBER, SECOND]),
        ("?PhoneNumber=0100*01", vec![SECOND]),
        ("?PhoneNumber=%2B1555*10000*", vec![NUMBER, SECOND]),
        ("?PhoneNumber=556", vec![]),
        ("?FriendlyName=%2B15550100000", vec![NUMBER]),
        ("?Beta=true", vec![]),
        ("?Beta=false", vec![NUMBER, SECOND]),
    ] {
        assert_eq!(phones(&harness, query).await, found, "{query}");
    }
}

#[tokio::test]
async fn numbers_come_in_pages() {
    let harness = with_two_numbers().await;
    let path = harness.url_of("IncomingPhoneNumbers.json?PhoneNumber=555&PageSize=1");
    let (_, first) = harness.get(&path).await;
    assert_eq!((&first["page_size"], &first["end"]), (&json!(1), &json!(0)));
    assert_eq!(first["previous_page_uri"], Value::Null);
    let next = first["next_page_uri"].as_str().unwrap();
    assert!(next.contains("PhoneNumber=555&PageSize=1&Page=1&PageToken=PAPN"), "{next}");
    let (_, second) = harness.get(&format!("{}{next}", harness.server.url())).await;
    assert_eq!(second["incoming_phone_numbers"][0]["phone_number"], SECOND);
    assert_eq!((&second["next_page_uri"], &second["start"]), (&Value::Null, &json!(1)));
    for (query, code) in [("?PageSize=1001", 20007), ("?PageToken=PAPN1", 21481)] {
        let url = harness.url_of(&format!("IncomingPhoneNumbers.json{query}"));
        assert_eq!(harness.get(&url).await.1["code"], code, "{query}");
    }
}

#[tokio::test]
async fn what_is_set_of_a_number_is_given_back() {
    let harness = Harness::start().await;
    let (_, json) = harness.get(&harness.url_of("IncomingPhoneNumbers.json")).await;
    let number = &json["incoming_phone_numbers"][0];
    assert_eq!((&number["status_callback"], &number["type"]), (&json!(""), &json!("local")));
    let sid = number["sid"].as_str().unwrap();
    let url = harness.url_of(&format!("IncomingPhoneNumbers/{sid}.json"));
    let set = [
        (
            "StatusCallback",
            "https://shop.test/calls",
            "status_callback",
            json!("https://shop.test/calls"),
        ),
        ("StatusCallbackMethod", "get", "status_callback_method", json!("GET")),
        ("VoiceUrl", "https://shop.test/voice", "voice_url", json!("https://shop.test/voice")),
        ("VoiceCallerIdLookup", "true", "voice_caller_id_lookup", json!(true)),
        ("FriendlyName", "Shop", "friendly_name", json!("Shop")),
    ];
    let params: Vec<(&str, &str)> = set.iter().map(|(key, value, ..)| (*key, *value)).collect();
    let (status, json) = harness.post(&url, &params).await;
    assert_eq!(status, StatusCode::OK, "{json}");
    let (_, fetched) = harness.get(&url).await;
    for (_, _, key, value) in set {
        assert_eq!((&json[key], &fetched[key]), (&value, &value), "{key}");
    }
    // It is called about the number's calls, so a message has no callback.
    harness.send("a").await;
    harness.settled().await;
    assert_eq!(harness.backend.requests().len(), 0);
    assert_eq!(harness.post(&url, &[("StatusCallback", "")]).await.1["status_callback"], "");
    for (key, value, code) in
        [("StatusCallback", "nonsense", 21502), ("StatusCallbackMethod", "PUT", 20001)]
    {
        assert_eq!(harness.post(&url, &[(key, value)]).await.1["code"], code, "{key}");
    }
}

#[tokio::test]
async fn each_number_has_its_webhook_its_replies_and_its_opt_outs() {
    let harness = with_two_numbers().await;
    let to_second = |body: &str| Inbound { to: Some(SECOND.into()), ..text(body) };
    harness.backend.respond(xml("<Message>a</Message>"));
    harness.backend.respond(xml(&format!("<Message from='{NUMBER}'>b</Message>")));
    harness.server.receive(to_second("hello")).await;
    harness.server.receive(to_second("hello")).await;
    let got = harness.backend.requests();
    assert_eq!((got[0].uri.as_str(), got[0].param("To").as_deref()), ("/second", Some(SECOND)));
    let senders: Vec<Option<String>> = harness
        .server
        .messages()
        .into_iter()
        .filter(|message| message.direction == crate::Direction::OutboundReply)
        .map(|message| message.from)
        .collect();
    assert_eq!(senders, [Some(SECOND.to_owned()), Some(NUMBER.to_owned())]);
    harness.server.receive(to_second("STOP")).await;
    let send = |from: &'static str| {
        let params = [("To", PERSON), ("From", from), ("Body", "a")];
        let harness = &harness;
        async move { harness.create(&params).await }
    };
    assert_eq!(send(SECOND).await.1["code"], 21610);
    let (status, json) = send(NUMBER).await;
    assert_eq!((status, &json["from"]), (StatusCode::CREATED, &json!(NUMBER)));
}

#[tokio::test]
async fn an_empty_text_is_delivered_as_any_other() {
    let harness = Harness::start().await;
    let delivery = harness.server.receive(text("")).await;
    assert_eq!(delivery.failure, None);
    let got = &harness.backend.requests()[0];
    assert_eq!(
        (got.param("Body").as_deref(), got.param("NumSegments").as_deref()),
        (Some(""), Some("1"))
    );
}
