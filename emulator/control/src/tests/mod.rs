//! The API over real HTTP, on a world whose backend greets whoever writes, or asks the model.

mod console;
mod faults;
mod journal;
mod model;
mod openapi;
mod scripts;
mod state;
mod support;
mod texts;

use axum::{Router, http::header, routing::post};

use self::support::{CUSTOMER, Running, loopback};
use super::*;
use rehearse_aws::Function;
use rehearse_core::journal::{ExchangeDetail, Limits};
use rehearse_testutils::{self as testing, TEMPLATE};
use rehearse_world::World;

#[tokio::test]
async fn a_text_comes_back_with_its_delivery_and_replies() {
    let running = Running::start().await;
    let sent = running.hello().await;
    assert_eq!(sent.attempts.len(), 1);
    assert_eq!(sent.attempts[0].status, Some(200));
    let bodies: Vec<&str> = sent.replies.iter().map(|r| r.body.as_str()).collect();
    assert_eq!(bodies, ["Hello"]);
    assert_eq!(sent.replies[0].to, CUSTOMER);
    let all = running.messages().await;
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].via, all[0].body.as_str()), (None, "hi"));
}

#[tokio::test]
async fn people_go_by_name_or_number_and_no_other_way() {
    let running = Running::start().await;
    let from = |who: &str| SmsRequest {
        from: Some(who.into()),
        body: "hi".into(),
        ..SmsRequest::default()
    };
    assert!(running.client.sms(&from("+19045550102")).await.is_ok());
    let error = running.client.sms(&from("custmer")).await.unwrap_err();
    let ClientError::Refused { status: 400, error, help } = error else { panic!("{error}") };
    assert!(error.contains("custmer"), "{error}");
    assert_eq!(help.as_deref(), Some("people there: customer"));
}

#[tokio::test]
async fn what_twilio_refuses_is_said_with_its_code_and_words() {
    let running = Running::start().await;
    let text = |body: &str| SmsRequest { body: body.into(), ..SmsRequest::default() };
    let sent = running.client.sms(&text("STOP")).await.unwrap();
    let error =
        TwilioProblem { code: 21610, text: "Attempt to send to unsubscribed recipient".into() };
    let refused = RefusedText { to: CUSTOMER.into(), body: "Hello".into(), error: error.clone() };
    assert_eq!((sent.refused, sent.failure), (vec![refused], None));
    assert_eq!(sent.problems, [error]);
    assert_eq!(sent.replies.len(), 1, "Twilio's own notice");
    let empty = running.client.sms(&text("")).await.unwrap();
    assert_eq!(empty.attempts[0].status, Some(200));
    let stranger = SmsRequest { to: Some("+15550100009".into()), ..text("hi") };
    let ClientError::Refused { status: 400, error, .. } =
        running.client.sms(&stranger).await.unwrap_err()
    else {
        panic!("a number that is not the account's");
    };
    assert!(error.contains("no number of the account"), "{error}");
}

#[tokio::test]
async fn deliveries_are_steered_and_nonsense_is_refused() {
    let running = Running::start().await;
    let url = format!("{}/delivery", running.server.url());
    let http = loopback_client().unwrap();
    let plan = r#"{"to": "customer", "code": 30003}"#;
    assert!(http.post(&url).body(plan).send().await.unwrap().status().is_success());
    running.hello().await;
    let last = || running.world.twilio().messages().pop().unwrap();
    assert_eq!(last().error_code, Some(30003));
    assert!(http.delete(&url).send().await.unwrap().status().is_success());
    running.hello().await;
    assert_eq!(last().error_code, None);
    for (body, message) in [
        (r#"{"to": "custmer"}"#, "custmer"),
        (r#"{"status": "queued"}"#, "does not end as queued"),
        (r#"{"sttus": "sent"}"#, "sttus"),
    ] {
        let (status, error) = running.raw("POST", "/delivery", body).await;
        assert!(status == 400 && error.error.contains(message), "{status} {}", error.error);
    }
}

#[tokio::test]
async fn the_journal_waits_for_news_and_says_when_it_began_anew() {
    let running = Running::start().await;
    running.hello().await;
    let page = running.client.journal(&JournalQuery::default()).await.unwrap();
    assert!(page.entries.iter().any(|e| e.name == "webhook.sms"));
    let query = JournalQuery {
        since: Some(page.entries.len() as u64),
        changes: Some(page.changes),
        wait: 30_000,
        ..JournalQuery::default()
    };
    let (next, _) = tokio::join!(running.client.journal(&query), running.hello());
    assert!(next.unwrap().entries.iter().any(|e| e.name == "sms.received"));
    running.client.reset().await.unwrap();
    let after = running.client.journal(&JournalQuery::default()).await.unwrap();
    assert_eq!((after.resets, after.entries.len()), (page.resets + 1, 0));
}

fn log_lines(world: &World, count: usize) {
    for _ in 0..count {
        let detail =
            ExchangeDetail::Log { function: "F".into(), request_id: None, line: "x".into() };
        world.journal().note("log", detail);
    }
}

#[tokio::test]
async fn what_the_journal_has_dropped_is_gone_and_what_is_left_is_named() {
    let limits = Limits { exchanges: 5, ..Limits::default() };
    let running = Running::with(testing::hello(), Some(limits)).await;
    log_lines(&running.world, 12);
    let (status, error) = running.raw("GET", "/journal?since=3", "").await;
    assert_eq!((status, error.first), (410, Some(7)));
    assert!(error.error.contains("before position 7"), "{}", error.error);
    assert!(error.help.unwrap().contains("since=7"));
    let since = |since| JournalQuery { since, ..JournalQuery::default() };
    let error = running.client.journal(&since(Some(6))).await.unwrap_err();
    assert!(matches!(error, ClientError::Dropped { first: 7 }), "{error}");
    let phone = JournalQuery { phone: Some("customer".into()), ..since(Some(0)) };
    let error = running.client.journal(&phone).await.unwrap_err();
    assert!(matches!(error, ClientError::Dropped { first: 7 }), "{error}");
    for query in [since(Some(7)), since(None)] {
        let page = running.client.journal(&query).await.unwrap();
        let seqs: Vec<u64> = page.entries.iter().map(|exchange| exchange.seq).collect();
        assert_eq!((page.first, seqs), (7, vec![7, 8, 9, 10, 11]));
    }
    let page = running.client.journal(&since(Some(12))).await.unwrap();
    assert!(page.entries.is_empty());
}

#[tokio::test]
async fn replies_to_a_text_are_found_however_little_the_journal_keeps() {
    // The journal keeps the second reply only, unless it is told to hold both.
    let twice = Function::new("Hello", |_| {
        let twiml = "<Response><Message>One</Message><Message>Two</Message></Response>";
        let respond = move || async move { ([(header::CONTENT_TYPE, "text/xml")], twiml) };
        Ok(Router::new().route("/sms", post(respond)))
    });
    let limits = Limits { exchanges: 1, ..Limits::default() };
    let running = Running::with(twice, Some(limits)).await;
    for _ in 0..3 {
        let sent = running.hello().await;
        let bodies: Vec<&str> = sent.replies.iter().map(|reply| reply.body.as_str()).collect();
        assert_eq!(bodies, ["One", "Two"]);
    }
    let page = running.client.journal(&JournalQuery::default()).await.unwrap();
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn a_wait_without_news_ends() {
    let running = Running::start().await;
    let changes = running.client.journal(&JournalQuery::default()).await.unwrap().changes;
    let query = JournalQuery { changes: Some(changes), wait: 20, ..JournalQuery::default() };
    let page = testing::until("the end of the wait", running.client.journal(&query)).await;
    assert!(page.unwrap().entries.is_empty());
}

#[tokio::test]
async fn one_phone_sees_its_own_conversation() {
    let running = Running::start().await;
    running.hello().await;
    let other = SmsRequest {
        from: Some("+19045550102".into()),
        body: "yo".into(),
        ..SmsRequest::default()
    };
    running.client.sms(&other).await.unwrap();
    let query = JournalQuery { phone: Some("customer".into()), ..JournalQuery::default() };
    let page = running.client.journal(&query).await.unwrap();
    let names: Vec<&str> = page.entries.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["sms.received", "webhook.sms", "http.POST /sms", "sms.sent"]);
}

#[tokio::test]
async fn tables_are_read_by_their_logical_id_and_emptied_by_a_reset() {
    let running = Running::start().await;
    running.world.database().put_rows("Leads", &[serde_json::json!({"id": "L1"})]).await.unwrap();
    let url = format!("{}/tables/Leads", running.server.url());
    let http = loopback_client().unwrap();
    let read = || async { http.get(&url).send().await.unwrap().json::<Rows>().await.unwrap() };
    assert_eq!(read().await.rows, [serde_json::json!({"id": "L1"})]);
    let (status, error) = running.raw("GET", "/tables/Lead", "").await;
    assert_eq!(status, 404);
    assert!(error.error.contains("did you mean `Leads`?"), "{}", error.error);
    running.client.reset().await.unwrap();
    assert!(read().await.rows.is_empty());
}

#[tokio::test]
async fn the_clock_moves_to_a_moment_or_by_a_length() {
    let running = Running::start().await;
    let http = loopback_client().unwrap();
    let url = format!("{}/clock", running.server.url());
    let call = |body: &'static str| {
        let request = http.post(&url).body(body);
        async { request.send().await.unwrap().json::<ClockResponse>().await.unwrap().now }
    };
    let moved = call(r#"{"now": "2030-01-01T00:00:00Z"}"#).await;
    let later = call(r#"{"advance": "1 day 2h"}"#).await;
    assert_eq!(later.duration_since(moved).as_hours(), 26);
    let (status, error) = running.raw("POST", "/clock", r#"{"advance": "-PT1H"}"#).await;
    assert!(status == 400 && error.error.contains("forward only"), "{error:?}");
    assert!(call(r#"{"now": "2029-01-01T00:00:00Z"}"#).await < moved);
    for body in
        ["{}", r#"{"advance": "soon"}"#, r#"{"now": "2030-01-01T00:00:00Z", "advance": "1h"}"#]
    {
        assert_eq!(running.raw("POST", "/clock", body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn a_move_of_the_clock_fires_schedules_before_it_is_answered() {
    let schedule = "Every: { Type: Schedule, Properties: { Schedule: rate(1 hour) } }";
    let template = TEMPLATE.replace("Events:\n", &format!("Events:\n        {schedule}\n"));
    let running = Running::with_template(testing::hello(), None, &template).await;
    let url = format!("{}/clock", running.server.url());
    let moved = loopback_client().unwrap().post(&url).body(r#"{"advance": "150m"}"#).send().await;
    assert!(moved.unwrap().status().is_success());
    let fired = running.world.journal().exchanges().named("schedule.Hello");
    // It has no `/events`, which is a failure: each moment is fired, and repeated twice.
    assert_eq!(fired.count(), 6);
    assert!(fired.into_iter().all(|exchange| exchange.outcome.is_some()));
}

#[tokio::test]
async fn armed_faults_are_injected_and_disarmed() {
    let running = Running::start().await;
    let http = loopback_client().unwrap();
    let url = format!("{}/faults", running.server.url());
    let fault = r#"{"on": "webhook.sms", "failure": {"status": 503}}"#;
    assert!(http.post(&url).body(fault).send().await.unwrap().status().is_success());
    assert_eq!(running.hello().await.attempts[0].status, Some(503));
    assert!(http.delete(&url).send().await.unwrap().status().is_success());
    assert_eq!(running.hello().await.attempts[0].status, Some(200));
    let wrong = r#"{"on": "webhook.smss", "failure": {"status": 503}}"#;
    let (status, error) = running.raw("POST", "/faults", wrong).await;
    assert!(status == 400 && error.error.contains("did you mean `webhook.sms`?"), "{error:?}");
    let success = r#"{"on": "webhook.sms", "failure": {"status": 200}}"#;
    let (status, error) = running.raw("POST", "/faults", success).await;
    assert!(status == 400 && error.error.contains("200 is not a status of a failure"), "{error:?}");
}

#[tokio::test]
async fn wrong_calls_get_an_error_that_says_what_is_right() {
    let running = Running::start().await;
    let (status, error) = running.raw("GET", "/nowhere", "").await;
    assert_eq!(status, 404);
    assert!(error.help.unwrap().contains("/sms"));
    assert_eq!(running.raw("DELETE", "/sms", "").await.0, 405);
    let (status, error) = running.raw("POST", "/sms", r#"{"bdy": "hi"}"#).await;
    assert_eq!(status, 400);
    assert!(error.error.contains("unknown field `bdy`") && error.error.contains("line 1"));
    assert_eq!(running.raw("POST", "/sms", r#"{"from": "customer"}"#).await.0, 400);
    let (status, error) = running.raw("POST", "/sms", &" ".repeat((1 << 20) + 1)).await;
    assert!(status == 413 && error.error.contains("length limit"), "{error:?}");
    assert_eq!(running.raw("GET", "/journal?since=x", "").await.0, 400);
    assert_eq!(running.raw("GET", "/journal?sinse=1", "").await.0, 400);
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let running = Running::start().await;
    let http = loopback_client().unwrap();
    let url = format!("{}/reset", running.server.url());
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let response = http.post(&url).header(name, value).send().await.unwrap();
        assert_eq!(response.status(), 403, "{name}");
    }
}

#[tokio::test]
async fn something_else_on_the_port_is_told_apart() {
    let listener = loopback().await;
    let url = format!("http://{}", listener.local_addr().unwrap());
    let other = Router::new().fallback(|| async { "<html>" });
    let serving = tokio::spawn(async { axum::serve(listener, other).await.unwrap() });
    let error = Client::new(&url).unwrap().ready().await.unwrap_err();
    assert!(matches!(error, ClientError::NotControl { .. }), "{error}");
    serving.abort();
}
