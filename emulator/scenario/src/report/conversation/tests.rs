//! Journals as lines of a conversation.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use rehearse_core::{
    clock::Clock,
    journal::{ExchangeDetail, Journal, Outcome, Via},
};

const CUSTOMER: &str = "+19042520927";

fn reader() -> Reader {
    let people = BTreeMap::from([(CUSTOMER.to_owned(), "customer".to_owned())]);
    let tables = BTreeMap::from([("Repairs_Schedule".to_owned(), "Schedule".to_owned())]);
    Reader::new(people, Detail::Everything).with_tables(tables)
}

fn journal() -> Journal {
    Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH))
}

fn call(journal: &Journal, operation: &str, outcome: Outcome) {
    let exchange = ExchangeDetail::Database {
        function: None,
        operation: operation.into(),
        tables: vec!["Repairs_Schedule".into()],
        items: 1,
        request: json!({}),
    };
    journal.begin(format!("dynamodb.{operation}"), exchange).end(outcome);
}

fn sent(journal: &Journal, body: &str, outcome: Outcome) {
    let exchange = ExchangeDetail::SmsSent {
        sid: "SM1".into(),
        from: "+19045550100".into(),
        to: CUSTOMER.into(),
        body: body.into(),
        media: vec![],
        segments: 2,
        encoding: "GSM-7".into(),
        via: Via::Twiml,
        in_reply_to: None,
    };
    journal.begin("sms.sent", exchange).end(outcome);
}

fn told(lines: &[ConversationLine]) -> Vec<(String, Tone)> {
    lines.iter().map(|l| (format!("{} {}", l.label, l.text), l.tone)).collect()
}

#[test]
fn database_calls_in_a_row_are_one_line_and_add_up() {
    let journal = journal();
    let found = |n: usize| Outcome::status(200, json!({ "Items": vec![json!({}); n] }));
    call(&journal, "Query", found(3));
    call(&journal, "PutItem", Outcome::status(200, json!({})));
    call(&journal, "Query", found(2));
    sent(&journal, "Hello", Outcome::default());
    let mut reader = reader();
    let exchanges = journal.since(0);
    assert_eq!(reader.next(&exchanges[..2]), []);
    assert!(reader.waits());
    let lines = reader.next(&exchanges[2..]);
    assert_eq!(
        told(&lines),
        [
            ("database Query Schedule 5 · PutItem Schedule 1".into(), Tone::Quiet),
            ("customer ← Hello  (2 segments)".into(), Tone::Shop),
        ]
    );
    assert!(!reader.waits());
}

#[test]
fn what_fails_is_told_even_without_details() {
    let journal = journal();
    call(&journal, "PutItem", Outcome::status(400, json!({})).with_error("Throttled"));
    sent(&journal, "Hello", Outcome::default().with_error("21610"));
    let request = json!({ "input": "hi" });
    let exchange = ExchangeDetail::Model { request, script: None };
    let error = json!({ "error": { "message": "Slow down.\nPlease." } });
    let outcome = Outcome::status(429, error).with_error("rate_limit_exceeded");
    journal.begin("openai.responses", exchange).end(outcome);
    let mut reader = Reader::new(BTreeMap::new(), Detail::Story);
    assert_eq!(
        told(&reader.lines(&journal.since(0))),
        [
            ("database PutItem Repairs_Schedule: 400 Throttled".into(), Tone::Trouble),
            (
                format!(
                    "{CUSTOMER} ← not sent, 21610 (Attempt to send to unsubscribed recipient): Hello  (2 segments)"
                ),
                Tone::Trouble
            ),
            ("model 429 rate_limit_exceeded: Slow down.".into(), Tone::Trouble),
        ]
    );
}

#[test]
fn a_refusal_of_the_fake_says_who_refuses_once() {
    for (status, message) in [(Some(400), "rehearse: no round is left"), (None, "rehearse: cut")] {
        let journal = journal();
        let exchange = ExchangeDetail::Model { request: json!({ "input": "hi" }), script: None };
        let answer = json!({ "error": { "message": message, "code": "rehearse" } });
        let outcome = Outcome { status, response: answer, error: None }.with_error("rehearse");
        journal.begin("openai.responses", exchange).end(outcome);
        let lines = reader().lines(&journal.since(0));
        let status = status.map(|s| format!("{s} ")).unwrap_or_default();
        assert_eq!(told(&lines), [(format!("model {status}{message}"), Tone::Trouble)]);
    }
}

#[test]
fn twilios_own_call_is_told_only_when_it_fails() {
    let journal = journal();
    let http = |body: &str, status| {
        let exchange = ExchangeDetail::Http {
            function: None,
            method: "POST".into(),
            path: "/dispatcher".into(),
            body: body.into(),
            headers: Vec::new(),
        };
        journal.begin("http", exchange).end(Outcome::status(status, Value::Null));
    };
    http("MessageSid=SM1&Body=hi", 200);
    http("MessageSid=SM1&Body=hi", 500);
    http("phone=1", 201);
    let lines = reader().lines(&journal.since(0));
    let texts: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
    assert_eq!(texts, ["POST /dispatcher → 500", "POST /dispatcher → 201"]);
}

#[test]
fn a_complete_conversation_has_requests_above_their_calls_and_bodies_of_what_failed() {
    let journal = journal();
    let http = ExchangeDetail::Http {
        function: None,
        method: "POST".into(),
        path: "/form".into(),
        body: "phone=1".into(),
        headers: Vec::new(),
    };
    let request = journal.begin("http.POST /form", http);
    call(&journal, "Query", Outcome::status(200, json!({ "Items": [] })));
    let detail = ExchangeDetail::Twilio {
        method: "POST".into(),
        path: "/Messages".into(),
        params: vec![("Body".into(), "Hello".into())],
    };
    let refused = journal.begin("twilio.messages.create", detail);
    refused.injected(&"503");
    refused.end(Outcome::status(503, json!("no")).with_error("20500"));
    request.end(Outcome::status(500, json!({ "error": "x" })));
    let lines = reader().complete().lines(&journal.since(0));
    let told: Vec<(&str, &str)> =
        lines.iter().map(|line| (line.label.as_str(), line.text.as_str())).collect();
    let labels: Vec<&str> = told.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, ["http", "asked", "answered", "database", "twilio", "asked", "answered"]);
    assert!(
        told[0].1.starts_with("POST /form → 500  (") && told[0].1.ends_with(" ms)"),
        "{told:?}"
    );
    assert_eq!((told[1].1, told[2].1), ("phone=1", r#"{"error":"x"}"#));
    assert!(told[3].1.starts_with("Query Schedule 0  ("), "{told:?}");
    assert!(told[4].1.ends_with("[injected: 503]"), "{told:?}");
    assert_eq!((told[5].1, told[6].1), (r#"{"Body":"Hello"}"#, "no"));
}

#[test]
fn equal_failures_in_a_row_are_one_line_and_a_count() {
    let journal = journal();
    let fail = |count, operation| {
        for _ in 0..count {
            let outcome = Outcome::status(400, json!({})).with_error("Throttled");
            call(&journal, operation, outcome);
        }
    };
    fail(13, "PutItem");
    fail(2, "Query");
    let lines = Reader::new(BTreeMap::new(), Detail::Story).lines(&journal.since(0));
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let (put, query) =
        ("PutItem Repairs_Schedule: 400 Throttled", "Query Repairs_Schedule: 400 Throttled");
    assert_eq!(texts, [put, "12 more", query, query]);
}
