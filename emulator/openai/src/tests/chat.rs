//! The Chat Completions endpoint.

use serde_json::{Value, json};

use super::support::{ApiResponse, TestServer, start};

fn request(messages: Value) -> Value {
    json!({
        "model": "gpt-4.1",
        "messages": messages,
        "tools": [{
            "type": "function",
            "function": {
                "name": "check_availability",
                "strict": true,
                "parameters": {
                    "type": "object",
                    "properties": { "date": { "type": "string" } },
                    "required": ["date"],
                    "additionalProperties": false
                }
            }
        }]
    })
}

fn first_messages() -> Vec<Value> {
    vec![
        json!({ "role": "system", "content": "Today is 2026-02-10." }),
        json!({ "role": "user", "content": "Hi" }),
    ]
}

const SCRIPT: &str = "
- sees: { instructions: [2026-02-10], tools: [check_availability], model: gpt-4.1 }
  call: [{ check_availability: { date: 2026-02-11 } }]
- sees: { results: [{ available_slots: { contains: 2:00 PM } }] }
  say: 2:00 PM is free.
";

async fn chat(server: &TestServer, body: &Value) -> ApiResponse {
    server.post("/chat/completions", body).await
}

#[tokio::test]
async fn the_result_of_a_call_leads_to_the_next_round() {
    let server = start().await;
    let armed = server.arm(SCRIPT);
    let mut messages = first_messages();
    let first = chat(&server, &request(json!(messages))).await;
    let choice = &first.body["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"]["arguments"], r#"{"date":"2026-02-11"}"#);
    messages.push(choice["message"].clone());
    messages.push(json!({
        "role": "tool", "tool_call_id": call["id"], "content": r#"{"available_slots":["2:00 PM"]}"#
    }));
    let second = chat(&server, &request(json!(messages))).await;
    assert_eq!(second.body["choices"][0]["message"]["content"], "2:00 PM is free.");
    assert_eq!(second.body["choices"][0]["finish_reason"], "stop");
    assert!(second.body["usage"]["total_tokens"].as_u64().unwrap() > 0);
    assert_eq!(armed.finish(), []);
    assert!(server.exchanges().iter().all(|e| e.name == "openai.chat"));
}

#[tokio::test]
async fn a_stream_ends_with_usage_and_done() {
    let server = start().await;
    let _armed = server.arm(SCRIPT);
    let mut body = request(json!(first_messages()));
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let events = server.events("/chat/completions", &body).await;
    let data: Vec<&Value> = events.iter().map(|(_, data)| data).collect();
    assert_eq!(data[0]["choices"][0]["delta"]["role"], "assistant");
    let call = &data[1]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!(
        (&call["index"], &call["function"]["name"]),
        (&json!(0), &json!("check_availability"))
    );
    assert!(call["id"].as_str().unwrap().starts_with("call_"));
    let arguments: String = data[2..data.len() - 3]
        .iter()
        .map(|d| {
            d["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap()
        })
        .collect();
    assert_eq!(arguments, r#"{"date":"2026-02-11"}"#);
    let [finish, usage, done] = data[data.len() - 3..] else { panic!() };
    assert_eq!(finish["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(finish["choices"][0]["delta"], json!({}));
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["total_tokens"].as_u64().unwrap() > 0);
    assert_eq!(done, &json!("[DONE]"));
}

#[tokio::test]
async fn refused_requests_get_the_providers_errors() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }]");
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [{
        "id": "call_a", "type": "function", "function": { "name": "check_availability", "arguments": "{}" }
    }] });
    let result = json!({ "role": "tool", "tool_call_id": "call_a", "content": "{}" });
    let with = |key: &str, value: Value| {
        let mut body = request(json!(first_messages()));
        body[key] = value;
        body
    };
    let messages = |more: &[&Value]| {
        let mut all = first_messages();
        all.extend(more.iter().map(|v| (*v).clone()));
        request(json!(all))
    };
    let loose = json!([{ "type": "function", "function": {
        "name": "f", "strict": true, "parameters": { "type": "object", "properties": {} }
    } }]);
    for (body, status, code, param, message) in [
        (
            with("model", json!("gpt-1")),
            404,
            "model_not_found",
            "",
            "The model `gpt-1` does not exist",
        ),
        (with("model", Value::Null), 400, "", "", "you must provide a model parameter"),
        (
            with("nonsense", json!(1)),
            400,
            "unknown_parameter",
            "nonsense",
            "Unknown parameter: 'nonsense'.",
        ),
        (
            with("temperature", json!(3)),
            400,
            "decimal_above_max_value",
            "temperature",
            "Expected a value <= 2",
        ),
        (with("messages", json!([])), 400, "empty_array", "messages", "empty array"),
        (
            with("tools", loose),
            400,
            "invalid_function_parameters",
            "tools[0].function.parameters",
            "additionalProperties",
        ),
        (
            with("model", json!("gpt-6-luna")),
            400,
            "",
            "reasoning_effort",
            "not supported for gpt-6-luna in /v1/chat/completions",
        ),
        (
            with("stream_options", json!({})),
            400,
            "",
            "stream_options",
            "only allowed when 'stream' is enabled",
        ),
        (
            messages(&[&call]),
            400,
            "",
            "messages.[3].role",
            "did not have response messages: call_a",
        ),
        (
            messages(&[&call, &json!({ "role": "user", "content": "?" })]),
            400,
            "",
            "messages.[3].role",
            "call_a",
        ),
        (
            messages(&[&result]),
            400,
            "",
            "messages.[2].role",
            "preceeding message with 'tool_calls'",
        ),
        (
            messages(&[&json!({ "role": "robot", "content": "?" })]),
            400,
            "invalid_value",
            "messages[2].role",
            "'robot'",
        ),
        (messages(&[&call, &result]), 400, "rehearse", "", "no round is left"),
    ] {
        let answer = chat(&server, &body).await;
        let (got_code, got_param, got_message) = answer.error();
        assert_eq!((answer.status, got_code, got_param), (status, code, param), "{got_message}");
        assert!(got_message.contains(message), "{got_message}");
    }
    let mut none = with("model", json!("gpt-6-luna"));
    none["reasoning_effort"] = json!("none");
    assert_eq!(chat(&server, &none).await.status, 200);
}
