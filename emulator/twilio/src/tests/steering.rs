//! What becomes of messages when a test decides it.

use http::StatusCode;
use jiff::SignedDuration;
use rehearse_testutils::until;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::harness::*;
use crate::{DeliveryPlan, Status};

fn plan(json: serde_json::Value) -> DeliveryPlan {
    serde_json::from_value(json).unwrap()
}

/// The status and the code of each callback so far.
fn told(harness: &Harness) -> Vec<String> {
    let requests = harness.backend.requests();
    let told = requests.iter().filter_map(|got| {
        let status = got.param("MessageStatus")?;
        Some(match got.param("ErrorCode") {
            Some(code) => format!("{status} {code}"),
            None => status,
        })
    });
    told.collect()
}

async fn send(harness: &Harness, to: &str) -> String {
    let callback = format!("{}/status", harness.url);
    let params = [("To", to), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &callback)];
    let (status, json) = harness.create(&params).await;
    assert_eq!(status, StatusCode::CREATED, "{json}");
    harness.settled().await;
    json["sid"].as_str().unwrap().to_owned()
}

async fn fetched(harness: &Harness, sid: &str) -> (String, Option<u64>) {
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    (json["status"].as_str().unwrap().to_owned(), json["error_code"].as_u64())
}

/// A callback that the backend answers late, and one that a plan put off to a moment that comes meanwhile.
#[tokio::test]
async fn callbacks_of_one_message_never_overlap() {
    let harness = Harness::start().await;
    let (listener, url) = silent_url().await;
    harness.server.steer(plan(json!({ "late": "5m" }))).unwrap();
    let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("StatusCallback", &*url)];
    let (_, json) = harness.create(&params).await;
    let sid = json["sid"].as_str().unwrap();
    let answer = |mut stream: tokio::net::TcpStream| async move {
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        let response = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        stream.write_all(response).await.unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    };
    // The first callback is under way, and not answered yet, when the time of the second one comes.
    let first = until("the first callback", listener.accept()).await.unwrap().0;
    harness.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(fetched(&harness, sid).await, ("sent".to_owned(), None));
    let own = sid.parse().unwrap();
    assert_eq!(harness.exchanges("webhook.status").len(), 1, "the second one waits");
    assert_eq!(harness.server.message(own).unwrap().status, Status::Sent);
    let told = until("the first answer", answer(first)).await;
    assert!(told.contains("MessageStatus=sent") || told.contains("POST /"), "{told}");
    let second = until("the second callback", listener.accept()).await.unwrap().0;
    let told = until("the second answer", answer(second)).await;
    assert!(told.starts_with("POST /"), "{told}");
    harness.settled().await;
    assert_eq!(fetched(&harness, sid).await, ("delivered".to_owned(), None));
    let calls = harness.exchanges("webhook.status");
    let spans: Vec<_> = calls.iter().map(|call| call.outcome.is_some()).collect();
    assert_eq!(spans, [true, true]);
}

#[tokio::test]
async fn a_plan_decides_the_last_status_its_code_and_the_callbacks() {
    for (json, end, callbacks) in [
        (json!({ "code": 30003 }), ("undelivered", Some(30003)), vec!["sent", "undelivered 30003"]),
        (json!({ "code": 30001 }), ("failed", Some(30001)), vec!["failed 30001"]),
        (
            json!({ "status": "failed", "code": 30003 }),
            ("failed", Some(30003)),
            vec!["failed 30003"],
        ),
        (json!({ "status": "sent" }), ("sent", None), vec!["sent"]),
        (json!({ "callbacks": [] }), ("delivered", None), vec![]),
        (
            json!({ "callbacks": ["delivered", "sent", "delivered"] }),
            ("delivered", None),
            vec!["delivered", "sent", "delivered"],
        ),
    ] {
        let harness = Harness::start().await;
        harness.server.steer(plan(json.clone())).unwrap();
        let sid = send(&harness, PERSON).await;
        assert_eq!(fetched(&harness, &sid).await, (end.0.to_owned(), end.1), "{json}");
        assert_eq!(told(&harness), callbacks, "{json}");
    }
}

#[tokio::test]
async fn a_plan_is_for_a_number_and_for_so_many_messages() {
    let harness = Harness::start().await;
    let other = "+15550177777";
    harness.server.steer(plan(json!({ "to": PERSON, "code": 30007, "times": 1 }))).unwrap();
    for (to, end) in [(other, "delivered"), (PERSON, "undelivered"), (PERSON, "delivered")] {
        let sid = send(&harness, to).await;
        assert_eq!(fetched(&harness, &sid).await.0, end, "{to}");
    }
    harness.server.steer(plan(json!({ "code": 30007 }))).unwrap();
    harness.server.stop_steering();
    let sid = send(&harness, PERSON).await;
    assert_eq!(fetched(&harness, &sid).await.0, "delivered");
    let refused = harness.server.steer(plan(json!({ "status": "queued" })));
    assert!(refused.is_err(), "a message does not end as queued");
}

#[tokio::test]
async fn what_a_plan_puts_off_happens_at_its_business_time() {
    let harness = Harness::start().await;
    let late = json!({ "late": "30m", "callbacks": ["sent", { "status": "sent", "after": "1h" }, "delivered"] });
    harness.server.steer(plan(late)).unwrap();
    let sid = send(&harness, PERSON).await;
    let steps = [(0, "sent", 1), (29, "sent", 1), (1, "delivered", 2), (30, "delivered", 3)];
    for (minutes, status, callbacks) in steps {
        harness.clock.advance(SignedDuration::from_mins(minutes));
        harness.settled().await;
        assert_eq!(fetched(&harness, &sid).await.0, status);
        assert_eq!(told(&harness).len(), callbacks);
    }
    assert_eq!(told(&harness), ["sent", "delivered", "sent"]);
    let url = harness.url_of(&format!("Messages/{sid}.json"));
    assert_eq!(harness.delete(&url).await.0, StatusCode::NO_CONTENT);
}

/// The queue is left by the time that the message, or else its service, allows; business time alone counts.
#[tokio::test]
async fn a_message_that_waits_for_longer_than_its_validity_period_fails() {
    let service = "MG00000000000000000000000000000001";
    let harness = Harness::start_with(|options, _| {
        options.services = vec![crate::ServiceConfig {
            sid: service.into(),
            numbers: vec![NUMBER.into()],
            validity_period: 600,
            ..crate::ServiceConfig::default()
        }];
    })
    .await;
    harness.server.steer(plan(json!({ "queued": "15m", "late": "5m" }))).unwrap();
    let callback = format!("{}/status", harness.url);
    let mut sids = Vec::new();
    for (sender, value, period) in [
        ("From", NUMBER, Some("899")),
        ("From", NUMBER, Some("900")),
        ("From", NUMBER, None),
        ("MessagingServiceSid", service, None),
        ("MessagingServiceSid", service, Some("1200")),
    ] {
        let mut params =
            vec![("To", PERSON), (sender, value), ("Body", "a"), ("StatusCallback", &*callback)];
        params.extend(period.map(|period| ("ValidityPeriod", period)));
        let (status, json) = harness.create(&params).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        sids.push(json["sid"].as_str().unwrap().to_owned());
    }
    let steps = [
        (0, ["queued"; 5]),
        (599, ["queued"; 5]),
        (1, ["queued", "queued", "queued", "failed 30036", "queued"]),
        (298, ["queued", "queued", "queued", "failed 30036", "queued"]),
        (1, ["failed 30036", "queued", "queued", "failed 30036", "queued"]),
        (1, ["failed 30036", "sent", "sent", "failed 30036", "sent"]),
        (300, ["failed 30036", "delivered", "delivered", "failed 30036", "delivered"]),
    ];
    for (seconds, expected) in steps {
        harness.clock.advance(SignedDuration::from_secs(seconds));
        harness.settled().await;
        for (sid, expected) in sids.iter().zip(expected) {
            let (status, code) = fetched(&harness, sid).await;
            let got = code.map_or(status.clone(), |code| format!("{status} {code}"));
            assert_eq!(got, expected, "{sid}");
        }
    }
    let failed = harness.get(&harness.url_of(&format!("Messages/{}.json", sids[0]))).await.1;
    assert_eq!(failed["error_message"], "Validity Period Expired");
    assert_eq!(failed["date_sent"], json!(null));
    assert_eq!(told(&harness).iter().filter(|told| *told == "failed 30036").count(), 2);
    for period in ["0", "36001", "-1", "1.5", "soon"] {
        let params = [("To", PERSON), ("From", NUMBER), ("Body", "a"), ("ValidityPeriod", period)];
        let (status, json) = harness.create(&params).await;
        assert_eq!((status, &json["code"]), (StatusCode::BAD_REQUEST, &json!(21624)), "{period}");
    }
}

/// The carrier's word counts, and so does what came first: a message never goes back on its way.
#[tokio::test]
async fn what_was_put_off_does_not_undo_a_later_status() {
    let harness = Harness::start().await;
    harness.server.steer(plan(json!({ "late": "30m" }))).unwrap();
    let sid = send(&harness, PERSON).await;
    harness.server.report(sid.parse().unwrap(), Status::Undelivered, Some(30_003)).await.unwrap();
    harness.clock.advance(SignedDuration::from_mins(30));
    harness.settled().await;
    assert_eq!(fetched(&harness, &sid).await, ("undelivered".to_owned(), Some(30_003)));
}

#[tokio::test]
async fn a_message_of_which_the_carrier_says_nothing_is_given_up_after_an_hour() {
    let harness = Harness::start().await;
    harness.server.steer(plan(json!({ "status": "sent" }))).unwrap();
    let sid = send(&harness, PERSON).await;
    let url = harness.url_of(&format!("Messages/{sid}.json"));
    harness.clock.advance(SignedDuration::from_mins(59));
    assert_eq!(harness.delete(&url).await.1["code"], 20009);
    harness.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(harness.delete(&url).await.0, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn numbers_are_configured_again_as_they_were() {
    let harness = Harness::start().await;
    let before = harness.server.config();
    harness.server.configure(|config| config.webhook_url = Some("http://127.0.0.1:1/other".into()));
    assert_ne!(harness.server.config(), before);
    harness.server.restore_numbers();
    assert_eq!(harness.server.config(), before);
}

#[tokio::test]
async fn a_reset_forgets_plans_and_what_they_put_off() {
    let harness = Harness::start().await;
    harness.server.steer(plan(json!({ "late": "30m" }))).unwrap();
    send(&harness, PERSON).await;
    harness.server.reset();
    assert_eq!(harness.server.next_due(jiff::Timestamp::MAX), None);
    send(&harness, PERSON).await;
    assert_eq!(harness.server.messages()[0].status, Status::Delivered);
}

#[tokio::test]
async fn codes_of_faults_say_whether_a_message_failed_or_was_undelivered() {
    use rehearse_core::faults::Failure;
    for (code, end) in [("30002", "failed"), ("30005", "undelivered"), ("30034", "undelivered")] {
        let harness = Harness::start().await;
        let failure = Failure { code: Some(code.into()), ..Failure::default() };
        harness.inject("twilio.delivery", failure);
        let sid = send(&harness, PERSON).await;
        assert_eq!(fetched(&harness, &sid).await, (end.to_owned(), code.parse().ok()));
    }
}

#[tokio::test]
async fn what_is_forgotten_ends_without_a_callback_and_is_kept_no_longer_than_others() {
    let service = "MG00000000000000000000000000000001";
    let harness = Harness::start_with(|options, _| {
        options.messages_kept = Some(2);
        options.config.messaging_service_sid = Some(service.into());
    })
    .await;
    harness.server.steer(plan(json!({ "late": "5m", "times": 1 }))).unwrap();
    let late = send(&harness, PERSON).await;
    let callback = format!("{}/status", harness.url);
    let (_, scheduled) = harness
        .create(&[
            ("To", PERSON),
            ("MessagingServiceSid", service),
            ("Body", "later"),
            ("ScheduleType", "fixed"),
            ("SendAt", "2026-02-10T21:10:00Z"),
            ("StatusCallback", &callback),
        ])
        .await;
    harness.server.forget_due();
    assert_eq!(harness.server.next_due(jiff::Timestamp::MAX), None);
    harness.clock.advance(SignedDuration::from_hours(2));
    harness.settled().await;
    assert_eq!(told(&harness), ["sent"]);
    assert_eq!(fetched(&harness, &late).await, ("delivered".to_owned(), None));
    let scheduled = scheduled["sid"].as_str().unwrap();
    assert_eq!(fetched(&harness, scheduled).await, ("canceled".to_owned(), None));
    for _ in 0..3 {
        harness.send("a").await;
    }
    assert_eq!(harness.server.messages().len(), 2);
}
