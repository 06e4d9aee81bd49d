//! The real client async-openai reads what the server sends.

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::{
        chat::{CreateChatCompletionRequest, CreateChatCompletionStreamResponse},
        responses::{CreateResponse, OutputItem, ResponseStreamEvent, Status},
    },
};
use futures::StreamExt;
use serde_json::json;

use super::support::{TestServer, next, request, start, user};

fn client(server: &TestServer) -> Client<OpenAIConfig> {
    let config =
        OpenAIConfig::default().with_api_base(server.openai.url()).with_api_key("sk-rehearse");
    Client::with_config(config).with_http_client(server.web.clone())
}

fn typed(input: serde_json::Value) -> CreateResponse {
    serde_json::from_value(request(input)).unwrap()
}

const SCRIPT: &str = "
- call: [{ check_availability: { date: 2026-02-11 } }]
- say: 2:00 PM is free.
";

#[tokio::test]
async fn the_client_reads_responses_and_its_items_are_accepted_back() {
    let server = start().await;
    let armed = server.arm(SCRIPT);
    let client = client(&server);
    let first = client.responses().create(typed(json!("Hi"))).await.unwrap();
    assert_eq!(first.status, Status::Completed);
    let [OutputItem::Reasoning(_), OutputItem::FunctionCall(call)] = &first.output[..] else {
        panic!("{:?}", first.output)
    };
    assert_eq!(
        (call.name.as_str(), call.arguments.as_str()),
        ("check_availability", r#"{"date":"2026-02-11"}"#)
    );
    // The server accepts the items as the typed client serialises them.
    let mut history = vec![user("Hi")];
    history.extend(first.output.iter().map(|item| serde_json::to_value(item).unwrap()));
    history
        .push(json!({ "type": "function_call_output", "call_id": call.call_id, "output": "{}" }));
    let second = client.responses().create(typed(json!(history))).await.unwrap();
    assert_eq!(second.output_text().as_deref(), Some("2:00 PM is free."));
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn the_client_reads_streams() {
    let server = start().await;
    let _armed = server.arm(SCRIPT);
    let client = client(&server);
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({})]);
    for input in [json!("Hi"), json!(history)] {
        let mut body = typed(input);
        body.stream = Some(true);
        let mut stream = client.responses().create_stream(body).await.unwrap();
        let (mut text, mut arguments, mut completed) = (String::new(), String::new(), None);
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                ResponseStreamEvent::ResponseOutputTextDelta(e) => text.push_str(&e.delta),
                ResponseStreamEvent::ResponseFunctionCallArgumentsDelta(e) => {
                    arguments.push_str(&e.delta);
                }
                ResponseStreamEvent::ResponseCompleted(e) => completed = Some(e.response),
                _ => {}
            }
        }
        assert_eq!(completed.unwrap().status, Status::Completed);
        assert!(text == "2:00 PM is free." || arguments == r#"{"date":"2026-02-11"}"#);
    }
}

#[tokio::test]
async fn the_client_reads_an_error_inside_a_stream() {
    let server = start().await;
    let _armed =
        server.arm("[{ fail: { status: 500, cut: mid-stream }, say: 'Hello, how are you?' }]");
    let mut body = typed(json!("Hi"));
    body.stream = Some(true);
    let mut stream = client(&server).responses().create_stream(body).await.unwrap();
    let mut told = None;
    while let Some(event) = stream.next().await {
        if let Ok(ResponseStreamEvent::ResponseError(error)) = event {
            told = error.code;
        }
    }
    assert_eq!(told.as_deref(), Some("server_error"));
}

#[tokio::test]
async fn the_client_retries_failures_and_reads_errors() {
    let server = start().await;
    let client = client(&server);
    let armed = server.arm("[{ fail: { status: 503, times: 2 } }, { say: Hello }]");
    let answer = client.responses().create(typed(json!("Hi"))).await.unwrap();
    assert_eq!(answer.output_text().as_deref(), Some("Hello"));
    assert_eq!(
        server.responding_rounds(),
        ["step 1, round 1", "step 1, round 1", "step 1, round 2"]
    );
    assert_eq!(armed.finish(), []);
    let error = client.responses().create(typed(json!("Bye"))).await.unwrap_err();
    let OpenAIError::ApiError(error) = error else { panic!("{error}") };
    assert!(error.api_error.message.starts_with("rehearse: "), "{error:?}");
}

#[tokio::test]
async fn the_client_reads_models_and_completions() {
    let server = start().await;
    let client = client(&server);
    assert!(client.models().list().await.unwrap().data.iter().any(|m| m.id == "gpt-6-luna"));
    assert_eq!(client.models().retrieve("gpt-6-luna").await.unwrap().id, "gpt-6-luna");

    let _armed = server.arm("[{ call: [{ f: { a: 1 } }] }]");
    let body = json!({
        "model": "gpt-4.1",
        "messages": [{ "role": "user", "content": "Hi" }],
        "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "object", "properties": {} } } }]
    });
    let typed: CreateChatCompletionRequest = serde_json::from_value(body).unwrap();
    let answer = client.chat().create(typed.clone()).await.unwrap();
    assert!(answer.choices[0].message.tool_calls.is_some());
    // The client sets `stream` itself only without its feature `byot`, which other crates enable.
    let typed = CreateChatCompletionRequest { stream: Some(true), ..typed };
    let mut stream = client.chat().create_stream(typed).await.unwrap();
    let mut arguments = String::new();
    while let Some(chunk) = stream.next().await {
        let chunk: CreateChatCompletionStreamResponse = chunk.unwrap();
        for call in chunk.choices.iter().filter_map(|c| c.delta.tool_calls.as_ref()).flatten() {
            arguments.push_str(
                call.function.as_ref().and_then(|f| f.arguments.as_deref()).unwrap_or(""),
            );
        }
    }
    assert_eq!(arguments, r#"{"a":1}"#);
}
