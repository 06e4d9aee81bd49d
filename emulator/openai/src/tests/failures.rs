//! Failures that a script or fault asks for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::support::{TestServer, next, request, start, user};
use rehearse_core::{
    faults::{Cut, Failure, Fault},
    journal::Outcome,
};

async fn statuses<const N: usize>(server: &TestServer) -> [u16; N] {
    let mut all = [0; N];
    for status in &mut all {
        *status = server.ask(&request(json!("Hi"))).await.status;
    }
    all
}

#[tokio::test]
async fn a_failure_happens_as_often_as_it_says() {
    let server = start().await;
    let armed = server.arm("[{ fail: 503 }, { say: Hello }]");
    assert_eq!(statuses(&server).await, [503, 200, 200]);
    assert_eq!(armed.finish(), []);

    let armed = server.arm("[{ fail: { status: 500, times: 2 } }, { say: Hello }]");
    assert_eq!(statuses(&server).await, [500, 500, 200]);
    assert_eq!(armed.finish(), []);

    let armed = server.arm("[{ fail: { status: 429, retry_after: 1 }, say: Hello }]");
    assert_eq!(statuses(&server).await, [429, 200, 200]);
    assert_eq!(armed.finish(), []);

    let armed = server.arm("[{ fail: 503 }]");
    assert_eq!(statuses(&server).await, [503, 503, 503]);
    assert_eq!(armed.finish(), []);

    let armed = server.arm("[{ fail: { status: 503, times: 1 } }]");
    assert_eq!(statuses(&server).await, [503, 400]);
    assert!(armed.finish()[0].title.contains("no round is left"));
}

#[tokio::test]
async fn failures_have_the_providers_error_bodies() {
    let server = start().await;
    for (fail, status, kind, code) in [
        ("{ status: 429, retry_after: 7 }", 429, "tokens", "rate_limit_exceeded"),
        (
            "{ status: 429, code: insufficient_quota }",
            429,
            "insufficient_quota",
            "insufficient_quota",
        ),
        ("500", 500, "server_error", "server_error"),
        ("503", 503, "service_unavailable_error", "server_is_overloaded"),
        ("401", 401, "invalid_request_error", "invalid_api_key"),
        ("404", 404, "invalid_request_error", "model_not_found"),
        (
            "{ status: 400, code: context_length_exceeded }",
            400,
            "invalid_request_error",
            "context_length_exceeded",
        ),
    ] {
        let _armed = server.arm(&format!("[{{ fail: {fail} }}]"));
        let response = server.send("/responses", &request(json!("Hi"))).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let after = response.headers().get("retry-after").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(after, fail.contains("retry_after").then(|| "7".into()));
        if status == 429 {
            assert_eq!(response.headers()["x-ratelimit-remaining-tokens"], "0");
        }
        let body: Value = response.json().await.unwrap();
        assert_eq!((&body["error"]["type"], &body["error"]["code"]), (&json!(kind), &json!(code)));
    }
}

#[tokio::test]
async fn connections_are_cut_before_after_and_in_the_middle() {
    let server = start().await;
    for (cut, stream) in
        [("before", false), ("after", false), ("mid-stream", false), ("mid-stream", true)]
    {
        let armed =
            server.arm(&format!("[{{ fail: {{ cut: {cut} }}, say: 'Hello, how are you?' }}]"));
        let mut body = request(json!("Hi"));
        body["stream"] = json!(stream);
        let lost = match server.send("/responses", &body).await {
            Err(_) => "all",
            Ok(response) => {
                assert_eq!(response.status().as_u16(), 200);
                assert!(response.text().await.is_err());
                "rest"
            }
        };
        assert_eq!(lost, if cut == "mid-stream" { "rest" } else { "all" }, "{cut}");
        let outcome = server.exchanges().pop().unwrap().outcome.unwrap();
        assert_eq!(outcome.error.as_deref(), Some("cut"));
        assert_eq!(outcome.response.is_null(), cut == "before");
        body["stream"] = json!(false);
        assert_eq!(server.ask(&body).await.text(), "Hello, how are you?");
        assert_eq!(armed.finish(), []);
    }
}

#[tokio::test]
async fn a_stream_can_end_with_an_error_event() {
    let server = start().await;
    let _armed =
        server.arm("[{ fail: { status: 500, cut: mid-stream }, say: 'Hello, how are you?' }]");
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    let events = server.events("/responses", &body).await;
    let [.., (name, error), (last, failed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((name.as_str(), &error["type"]), ("error", &json!("error")));
    assert_eq!(
        (&error["code"], &error["error"]["code"]),
        (&json!("server_error"), &json!("server_error"))
    );
    assert_eq!(error["sequence_number"], events.len() - 2);
    assert_eq!(
        (last.as_str(), &failed["sequence_number"]),
        ("response.failed", &json!(events.len() - 1))
    );
    let response = &failed["response"];
    assert_eq!((&response["status"], &response["output"]), (&json!("failed"), &json!([])));
    assert_eq!(response["error"]["code"], "server_error");
    assert!(response["error"]["message"].as_str().unwrap().contains("had an error"));
    assert!(!events.iter().any(|(name, _)| name == "response.completed"));
}

#[tokio::test]
async fn a_delay_passes_in_real_time_before_the_reply() {
    let server = start().await;
    let armed = server.arm("[{ fail: { delay: 60ms }, say: Hello }]");
    for _ in 0..2 {
        let started = Instant::now();
        assert_eq!(server.ask(&request(json!("Hi"))).await.text(), "Hello");
        assert!(started.elapsed() >= Duration::from_millis(60));
    }
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn the_journal_records_a_client_that_disconnects() {
    let server = start().await;
    let _armed = server.arm("[{ fail: { delay: 30s }, say: Hello }]");
    let mut changes = server.journal.watch();
    let body = request(json!("Hi"));
    tokio::select! {
        _ = server.ask(&body) => panic!("answered at once"),
        begun = changes.changed() => begun.unwrap(),
    }
    // The connection was closed with the request above; the server notices and ends the exchange.
    let ended = async {
        while server.exchanges()[0].outcome.is_none() {
            changes.changed().await.unwrap();
        }
    };
    timeout(Duration::from_secs(10), ended).await.expect("the exchange ends within ten seconds");
    assert_eq!(server.exchanges()[0].outcome, Some(Outcome::cut()));
}

#[tokio::test]
async fn refusals_and_empty_incomplete_and_malformed_responses_are_sent() {
    let server = start().await;
    let refused = {
        let _armed = server.arm("[{ fail: { refusal: I cannot do that. } }]");
        server.ask(&request(json!("Hi"))).await
    };
    assert_eq!(
        refused.items()[0]["content"],
        json!([{ "type": "refusal", "refusal": "I cannot do that." }])
    );
    let empty = {
        let _armed = server.arm("[{ fail: empty }]");
        server.ask(&request(json!("Hi"))).await
    };
    assert_eq!((empty.status, empty.items()), (200, vec![]));
    for reason in ["max_output_tokens", "content_filter"] {
        let _armed = server.arm(&format!("[{{ fail: {{ incomplete: {reason} }}, say: Hello }}]"));
        let cut = server.ask(&request(json!("Hi"))).await;
        assert_eq!((&cut.body["status"], cut.text()), (&json!("incomplete"), "Hello"));
        assert_eq!(cut.body["incomplete_details"], json!({ "reason": reason }));
        let mut body = request(json!("Hi"));
        body["stream"] = json!(true);
        assert_eq!(
            server.events("/responses", &body).await.last().unwrap().0,
            "response.incomplete"
        );
    }
    let _armed = server.arm("[{ fail: malformed }]");
    let body =
        server.send("/responses", &request(json!("Hi"))).await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&body).is_err());
}

#[tokio::test]
async fn malformed_arguments_are_repeated_and_a_result_leads_on() {
    let server = start().await;
    let armed = server.arm(
        "
- { fail: malformed, call: [{ check_availability: { date: 2026-02-11 } }] }
- { sees: { results: [{ success: false }] }, say: Sorry. }
",
    );
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    let arguments = first.items().pop().unwrap()["arguments"].as_str().unwrap().to_owned();
    assert!(serde_json::from_str::<Value>(&arguments).is_err());
    assert_eq!(server.ask(&request(json!(history))).await, first);
    next(&mut history, &first, &[json!({ "success": false })]);
    assert_eq!(server.ask(&request(json!(history))).await.text(), "Sorry.");
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn faults_take_precedence_over_scripts() {
    let server = start().await;
    let armed = server.arm("[{ say: Hello }]");
    let arm = |failure: Failure| {
        server.faults.arm(Fault {
            on: "openai.responses".into(),
            failure,
            times: Some(1),
            ..Fault::default()
        });
    };
    arm(Failure { status: Some(429), retry_after: Some(2), ..Failure::default() });
    assert_eq!(statuses(&server).await, [429, 200]);
    arm(Failure { cut: Some(Cut::Before), ..Failure::default() });
    assert!(server.send("/responses", &request(json!("Hi"))).await.is_err());
    assert_eq!(server.responding_rounds().pop().unwrap(), "");
    arm(Failure { cut: Some(Cut::After), ..Failure::default() });
    assert!(server.send("/responses", &request(json!("Hi"))).await.is_err());
    assert_eq!(server.responding_rounds().pop().unwrap(), "step 1, round 1");
    arm(Failure { cut: Some(Cut::MidStream), ..Failure::default() });
    let response = server.send("/responses", &request(json!("Hi"))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "half of the body arrives");
    arm(Failure { malformed: true, ..Failure::default() });
    let response = server.send("/responses", &request(json!("Hi"))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json::<serde_json::Value>().await.is_err(), "it is no JSON");
    arm(Failure { delay_ms: Some(50), ..Failure::default() });
    let started = Instant::now();
    assert_eq!(statuses(&server).await, [200]);
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(armed.finish(), []);
}

fn chat() -> Value {
    json!({ "model": "gpt-4.1", "messages": [user("Hi")] })
}

#[tokio::test]
async fn a_stream_of_chat_completions_ends_with_its_own_form_of_an_error() {
    let server = start().await;
    for (fail, kind, code) in [
        ("{ status: 500, cut: mid-stream }", "server_error", "server_error"),
        ("{ status: 429, cut: mid-stream }", "tokens", "rate_limit_exceeded"),
        ("failed", "server_error", "server_error"),
    ] {
        let _armed = server.arm(&format!("[{{ fail: {fail}, say: 'Hello, how are you?' }}]"));
        let mut body = chat();
        body["stream"] = json!(true);
        let events = server.events("/chat/completions", &body).await;
        let [(_, first), .., (name, error), (_, done)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(first["choices"][0]["delta"]["role"], "assistant");
        assert_eq!((name.as_str(), done), ("", &json!("[DONE]")));
        let error = &error["error"];
        assert_eq!((&error["type"], &error["code"]), (&json!(kind), &json!(code)));
        assert!(events.iter().all(|(_, data)| data["choices"][0]["finish_reason"].is_null()));
    }
    let _armed = server.arm("[{ fail: { failed: rate_limit_exceeded } }]");
    let answer = server.post("/chat/completions", &chat()).await;
    assert_eq!((answer.status, answer.error().0), (429, "rate_limit_exceeded"));
}

#[tokio::test]
async fn a_response_fails_as_a_body_and_in_a_stream() {
    let server = start().await;
    let armed = server.arm("[{ fail: failed, say: Hello }]");
    let mut body = request(json!("Hi"));
    let failed = server.ask(&body).await;
    assert_eq!((failed.status, &failed.body["status"]), (200, &json!("failed")));
    assert_eq!(failed.body["error"]["code"], "server_error");
    assert_eq!((&failed.body["usage"], failed.items()), (&Value::Null, vec![]));
    // It failed once, then the reply follows.
    assert_eq!(server.ask(&body).await.text(), "Hello");
    assert_eq!(armed.finish(), []);
    body["stream"] = json!(true);
    for script in [
        "[{ fail: { failed: rate_limit_exceeded }, say: 'Hello, how are you?' }]",
        "[{ fail: failed }]",
    ] {
        let _armed = server.arm(script);
        let events = server.events("/responses", &body).await;
        let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names[..2], ["response.created", "response.in_progress"]);
        assert_eq!(names[names.len() - 1], "response.failed");
        assert_eq!(
            names.contains(&"response.output_text.delta"),
            script.contains("say"),
            "{names:?}"
        );
        assert!(!names.contains(&"error") && !names.contains(&"response.completed"));
    }
}

#[tokio::test]
async fn an_incomplete_response_breaks_off_in_its_last_call() {
    let server = start().await;
    let _armed = server.arm(
        "[{ fail: { incomplete: max_output_tokens }, call: [{ list_bookings: {} }, { check_availability: { date: 2026-02-11 } }] }]",
    );
    let answer = server.ask(&request(json!("Hi"))).await;
    assert_eq!(answer.body["status"], "incomplete");
    let items = answer.items();
    let [_, whole, broken] = &items[..] else { panic!("{items:?}") };
    assert_eq!((&whole["status"], &whole["arguments"]), (&json!("completed"), &json!("{}")));
    assert_eq!(broken["status"], "incomplete");
    assert!(serde_json::from_str::<Value>(broken["arguments"].as_str().unwrap()).is_err());
}

#[tokio::test]
async fn the_limits_of_the_request_end_the_reply() {
    let server = start().await;
    let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen";
    let _armed = server.arm(&format!("[{{ say: {text} }}]"));
    let mut body = request(json!("Hi"));
    body["max_output_tokens"] = json!(16);
    let answer = server.ask(&body).await;
    assert_eq!(answer.body["incomplete_details"], json!({ "reason": "max_output_tokens" }));
    assert_eq!((answer.text(), &answer.body["usage"]["output_tokens"]), (&text[..64], &json!(16)));
    for (key, value, content, finish) in [
        ("max_completion_tokens", json!(2), "one two ", "length"),
        ("max_tokens", json!(2), "one two ", "length"),
        ("stop", json!([" three", "ten"]), "one two", "stop"),
        ("stop", json!("zz"), text, "stop"),
    ] {
        let mut body = chat();
        body[key] = value;
        let answer = server.post("/chat/completions", &body).await;
        let choice = &answer.body["choices"][0];
        assert_eq!(
            (&choice["message"]["content"], &choice["finish_reason"]),
            (&json!(content), &json!(finish)),
            "{key}"
        );
    }
}

/// The chunks of a stream, until it ends or breaks off.
async fn chunks(server: &TestServer, body: &Value) -> (Vec<bytes::Bytes>, bool) {
    let mut response = server.send("/responses", body).await.unwrap();
    let mut all = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => all.push(chunk),
            ended => return (all, ended.is_ok()),
        }
    }
}

#[tokio::test]
async fn a_stream_is_cut_after_so_many_events_inside_one_and_after_a_time() {
    let server = start().await;
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    for (cut, events, rest) in [
        ("{ events: 3 }", 3, false),
        ("{ events: 3, inside: true }", 3, true),
        ("{ events: 0 }", 0, false),
        // All but the last of them.
        ("{ after: 20ms }", 10, false),
    ] {
        let armed = server.arm(&format!("[{{ fail: {{ cut: {cut} }}, say: 'Hello, how are' }}]"));
        let started = Instant::now();
        let (all, whole) = chunks(&server, &body).await;
        assert!(!whole, "{cut}");
        assert!(!cut.contains("after") || started.elapsed() >= Duration::from_millis(20));
        let text = String::from_utf8(all.concat()).unwrap();
        assert_eq!(
            (text.matches("\n\n").count(), !text.ends_with("\n\n") && !text.is_empty()),
            (events, rest),
            "{cut} {text}"
        );
        assert_eq!(
            server.exchanges().pop().unwrap().outcome.unwrap().error.as_deref(),
            Some("cut")
        );
        drop(armed);
    }
}

#[tokio::test]
async fn a_round_says_how_its_stream_is_sent() {
    let server = start().await;
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    let _armed = server.arm(
        "[{ say: 'Grüße, how are you?', stream: { first: 40ms, tokens_per_second: 100, packet: 7 } }]",
    );
    let started = Instant::now();
    let (all, whole) = chunks(&server, &body).await;
    // The first of four tokens after 40 ms, the others after 10 ms each.
    assert!(whole && started.elapsed() >= Duration::from_millis(70));
    assert!(all.iter().all(|chunk| chunk.len() <= 7), "{:?}", all.iter().map(|c| c.len()).max());
    let text = String::from_utf8(all.concat()).unwrap();
    assert!(text.contains("Grüße") && text.contains("event: response.completed"), "{text}");
}
