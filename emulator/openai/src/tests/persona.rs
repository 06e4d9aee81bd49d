//! A persona over HTTP.

use rehearse_core::yaml::Source;
use std::path::Path;

use serde_json::{Value, json};

use super::support::{TestServer, next, request, start, tool, user};
use crate::Persona;

fn linda() -> Persona {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/openai/linda.yaml");
    Persona::read(&path).unwrap()
}

/// Sends a text and plays the rounds that follow, with one result per call. Returns the calls and the
/// text of the model.
async fn turn(
    server: &TestServer,
    history: &mut Vec<Value>,
    text: &str,
    results: &[Value],
) -> (Vec<String>, String) {
    history.push(user(text));
    let mut input = history.clone();
    let (mut calls, mut results) = (Vec::new(), results.iter());
    loop {
        let mut body = request(json!(input));
        let maybe = json!({ "type": ["string", "null"] });
        let book = json!({
            "date": { "type": "string" }, "time": { "type": "string" },
            "repair_type": { "type": "string" }, "device": maybe, "customer_name": maybe
        });
        body["tools"].as_array_mut().unwrap().push(tool("book_slot", book));
        let answer = server.ask(&body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(server.ask(&body).await, answer);
        let call = answer.items().into_iter().find(|i| i["type"] == "function_call");
        let Some(call) = call else {
            // The backend keeps texts, not items.
            history.push(json!({ "role": "assistant", "content": answer.text() }));
            return (calls, answer.text().into());
        };
        calls.push(format!(
            "{} {}",
            call["name"].as_str().unwrap(),
            call["arguments"].as_str().unwrap()
        ));
        next(&mut input, &answer, &[results.next().unwrap().clone()]);
    }
}

#[tokio::test]
async fn a_slot_is_booked_over_three_turns() {
    let server = start().await;
    server.openai.set_persona(Some(linda()));
    let mut history = Vec::new();
    let (calls, said) = turn(&server, &mut history, "Do you fix iPhone screens?", &[]).await;
    assert!(calls.is_empty() && said.starts_with("Yes! iPhone screens are $79"), "{said}");
    let free = json!({ "success": true, "available_slots": ["1:00 PM", "2:00 PM"] });
    let (calls, said) = turn(&server, &mut history, "tomorrow at 2?", &[free]).await;
    assert_eq!(calls, [r#"check_availability {"date":"2026-02-11"}"#]);
    assert!(said.contains("Shall I book 2:00 PM"), "{said}");
    let (calls, said) = turn(&server, &mut history, "Yes", &[json!({ "success": true })]).await;
    assert_eq!(
        calls,
        [
            r#"book_slot {"date":"2026-02-11","time":"2:00 PM","repair_type":"screen","device":"iPhone","customer_name":null}"#
        ]
    );
    assert_eq!(said, "Done! See you then.");
    let (calls, _) = turn(
        &server,
        &mut history,
        "When is my appointment?",
        &[json!({ "success": true, "bookings": [] })],
    )
    .await;
    assert_eq!(calls, ["list_bookings {}"]);
}

#[tokio::test]
async fn a_script_that_matches_takes_precedence() {
    let server = start().await;
    server.openai.set_persona(Some(linda()));
    let armed = server.arm("[{ say: scripted }]");
    assert_eq!(server.ask(&request(json!("Hi"))).await.text(), "scripted");
    assert!(server.ask(&request(json!("thanks"))).await.text().contains("welcome"));
    assert_eq!(armed.finish(), []);
    assert!(server.openai.take_unexpected_requests().is_empty());
}

#[tokio::test]
async fn a_rule_that_cannot_be_rendered_is_an_error() {
    let server = start().await;
    let text = "name: L\ntimezone: UTC\nrules: [{ say: '{{ nobody }}' }]\n";
    let source = Source::new("l.yaml", text);
    server.openai.set_persona(Some(Persona::parse(&source).unwrap()));
    let answer = server.ask(&request(json!("Hi"))).await;
    assert_eq!(answer.status, 500);
    assert!(answer.error().2.starts_with("rehearse: persona, rule 1:"), "{answer:?}");
}

#[tokio::test]
async fn a_persona_obeys_the_request_or_says_which_rule_is_missing() {
    let server = start().await;
    let text = "
name: L
timezone: UTC
rules:
  - { text: [book], say: Which day? }
  - { text: [book], call: { list_bookings: {} } }
  - { text: [json], say: Just words. }
  - { text: [json], say: '{\"n\":1}' }
  - { text: [words], say: Just words. }
";
    server.openai.set_persona(Some(Persona::parse(&Source::new("l.yaml", text)).unwrap()));
    let ask = async |words: &str, key: &str, value: Value| {
        let mut body = request(json!(words));
        body[key] = value;
        server.ask(&body).await
    };
    // The first rule that may.
    assert_eq!(ask("book", "tool_choice", json!("none")).await.text(), "Which day?");
    let called = ask("book", "tool_choice", json!("required")).await;
    assert_eq!(called.items().last().unwrap()["name"], "list_bookings");
    let object = json!({ "format": { "type": "json_object" } });
    assert_eq!(ask("json", "text", object).await.text(), "{\"n\":1}");
    // No rule may.
    let named = json!({ "type": "function", "name": "check_availability" });
    for (words, key, value, missing) in [
        (
            "book",
            "tool_choice",
            named,
            "rule 1 fits, but the model cannot answer with text: the request's tool_choice asks for a call of 'check_availability'; a rule for the text \"book\" is missing that has a 'call' of check_availability",
        ),
        (
            "words for Jason",
            "text",
            json!({ "format": { "type": "json_schema", "name": "n", "strict": true, "schema": {
                "type": "object", "properties": {}, "required": [], "additionalProperties": false
            } } }),
            "rule 5 fits, but the model cannot say \"Just words.\": the request's text.format asks for JSON by a strict schema; a rule for the text \"words for Jason\" is missing that has a 'say' of such JSON",
        ),
    ] {
        let answer = ask(words, key, value).await;
        assert_eq!(answer.status, 500);
        assert!(answer.error().2.contains(missing), "{answer:?}");
    }
}
