//! Messaging Services: the resource, the pool, what they do with messages, and where texts to them go.

use http::StatusCode;
use jiff::SignedDuration;
use rehearse_testutils::until;
use serde_json::{Value, json};

use super::{harness::*, spec::check};
use crate::{Direction, Inbound, NumberConfig, ServiceConfig, Status};

const SECOND: &str = "+15550100001";
const SERVICE: &str = "MG000000000000000000000000000000aa";

async fn with_service(change: impl FnOnce(&mut ServiceConfig, &str)) -> Harness {
    Harness::start_with(|options, url| {
        let webhook_url = Some(format!("{url}/second"));
        options.other_numbers =
            vec![(SECOND.into(), NumberConfig { webhook_url, ..NumberConfig::default() })];
        let mut service = ServiceConfig {
            sid: SERVICE.into(),
            friendly_name: "Reminders".into(),
            numbers: vec![NUMBER.into(), SECOND.into()],
            inbound_request_url: Some(format!("{url}/service")),
            ..ServiceConfig::default()
        };
        change(&mut service, url);
        options.services = vec![service];
    })
    .await
}

impl Harness {
    fn services_url(&self, path: &str) -> String {
        format!("{}/v1/Services{path}", self.server.url())
    }

    async fn send_by(&self, more: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut params = vec![("To", PERSON), ("Body", "a"), ("MessagingServiceSid", SERVICE)];
        params.retain(|(key, _)| more.iter().all(|(other, _)| key != other));
        params.extend_from_slice(more);
        self.create(&params).await
    }

    fn senders(&self) -> Vec<String> {
        let messages = self.server.messages();
        messages.into_iter().filter_map(|message| message.from).collect()
    }

    async fn number_sid(&self, phone: &str) -> String {
        let (_, json) = self.get(&self.url_of("IncomingPhoneNumbers.json")).await;
        let numbers = json["incoming_phone_numbers"].as_array().unwrap();
        let number = numbers.iter().find(|number| number["phone_number"] == phone).unwrap();
        number["sid"].as_str().unwrap().to_owned()
    }
}

/// Source: the description in `fixtures/twilio/spec`.
#[tokio::test]
async fn services_are_created_listed_changed_and_deleted() {
    let harness = with_service(|_, _| {}).await;
    let url = harness.services_url("");
    assert_eq!(harness.post(&url, &[]).await.1["code"], 20001);
    for (key, value, code) in [
        ("InboundRequestUrl", "nonsense", 21502),
        ("InboundMethod", "PUT", 20001),
        ("StickySender", "perhaps", 20001),
        ("ValidityPeriod", "36001", 90007),
        ("FriendlyName", &"x".repeat(65), 20001),
    ] {
        let params = [("FriendlyName", "a"), (key, value)];
        let params = &params[usize::from(key == "FriendlyName")..];
        assert_eq!(harness.post(&url, params).await.1["code"], code, "{key}");
    }
    let (status, made) =
        harness.post(&url, &[("FriendlyName", "News"), ("Usecase", "marketing")]).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    check("/v1/Services/{Sid}", &made);
    for (key, value) in [
        ("friendly_name", json!("News")),
        ("usecase", json!("marketing")),
        ("inbound_request_url", Value::Null),
        ("sticky_sender", json!(true)),
        ("smart_encoding", json!(true)),
        ("validity_period", json!(36_000)),
        ("use_inbound_webhook_on_number", json!(false)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    let own = harness.services_url(&format!("/{}", made["sid"].as_str().unwrap()));
    let changes =
        [("StickySender", "false"), ("StatusCallback", "https://a/b"), ("MmsConverter", "false")];
    let (status, changed) = harness.post(&own, &changes).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    assert_eq!(
        (&changed["sticky_sender"], &changed["status_callback"], &changed["mms_converter"]),
        (&json!(false), &json!("https://a/b"), &json!(false))
    );
    assert_eq!(harness.get(&own).await.1, changed);
    let (_, first) = harness.get(&harness.services_url("?PageSize=1")).await;
    check("/v1/Services", &first);
    assert_eq!(first["services"][0]["sid"], SERVICE);
    let next = first["meta"]["next_page_url"].as_str().unwrap();
    assert!(next.starts_with(harness.server.url()), "a page leads nowhere else: {next}");
    let called = harness.services_url("?PageSize=1").replace("/v1/", "/caller/Front-1/v1/");
    let request = harness.web.get(&called).basic_auth(ACCOUNT, Some(TOKEN));
    let request = request.header(http::header::HOST, "messaging.twilio.com");
    let (_, same) = status_and_json(request.send().await.unwrap()).await;
    assert_eq!(same["meta"]["next_page_url"], next.replace("/v1/", "/caller/Front-1/v1/"));
    let (_, second) = harness.get(next).await;
    assert_eq!(second["services"], json!([changed]));
    assert_eq!(second["meta"]["next_page_url"], Value::Null);
    assert_eq!(harness.delete(&own).await.0, StatusCode::NO_CONTENT);
    let (status, gone) = harness.get(&own).await;
    assert_eq!((status, &gone["code"]), (StatusCode::NOT_FOUND, &json!(20404)));
    let said = gone["message"].as_str().unwrap();
    assert!(said.starts_with("The requested resource /Services/MG"), "{said}");
    assert_eq!(harness.exchanges("twilio.services.create").len(), 7);
}

#[tokio::test]
async fn a_number_belongs_to_one_service_until_it_is_removed() {
    let harness = with_service(|service, _| service.numbers = vec![SECOND.into()]).await;
    let (_, other) = harness.post(&harness.services_url(""), &[("FriendlyName", "News")]).await;
    let other = other["sid"].as_str().unwrap();
    let pool = harness.services_url(&format!("/{other}/PhoneNumbers"));
    let (first, second) = (harness.number_sid(NUMBER).await, harness.number_sid(SECOND).await);
    let add = |sid: &str| {
        let params = [("PhoneNumberSid", sid.to_owned())];
        let (harness, pool) = (&harness, &pool);
        async move { harness.post(pool, &[(params[0].0, params[0].1.as_str())]).await }
    };
    let by_other = [("MessagingServiceSid", other)];
    assert_eq!(harness.send_by(&by_other).await.1["code"], 21704);
    assert_eq!(harness.post(&pool, &[]).await.1["code"], 20001);
    assert_eq!(add("PN1").await.1["code"], 21421);
    let (status, json) = add(&second).await;
    assert_eq!((status, &json["code"]), (StatusCode::CONFLICT, &json!(21712)));
    let (status, json) = add(&first).await;
    assert_eq!((status, &json["phone_number"]), (StatusCode::CREATED, &json!(NUMBER)));
    check("/v1/Services/{ServiceSid}/PhoneNumbers/{Sid}", &json);
    let (status, again) = add(&first).await;
    assert_eq!((status, &again["code"]), (StatusCode::CONFLICT, &json!(21710)));
    let one = format!("{pool}/{first}");
    assert_eq!(harness.get(&one).await.1, json);
    let (_, listed) = harness.get(&pool).await;
    check("/v1/Services/{ServiceSid}/PhoneNumbers", &listed);
    assert_eq!(
        (&listed["phone_numbers"], &listed["meta"]["key"]),
        (&json!([json]), &json!("phone_numbers"))
    );
    assert_eq!(harness.send_by(&by_other).await.0, StatusCode::CREATED);
    harness.server.receive(text("hi")).await;
    let got = harness.server.messages().pop().unwrap();
    assert_eq!(got.direction, Direction::OutboundApi, "a service without a URL drops texts unseen");
    assert_eq!(harness.delete(&one).await.0, StatusCode::NO_CONTENT);
    assert_eq!(harness.delete(&one).await.0, StatusCode::NOT_FOUND);
    assert_eq!(harness.send_by(&by_other).await.1["code"], 21704);
    assert_eq!(
        harness.post(&harness.services_url("/MG1/PhoneNumbers"), &[]).await.0,
        StatusCode::NOT_FOUND
    );
    harness.server.restore_numbers();
    let (_, json) = harness.get(&harness.services_url("")).await;
    assert_eq!(json["services"].as_array().unwrap().len(), 1, "as at the start");
    assert_eq!(add(&second).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_service_sends_from_its_pool_to_each_person_from_the_same_number() {
    let harness = with_service(|_, _| {}).await;
    let (status, json) = harness.send_by(&[]).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &json!("accepted")));
    assert_eq!((&json["from"], &json["num_segments"]), (&Value::Null, &json!("0")));
    assert_eq!(json["messaging_service_sid"], SERVICE);
    harness.send_by(&[("To", "+15550123457")]).await;
    harness.send_by(&[]).await;
    // A service's sid is taken as `From` as well.
    let (_, json) = harness.create(&[("To", PERSON), ("From", SERVICE), ("Body", "a")]).await;
    assert_eq!((&json["from"], &json["messaging_service_sid"]), (&Value::Null, &json!(SERVICE)));
    assert_eq!(harness.senders(), [NUMBER, SECOND, NUMBER, NUMBER]);
    let (_, json) = harness.send_by(&[("From", SECOND)]).await;
    assert_eq!((&json["from"], &json["num_segments"]), (&json!(SECOND), &json!("1")));
    harness.server.reset();
    harness.send_by(&[("To", "+15550123457")]).await;
    assert_eq!(harness.senders(), [NUMBER], "nobody has a number of their own any more");
}

#[tokio::test]
async fn a_service_refuses_what_is_not_its_own() {
    let harness = with_service(|service, _| service.numbers = vec![NUMBER.into()]).await;
    let unknown = "MG000000000000000000000000000000ab";
    for (params, code) in [
        (vec![("MessagingServiceSid", unknown)], 21701),
        (vec![("MessagingServiceSid", "MG1")], 21705),
        (vec![("From", SECOND)], 21711),
        (vec![("Body", "")], 21619),
        (vec![("ValidityPeriod", "0")], 21624),
    ] {
        assert_eq!(harness.send_by(&params).await.1["code"], code, "{params:?}");
    }
    let from = [("To", PERSON), ("From", unknown), ("Body", "a")];
    assert_eq!(harness.create(&from).await.1["code"], 21701);
}

#[tokio::test]
async fn a_services_callback_is_called_unless_the_message_has_its_own() {
    let harness =
        with_service(|service, url| service.status_callback = Some(format!("{url}/all"))).await;
    harness.send_by(&[]).await;
    harness.settled().await;
    let own = format!("{}/own", harness.url);
    harness.send_by(&[("StatusCallback", &own)]).await;
    harness.settled().await;
    let got = harness.backend.requests();
    let seen: Vec<_> =
        got.iter().map(|got| (got.uri.as_str(), got.param("MessageStatus").unwrap())).collect();
    let expected = ["/all", "/own"]
        .into_iter()
        .flat_map(|url| ["queued", "sent", "delivered"].map(|status| (url, status.to_owned())));
    assert_eq!(seen, expected.collect::<Vec<_>>());
    for got in &got {
        assert_eq!(got.param("MessagingServiceSid").as_deref(), Some(SERVICE));
        assert_eq!(got.param("From").as_deref(), Some(NUMBER));
    }
}

#[tokio::test]
async fn texts_go_to_the_service_or_to_the_number_as_it_says() {
    let harness = with_service(|_, _| {}).await;
    let to_second = |body: &str| Inbound { to: Some(SECOND.into()), ..text(body) };
    harness.server.receive(to_second("one")).await;
    let url = harness.services_url(&format!("/{SERVICE}"));
    harness.post(&url, &[("UseInboundWebhookOnNumber", "true")]).await;
    harness.server.receive(to_second("two")).await;
    let fallback = format!("{}/fallback", harness.url);
    let changes = [
        ("UseInboundWebhookOnNumber", "false"),
        ("FallbackUrl", &*fallback),
        ("InboundMethod", "GET"),
    ];
    harness.post(&url, &changes).await;
    harness.backend.respond(StatusCode::INTERNAL_SERVER_ERROR);
    harness.server.receive(to_second("three")).await;
    let got = harness.backend.requests();
    let uris: Vec<_> = got.iter().map(|got| got.uri.split('?').next().unwrap()).collect();
    assert_eq!(uris, ["/service", "/second", "/service", "/fallback"]);
    for got in got.iter().filter(|got| got.method == "POST") {
        assert_eq!(got.param("MessagingServiceSid").as_deref(), Some(SERVICE), "{}", got.uri);
        assert_eq!(got.param("To").as_deref(), Some(SECOND), "{}", got.uri);
    }
}

#[tokio::test]
async fn an_opt_out_is_from_every_number_of_the_service() {
    let harness = with_service(|_, _| {}).await;
    harness.server.receive(Inbound { to: Some(SECOND.into()), ..text("STOP") }).await;
    let (status, json) = harness.send_by(&[]).await;
    assert_eq!((status, &json["status"]), (StatusCode::CREATED, &json!("accepted")));
    let failed = harness.server.messages().pop().unwrap();
    assert_eq!((failed.status, failed.error_code), (Status::Failed, Some(21610)));
    let direct = [("To", PERSON), ("From", NUMBER), ("Body", "a")];
    assert_eq!(harness.create(&direct).await.1["code"], 21610);
    assert_eq!(harness.server.opt_outs(), [(SERVICE.to_owned(), PERSON.to_owned())].into());
}

#[tokio::test]
async fn smart_encoding_replaces_typographic_characters() {
    let harness = with_service(|_, _| {}).await;
    let (typed, plain) = ("“It’s 10–11…”", "\"It's 10-11...\"");
    harness.send_by(&[("Body", typed)]).await;
    harness.send_by(&[("Body", typed), ("SmartEncoded", "false")]).await;
    let direct = [("To", PERSON), ("From", NUMBER), ("Body", typed)];
    harness.create(&direct).await;
    let url = harness.services_url(&format!("/{SERVICE}"));
    harness.post(&url, &[("SmartEncoding", "false")]).await;
    harness.send_by(&[("Body", typed)]).await;
    harness.send_by(&[("Body", typed), ("SmartEncoded", "true")]).await;
    let seen: Vec<_> =
        harness.server.messages().into_iter().map(|m| (m.body, m.encoding.as_str())).collect();
    let (smart, not) = ((plain.to_owned(), "GSM-7"), (typed.to_owned(), "UCS-2"));
    assert_eq!(seen, [smart.clone(), not.clone(), not.clone(), not, smart]);
}

#[tokio::test]
async fn a_scheduled_message_gets_its_sender_at_its_time() {
    let harness = with_service(|_, _| {}).await;
    let later =
        [("ScheduleType", "fixed"), ("SendAt", "2026-02-10T21:10:00Z")].map(|(k, v)| (k, v));
    let (_, json) = harness.send_by(&later).await;
    assert_eq!((&json["status"], &json["from"]), (&json!("scheduled"), &Value::Null));
    harness.send_by(&later).await;
    let sid = harness.number_sid(NUMBER).await;
    let one = harness.services_url(&format!("/{SERVICE}/PhoneNumbers/{sid}"));
    assert_eq!(harness.delete(&one).await.0, StatusCode::NO_CONTENT);
    harness.clock.advance(SignedDuration::from_hours(1));
    harness.settled().await;
    assert_eq!(harness.senders(), [SECOND, SECOND]);
    harness.send_by(&[("ScheduleType", "fixed"), ("SendAt", "2026-02-10T22:00:00Z")]).await;
    assert_eq!(
        harness.delete(&harness.services_url(&format!("/{SERVICE}"))).await.0,
        StatusCode::NO_CONTENT
    );
    harness.clock.advance(SignedDuration::from_hours(1));
    harness.settled().await;
    let failed = harness.server.messages().pop().unwrap();
    assert_eq!((failed.status, failed.error_code), (Status::Failed, Some(21704)));
    assert_eq!(failed.from, None, "no number has sent it");
}

#[tokio::test]
async fn a_scheduled_message_is_sent_by_itself_once_the_clock_is_let_run() {
    let harness = with_service(|_, _| {}).await;
    harness.send_by(&[("ScheduleType", "fixed"), ("SendAt", "2026-02-10T21:10:00Z")]).await;
    let mut changes = harness.journal.watch();
    harness.clock.let_run();
    harness.server.follow_running_clock();
    harness.clock.advance(SignedDuration::from_hours(1));
    let sent = || harness.journal.exchanges().named("sms.sent").count() == 1;
    until("the message to be sent", changes.wait_for(|_| sent())).await.unwrap();
}

#[tokio::test]
async fn a_scheduled_message_calls_the_callback_of_the_number_that_sends_it() {
    let harness = with_service(|service, _| service.numbers = vec![NUMBER.into()]).await;
    let url = format!("{}/number", harness.url);
    harness.server.configure(|number| number.status_callback = Some(url));
    harness.send_by(&[("ScheduleType", "fixed"), ("SendAt", "2026-02-10T21:10:00Z")]).await;
    harness.clock.advance(SignedDuration::from_hours(1));
    harness.settled().await;
    let got = harness.backend.requests();
    let seen: Vec<_> =
        got.iter().map(|got| (got.uri.as_str(), got.param("MessageStatus").unwrap())).collect();
    let expected = ["queued", "sent", "delivered"].map(|status| ("/number", status.to_owned()));
    assert_eq!(seen, expected);
}
