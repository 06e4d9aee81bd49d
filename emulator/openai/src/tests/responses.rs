//! The Responses endpoint: objects, streams, stored conversations.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::timeout;

use super::support::{next, request, start, start_with, user};
use crate::{Options, Persona};

#[tokio::test]
async fn a_text_has_every_required_key() {
    let server = start().await;
    let armed = server.arm("[{ say: 'Hello!' }]");
    let answer = server.ask(&request(json!("Hi"))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "Hello!");
    let body = answer.body.as_object().unwrap();
    for key in [
        "id",
        "object",
        "created_at",
        "error",
        "incomplete_details",
        "instructions",
        "model",
        "tools",
        "output",
        "parallel_tool_calls",
        "metadata",
        "tool_choice",
        "temperature",
        "top_p",
        "status",
        "usage",
    ] {
        assert!(body.contains_key(key), "{key}");
    }
    assert_eq!(body["error"], Value::Null);
    assert_eq!(body["status"], "completed");
    assert_eq!(body["created_at"], 1_770_754_200);
    assert_eq!(body["parallel_tool_calls"], true);
    let usage = &body["usage"];
    assert_eq!(
        usage["input_tokens_details"],
        json!({ "cached_tokens": 0, "cache_write_tokens": 0 })
    );
    assert!(usage["input_tokens"].as_u64().unwrap() > 20);
    assert_eq!(
        usage["total_tokens"].as_u64(),
        Some(usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap())
    );
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn a_text_streams_in_the_documented_order() {
    let server = start().await;
    let _armed = server.arm("[{ say: 'Hello there!' }]");
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    let events = server.events("/responses", &body).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    for (at, (name, data)) in events.iter().enumerate() {
        assert_eq!(data["sequence_number"], at);
        assert_eq!(data["type"], name.as_str());
    }
    assert_eq!(events[0].1["response"]["status"], "in_progress");
    assert_eq!(events[0].1["response"]["output"], json!([]));
    assert_eq!(events[0].1["response"]["usage"], Value::Null);
    let deltas: String = events.iter().filter_map(|(_, d)| d["delta"].as_str()).collect();
    assert_eq!(deltas, "Hello there!");
    body["stream"] = json!(false);
    let mut plain = server.ask(&body).await.body;
    let streamed = &events[9].1["response"];
    assert_eq!(streamed["usage"]["output_tokens"], plain["usage"]["output_tokens"]);
    // This request is a byte longer, which may be a token more.
    plain["usage"] = streamed["usage"].clone();
    assert_eq!(*streamed, plain);
}

#[tokio::test]
async fn a_call_streams_after_its_reasoning() {
    let server = start().await;
    let _armed = server.arm("[{ call: [{ check_availability: { date: 2026-02-11 } }] }]");
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    let events = server.events("/responses", &body).await;
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let of_call: Vec<&str> = names[4..names.len() - 1].to_vec();
    assert_eq!(names[2..4], ["response.output_item.added", "response.output_item.done"]);
    assert_eq!(events[2].1["item"]["type"], "reasoning");
    assert_eq!(of_call[0], "response.output_item.added");
    assert!(
        of_call[1..of_call.len() - 2]
            .iter()
            .all(|n| *n == "response.function_call_arguments.delta")
    );
    assert_eq!(
        of_call[of_call.len() - 2..],
        ["response.function_call_arguments.done", "response.output_item.done"]
    );
    let done = &events[names.len() - 3].1;
    assert_eq!(done["name"], "check_availability");
    assert_eq!(done["arguments"], r#"{"date":"2026-02-11"}"#);
}

#[tokio::test]
async fn a_paced_stream_is_sent_in_pieces_over_time() {
    let pace = Some(Duration::from_millis(10));
    let server = start_with(Options { pace, ..Options::default() }).await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let mut body = request(json!("Hi"));
    body["stream"] = json!(true);
    let started = Instant::now();
    let mut response = server.send("/responses", &body).await.unwrap();
    let mut chunks = 0;
    while response.chunk().await.unwrap().is_some() {
        chunks += 1;
    }
    assert!(chunks > 3 && started.elapsed() >= Duration::from_millis(80), "{chunks}");
}

#[tokio::test]
async fn stored_responses_are_continued_and_unstored_ones_are_not_found() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Noted.")));
    let mut body = json!({ "model": "gpt-6-luna", "input": "My name is Ann." });
    let first = server.ask(&body).await;
    let _armed = server
        .arm("[{ sees: { history: [My name is Ann., Noted.], input: Hi }, say: 'Hello Ann!' }]");
    let follow =
        json!({ "model": "gpt-6-luna", "input": "Hi", "previous_response_id": first.body["id"] });
    assert_eq!(server.ask(&follow).await.text(), "Hello Ann!");
    let message = &first.body["output"][0]["id"];
    let by_reference = json!({ "model": "gpt-6-luna", "input": [
        user("My name is Ann."), { "id": message }, user("Hi")
    ] });
    assert_eq!(server.ask(&by_reference).await.text(), "Hello Ann!");

    body["store"] = json!(false);
    body["input"] = json!("Something else.");
    let unstored = server.ask(&body).await;
    let id = unstored.body["id"].as_str().unwrap();
    let follow = json!({ "model": "gpt-6-luna", "input": "Hi", "previous_response_id": id });
    let refused = server.ask(&follow).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.error(),
        (
            "previous_response_not_found",
            "previous_response_id",
            format!("Previous response with id '{id}' not found.").as_str()
        )
    );
    server.openai.reset();
    let follow =
        json!({ "model": "gpt-6-luna", "input": "Hi", "previous_response_id": first.body["id"] });
    assert_eq!(server.ask(&follow).await.error().0, "previous_response_not_found");
}

#[tokio::test]
async fn the_result_of_a_call_leads_to_the_next_round() {
    let server = start().await;
    let armed = server.arm(
        "
- call: [{ check_availability: { date: '{{ day(1) }}' } }]
- sees: { results: [{ available_slots: { contains: 2:00 PM } }] }
  say: 2:00 PM is free.
",
    );
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    let items = first.items();
    assert_eq!(items[0]["type"], "reasoning");
    assert!(items[0]["encrypted_content"].as_str().unwrap().starts_with("gAAAAAB"));
    assert_eq!(items[1]["arguments"], r#"{"date":"2026-02-11"}"#);
    next(&mut history, &first, &[json!({ "available_slots": ["9:00 AM", "2:00 PM"] })]);
    let second = server.ask(&request(json!(history))).await;
    assert_eq!(second.text(), "2:00 PM is free.");
    assert_eq!(armed.finish(), []);
    assert_eq!(server.responding_rounds(), ["step 1, round 1", "step 1, round 2"]);
}

#[tokio::test]
async fn models_are_listed_and_a_missing_one_is_not_found() {
    let server = start().await;
    let get = async |path: &str| {
        let url = format!("{}{path}", server.openai.url());
        let response = server.web.get(url).bearer_auth("sk-rehearse").send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, list) = get("/models").await;
    assert_eq!((status, &list["object"]), (200, &json!("list")));
    assert!(list["data"].as_array().unwrap().iter().any(|m| m["id"] == "gpt-6-luna"));
    assert_eq!(get("/models/gpt-6-luna").await.1["object"], "model");
    let (status, error) = get("/models/gpt-1").await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("model_not_found")));
}

#[tokio::test]
async fn responses_have_the_providers_headers() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let response = server.send("/responses", &request(json!("Hi"))).await.unwrap();
    let headers = response.headers();
    assert_eq!(headers["openai-version"], "2020-10-01");
    assert!(headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    for name in ["limit", "remaining", "reset"] {
        for of in ["requests", "tokens"] {
            assert!(headers.contains_key(format!("x-ratelimit-{name}-{of}")));
        }
    }
    assert!(headers.contains_key("openai-processing-ms"));
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn the_server_stops_with_its_last_handle() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let url = server.openai.url().to_owned();
    let other = server.openai.clone();
    assert_eq!(server.ask(&request(json!("Hi"))).await.status, 200);
    drop(server.openai);
    assert_eq!(other.url(), url);
    let send = async || {
        let call = server.web.post(format!("{url}/responses")).bearer_auth("sk-rehearse");
        call.json(&request(json!("Hi"))).send().await
    };
    assert!(send().await.is_ok());
    drop(other);
    let stopped = async { while send().await.is_ok() {} };
    timeout(Duration::from_secs(10), stopped).await.expect("the server stops within ten seconds");
}
