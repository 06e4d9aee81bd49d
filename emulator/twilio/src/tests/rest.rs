//! One message by REST, and the number: creation, errors and changes.

use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::harness::*;
use rehearse_core::journal::ExchangeDetail;

#[tokio::test]
async fn a_created_message_has_every_field() {
    let harness = Harness::start().await;
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "Hi Ümläut, 1+1 & more 😀")];
    let (status, json) = harness.create(&params).await;
    assert_eq!(status, StatusCode::CREATED);
    let sid = json["sid"].as_str().unwrap();
    let base = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}");
    let date = "Tue, 10 Feb 2026 20:10:00 +0000";
    let mut expected = json!({
        "body": "Hi Ümläut, 1+1 & more 😀",
        "num_segments": "1",
        "direction": "outbound-api",
        "from": NUMBER,
        "date_updated": date,
        "price": null,
        "error_message": null,
        "uri": format!("{base}.json"),
        "account_sid": ACCOUNT,
        "num_media": "0",
        "to": PERSON,
        "date_created": date,
        "status": "queued",
        "sid": sid,
        "date_sent": null,
        "messaging_service_sid": null,
        "error_code": null,
        "price_unit": "USD",
        "api_version": "2010-04-01",
        "subresource_uris": { "media": format!("{base}/Media.json") },
    });
    assert_eq!(json, expected);
    harness.clock.advance(SignedDuration::from_hours(1));
    let (status, json) = harness.get(&format!("{}{base}.json", harness.server.url())).await;
    assert_eq!(status, StatusCode::OK);
    expected["status"] = "delivered".into();
    expected["date_sent"] = date.into();
    expected["price"] = "-0.00750".into();
    assert_eq!(json, expected);
    assert_eq!(
        harness.exchange_names(),
        ["twilio.messages.create", "sms.sent", "twilio.messages.fetch"]
    );
    let entry = &harness.exchanges("twilio.messages.create")[0];
    let ExchangeDetail::Twilio { method, path, params } = &entry.detail else { panic!("a call") };
    assert_eq!((method.as_str(), params[0].1.as_str()), ("POST", PERSON));
    assert!(path.ends_with("/Messages.json"), "{path}");
}

#[tokio::test]
async fn every_refused_message_has_its_code() {
    let harness = Harness::start().await;
    let service = "MG00000000000000000000000000000001";
    harness.server.configure(|number| number.messaging_service_sid = Some(service.into()));
    let long = "x".repeat(1601);
    let soon = "2026-02-10T20:12:00Z";
    let ok = [("To", PERSON), ("From", NUMBER), ("Body", "a")];
    let change = |key: &'static str, value: &'static str| {
        let mut params: Vec<(&str, &str)> = ok.into_iter().filter(|(k, _)| *k != key).collect();
        params.push((key, value));
        params
    };
    let by_service = |more: &[(&'static str, &'static str)]| {
        let mut params = vec![("To", PERSON), ("MessagingServiceSid", service)];
        params.extend_from_slice(more);
        params
    };
    let table: Vec<(Vec<(&str, &str)>, u64)> = vec![
        (vec![("From", NUMBER), ("Body", "a")], 21604),
        (change("To", ""), 21604),
        (vec![("To", PERSON), ("Body", "a")], 21603),
        (change("Body", ""), 21602),
        (vec![("To", PERSON), ("From", NUMBER)], 21602),
        (by_service(&[]), 21619),
        (change("To", "5550123456"), 21211),
        (change("To", " 15550123456"), 21211),
        (change("To", "+1555012345"), 21211),
        (change("To", "someone"), 21211),
        (change("To", "+15005550001"), 21211),
        (change("To", "+15005550002"), 21612),
        (change("To", "+15005550003"), 21408),
        (change("To", "+15005550004"), 21610),
        (change("To", "+15005550009"), 21614),
        (change("To", NUMBER), 21266),
        (change("From", "+15005550001"), 21212),
        (change("From", "not a number at all"), 21212),
        (change("From", "+15005550007"), 21606),
        (change("From", "+15005550008"), 21611),
        (change("From", "+15550155555"), 21660),
        (change("From", "12345"), 21659),
        (change("From", "Shop"), 21612),
        (vec![("To", PERSON), ("From", NUMBER), ("Body", &long)], 21617),
        (change("MediaUrl", "not a url"), 21620),
        (change("StatusCallback", "/status"), 21609),
        (change("ValidityPeriod", "0"), 21624),
        (change("ValidityPeriod", "36001"), 21624),
        (change("ValidityPeriod", "soon"), 21624),
        (change("ContentSid", "HX00000000000000000000000000000001"), 21655),
        (vec![("To", PERSON), ("MessagingServiceSid", "MG1"), ("Body", "a")], 21705),
        (
            vec![
                ("To", PERSON),
                ("MessagingServiceSid", "MG99999999999999999999999999999999"),
                ("Body", "a"),
            ],
            21701,
        ),
        (change("ScheduleType", "fixed"), 35118),
        (by_service(&[("Body", "a"), ("ScheduleType", "fixed")]), 35111),
        (by_service(&[("Body", "a"), ("ScheduleType", "fixed"), ("SendAt", soon)]), 35114),
        (
            by_service(&[
                ("Body", "a"),
                ("ScheduleType", "fixed"),
                ("SendAt", "2026-04-01T00:00:00Z"),
            ]),
            35114,
        ),
    ];
    for (params, code) in table {
        let (status, json) = harness.create(&params).await;
        assert_eq!(
            (status, json["code"].as_u64()),
            (StatusCode::BAD_REQUEST, Some(code)),
            "{params:?}"
        );
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["code", "message", "more_info", "status"]);
        assert_eq!(json["status"], 400);
    }
    assert_eq!(harness.server.messages().len(), 0);
    let (_, json) = harness.create(&change("To", "+15555551234x")).await;
    assert_eq!(json["message"], "Invalid 'To' Phone Number: +15555551XXXX");
    let many: Vec<(&str, &str)> =
        ok.into_iter().chain((0..11).map(|_| ("MediaUrl", "https://a/b.png"))).collect();
    assert_eq!(harness.create(&many).await.1["code"], 21623);
}

#[tokio::test]
async fn the_longest_message_has_eleven_segments() {
    let harness = Harness::start().await;
    let longest = "x".repeat(1600);
    let (status, json) =
        harness.create(&[("To", PERSON), ("From", NUMBER), ("Body", &longest)]).await;
    assert_eq!((status, &json["num_segments"]), (StatusCode::CREATED, &"11".into()));
}

#[tokio::test]
async fn only_the_token_and_the_api_key_are_accepted_and_neither_is_journaled() {
    let harness = Harness::start().await;
    let url = harness.messages_url();
    for (user, secret) in [(ACCOUNT, "wrong"), ("ACother", TOKEN), ("", "")] {
        let response = harness.web.get(&url).basic_auth(user, Some(secret)).send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"Twilio API\"");
        let (status, json) = status_and_json(response).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        let body = json!({ "code": 20003, "message": "Authenticate", "more_info": "https://www.twilio.com/docs/errors/20003", "status": 401 });
        assert_eq!(json, body);
    }
    assert_eq!(harness.web.get(&url).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let key = harness.web.get(&url).basic_auth("SKkey", Some("secret")).send().await.unwrap();
    assert_eq!(key.status(), StatusCode::OK);
    let shown = serde_json::to_string(&harness.journal.since(0)).unwrap();
    assert!(!shown.contains("Basic") && !shown.contains("secret"));
}

#[tokio::test]
async fn unknown_paths_and_methods_have_twilios_errors() {
    let harness = Harness::start().await;
    let missing = "Messages/SM00000000000000000000000000000000.json";
    for path in
        [missing, "Messages/nonsense.json", "Calls.json", "Messages/a/Media.json", "Messages.xml"]
    {
        let (status, json) = harness.get(&harness.url_of(path)).await;
        assert_eq!((status, json["code"].as_u64()), (StatusCode::NOT_FOUND, Some(20404)), "{path}");
        let message =
            format!("The requested resource /2010-04-01/Accounts/{ACCOUNT}/{path} was not found");
        assert_eq!(json["message"], message);
    }
    let other = harness.messages_url().replace(ACCOUNT, "AC0000000000000000000000000000000b");
    assert_eq!(harness.get(&other).await.0, StatusCode::NOT_FOUND);
    let (status, json) = harness.delete(&harness.messages_url()).await;
    assert_eq!((status, json["code"].as_u64()), (StatusCode::METHOD_NOT_ALLOWED, Some(20004)));
    assert_eq!(harness.delete(&harness.url_of(missing)).await.1["code"], 20404);
}

#[tokio::test]
async fn a_body_that_is_not_a_form_counts_as_empty_and_a_huge_one_is_refused() {
    let harness = Harness::start().await;
    let post = || harness.web.post(harness.messages_url()).basic_auth(ACCOUNT, Some(TOKEN));
    let (_, json) =
        status_and_json(post().json(&json!({ "To": PERSON })).send().await.unwrap()).await;
    assert_eq!(json["code"], 21604);
    let form = |body: Vec<u8>| {
        post().header("content-type", "application/x-www-form-urlencoded").body(body)
    };
    let huge = form(vec![b'a'; 300 * 1024]).send().await.unwrap();
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let (status, json) =
        status_and_json(form(b"To=%ff%fe&From=%zz&&=&Body".to_vec()).send().await.unwrap()).await;
    assert_eq!((status, json["code"].as_u64()), (StatusCode::BAD_REQUEST, Some(21602)));
}

#[tokio::test]
async fn the_path_may_omit_json_and_a_space_may_be_encoded_either_way() {
    let harness = Harness::start().await;
    let url = harness.messages_url().replace(".json", "");
    let body = "To=%2B15550123456&From=%2B15550100000&Body=a%20b+c";
    let request = harness.web.post(url).basic_auth(ACCOUNT, Some(TOKEN));
    let request =
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let (status, json) = status_and_json(request.body(body).send().await.unwrap()).await;
    assert_eq!((status, &json["body"]), (StatusCode::CREATED, &"a b c".into()));
}

#[tokio::test]
async fn a_message_is_redacted_and_deleted() {
    let harness = Harness::start().await;
    let sid = harness.send("secret").await;
    let url = harness.url_of(&format!("Messages/{sid}.json"));
    assert_eq!(harness.post(&url, &[("Body", "other")]).await.0, StatusCode::BAD_REQUEST);
    harness.clock.advance(SignedDuration::from_mins(1));
    let (status, json) = harness.post(&url, &[("Body", "")]).await;
    assert_eq!((status, &json["body"]), (StatusCode::OK, &"".into()));
    assert_eq!(harness.post(&url, &[("Status", "canceled")]).await.1["code"], 30409);
    let response = harness.web.delete(&url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.bytes().await.unwrap().len(), 0);
    assert_eq!(harness.get(&url).await.0, StatusCode::NOT_FOUND);
    assert_eq!(harness.delete(&url).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_under_way_cannot_be_redacted_or_deleted() {
    let harness = Harness::start().await;
    let (_listener, silent) = silent_url().await;
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &silent)];
    let (_, json) = harness.create(&params).await;
    let url = harness.url_of(&format!("Messages/{}.json", json["sid"].as_str().unwrap()));
    harness.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(harness.post(&url, &[("Body", "")]).await.1["code"], 20009);
    assert_eq!(harness.delete(&url).await.1["code"], 20009);
}

/// Source: the dictionary's page of 20009.
#[tokio::test]
async fn a_message_is_redacted_and_deleted_a_minute_after_it_was_sent_or_received() {
    let harness = Harness::start().await;
    let service = "MG00000000000000000000000000000001";
    harness.server.configure(|number| number.messaging_service_sid = Some(service.into()));
    let (_, json) = harness
        .create(&[
            ("To", PERSON),
            ("MessagingServiceSid", service),
            ("Body", "later"),
            ("ScheduleType", "fixed"),
            ("SendAt", "2026-02-10T20:20:00Z"),
        ])
        .await;
    let scheduled = json["sid"].as_str().unwrap().to_owned();
    harness.clock.advance(SignedDuration::from_mins(10));
    let sent = harness.send("a").await;
    let received = harness.server.receive(text("b")).await.sid.to_string();
    let urls =
        [scheduled, sent, received].map(|sid| harness.url_of(&format!("Messages/{sid}.json")));
    for (seconds, redacted, deleted) in [
        (0, (StatusCode::BAD_REQUEST, 20009), (StatusCode::BAD_REQUEST, 20009)),
        (59, (StatusCode::BAD_REQUEST, 20009), (StatusCode::BAD_REQUEST, 20009)),
        (1, (StatusCode::OK, 0), (StatusCode::NO_CONTENT, 0)),
    ] {
        harness.clock.advance(SignedDuration::from_secs(seconds));
        for url in &urls {
            let (status, json) = harness.post(url, &[("Body", "")]).await;
            assert_eq!((status, json["code"].as_u64().unwrap_or(0)), redacted, "{url} {json}");
            let (status, json) = harness.delete(url).await;
            assert_eq!((status, json["code"].as_u64().unwrap_or(0)), deleted, "{url} {json}");
        }
    }
}

#[tokio::test]
async fn a_scheduled_message_is_canceled_or_sent_at_its_time() {
    let harness = Harness::start().await;
    let service = "MG00000000000000000000000000000001";
    harness.server.configure(|number| number.messaging_service_sid = Some(service.into()));
    let callback = format!("{}/status", harness.url);
    let params = [
        ("To", PERSON),
        ("MessagingServiceSid", service),
        ("Body", "later"),
        ("ScheduleType", "fixed"),
        ("SendAt", "2026-02-10T21:10:00Z"),
        ("StatusCallback", &callback),
    ];
    let (_, one) = harness.create(&params).await;
    let (_, two) = harness.create(&params).await;
    assert_eq!(one["status"], "scheduled");
    let url =
        |json: &Value| harness.url_of(&format!("Messages/{}.json", json["sid"].as_str().unwrap()));
    let (status, json) = harness.post(&url(&one), &[("Status", "canceled")]).await;
    assert_eq!((status, &json["status"]), (StatusCode::OK, &"canceled".into()));
    harness.settled().await;
    let told = harness.exchanges("webhook.status").pop().unwrap();
    let asked = harness.exchanges("twilio.messages.update").pop().unwrap();
    assert_eq!((told.caused_by, told.turn), (Some(asked.seq), Some(asked.seq)));
    assert_eq!(harness.exchanges("sms.sent").len(), 0);
    harness.clock.advance(SignedDuration::from_hours(1));
    harness.settled().await;
    assert_eq!(harness.exchanges("sms.sent").len(), 1);
    assert_eq!(harness.get(&url(&one)).await.1["status"], "canceled");
    assert_eq!(harness.get(&url(&two)).await.1["status"], "delivered");
    let got: Vec<_> =
        harness.backend.requests().iter().filter_map(|g| g.param("MessageStatus")).collect();
    assert_eq!(got, ["canceled", "queued", "sent", "delivered"]);
}

#[tokio::test]
async fn rest_and_the_handle_configure_the_same_number() {
    let harness = Harness::start().await;
    let (_, json) = harness.get(&harness.url_of("IncomingPhoneNumbers.json")).await;
    let number = &json["incoming_phone_numbers"][0];
    assert_eq!((&number["phone_number"], &number["sms_method"]), (&NUMBER.into(), &"POST".into()));
    assert_eq!(
        (&number["sms_url"], &number["sms_fallback_url"]),
        (&format!("{}/dispatcher", harness.url).into(), &"".into())
    );
    let url =
        harness.url_of(&format!("IncomingPhoneNumbers/{}.json", number["sid"].as_str().unwrap()));
    let other = format!("{}/other", harness.url);
    let (status, json) = harness
        .post(&url, &[("SmsUrl", &other), ("SmsMethod", "get"), ("SmsFallbackUrl", "http://a/b")])
        .await;
    assert_eq!((status, &json["sms_method"]), (StatusCode::OK, &"GET".into()));
    harness.server.receive(text("hello")).await;
    assert!(harness.backend.requests()[0].uri.starts_with("/other?"));
    assert_eq!(harness.post(&url, &[("SmsUrl", "nonsense")]).await.1["code"], 21502);
    let (_, json) = harness.post(&url, &[("SmsUrl", "")]).await;
    assert_eq!((&json["sms_url"], &json["sms_fallback_url"]), (&"".into(), &"http://a/b".into()));
    assert_eq!(harness.server.config().webhook_url, None);
    let none = harness.url_of("IncomingPhoneNumbers.json?PhoneNumber=%2B15559999999");
    assert_eq!(harness.get(&none).await.1["incoming_phone_numbers"], json!([]));
}
