//! Requests to OpenAI, and what its responses become.

use std::{sync::Arc, time::Duration};

use handlers::{
    adapters::{
        openai::{OpenAi, RetryPolicy, Settings},
        secrets::StaticCredential,
        system::SystemTimer,
    },
    domain::turn::ConversationItem,
    ports::{Model, ModelError, ModelRequest, ToolSpec},
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, matchers::any};

use crate::support::{recorded, web};

/// Short delays for tests.
pub const RETRY_POLICY: RetryPolicy = RetryPolicy {
    attempt_timeout: Duration::from_secs(5),
    max_retry_after: Duration::from_secs(1),
    initial_backoff: Duration::from_millis(1),
    max_retries: 2,
};

pub fn model(base_url: &str, retry_policy: RetryPolicy) -> OpenAi {
    let base_url = &format!("{base_url}/v1");
    let api_key = Arc::new(StaticCredential::new("sk-test"));
    let timer = Arc::new(SystemTimer);
    let settings = Settings { api_key, base_url, model: "gpt-6-luna", retry_policy, timer };
    OpenAi::new(web(), &settings)
}

/// Sends a request with this input and one tool.
pub async fn ask(
    model: &OpenAi,
    input: &[ConversationItem],
) -> Result<Vec<ConversationItem>, ModelError> {
    let tools = [ToolSpec {
        name: "check_availability",
        description: "Lists the free slots of a date.",
        parameters: json!({
            "type": "object",
            "properties": { "date": { "type": "string" } },
            "required": ["date"],
            "additionalProperties": false,
        }),
    }];
    let instructions = "You are Linda.";
    let safety_identifier = "c0ffee";
    model.respond(ModelRequest { instructions, input, tools: &tools, safety_identifier }).await
}

async fn answer(body: &str) -> Result<Vec<ConversationItem>, ModelError> {
    let server = MockServer::start().await;
    let answer = recorded(200, &format!("openai/bodies/{body}"));
    Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;
    ask(&model(&server.uri(), RETRY_POLICY), &[ConversationItem::User("Hi".into())]).await
}

fn reasoning() -> ConversationItem {
    ConversationItem::Reasoning {
        id: "rs_68af40337e5c8193aa1c4a1b9a2f9b9b05438e46b5f69a3b".into(),
        encrypted: Some("gAAAAABor0Azb2-9kQn0zGZ8yR3c0Qw==".into()),
    }
}

fn call(n: u8, date: &str) -> ConversationItem {
    ConversationItem::Call {
        id: format!("fc_68af4034d1d48193b5f3e4d0b0c8a1e{n}05438e46b5f69a3b"),
        call_id: format!("call_HyCF5YL1CqmkGqXlR0YLHgJ{n}"),
        name: "check_availability".into(),
        arguments: format!(r#"{{"date":"{date}"}}"#),
    }
}

#[tokio::test]
async fn a_text_is_read_with_its_reasoning() {
    let items = answer("text.json").await.unwrap();
    assert_eq!(
        items,
        [reasoning(), ConversationItem::Assistant("2:00 PM is free. Shall I book it?".into())]
    );
}

#[tokio::test]
async fn a_call_is_read_with_its_reasoning() {
    assert_eq!(answer("call.json").await.unwrap(), [reasoning(), call(1, "2026-02-11")]);
}

#[tokio::test]
async fn parallel_calls_and_a_comment_keep_their_order() {
    let items = answer("parallel_calls.json").await.unwrap();
    let comment = ConversationItem::Assistant("One moment.".into());
    assert_eq!(items, [reasoning(), comment, call(1, "2026-02-11"), call(2, "2026-02-12")]);
}

#[tokio::test]
async fn a_refusal_is_no_text() {
    assert!(matches!(answer("refusal.json").await, Err(ModelError::Refused)));
}

#[tokio::test]
async fn an_incomplete_answer_says_why() {
    let cut = answer("incomplete_max_output_tokens.json").await;
    assert!(matches!(cut, Err(ModelError::Incomplete)), "{cut:?}");
    let filtered = answer("incomplete_content_filter.json").await;
    assert!(matches!(filtered, Err(ModelError::Filtered)), "{filtered:?}");
}

#[tokio::test]
async fn a_failed_answer_and_an_empty_one() {
    assert!(matches!(answer("failed.json").await, Err(ModelError::Unavailable(_))));
    assert!(matches!(answer("empty.json").await, Err(ModelError::Empty)));
}

/// The request for a conversation with every kind of item.
async fn sent() -> (wiremock::Request, Value) {
    let server = MockServer::start().await;
    let answer = recorded(200, "openai/bodies/text.json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let input = [
        ConversationItem::User("Hi".into()),
        ConversationItem::Assistant("Hello!".into()),
        ConversationItem::User("Tomorrow?".into()),
        reasoning(),
        call(1, "2026-02-11"),
        ConversationItem::Result {
            call_id: "call_HyCF5YL1CqmkGqXlR0YLHgJ1".into(),
            output: r#"{"success":true}"#.into(),
        },
    ];
    ask(&model(&server.uri(), RETRY_POLICY), &input).await.unwrap();
    let request = server.received_requests().await.unwrap().remove(0);
    let body = serde_json::from_slice(&request.body).unwrap();
    (request, body)
}

#[tokio::test]
async fn the_request_is_stateless_strict_and_serial() {
    let (request, body) = sent().await;
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.path(), "/v1/responses");
    assert_eq!(request.headers["authorization"], "Bearer sk-test");
    assert!(!request.headers.contains_key("openai-organization"));

    assert_eq!(body["model"], "gpt-6-luna");
    assert_eq!(body["instructions"], "You are Linda.");
    assert_eq!(body["store"], false);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["safety_identifier"], "c0ffee");
    assert!(body["max_output_tokens"].as_u64().unwrap() >= 16);
    for absent in ["stream", "previous_response_id", "conversation", "user"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    let tool = &body["tools"][0];
    assert_eq!((&tool["type"], &tool["strict"]), (&json!("function"), &json!(true)));
    assert_eq!(tool["name"], "check_availability");
    assert_eq!(tool["parameters"]["additionalProperties"], false);
}

#[tokio::test]
async fn the_whole_conversation_is_sent_with_its_reasoning() {
    let (_, body) = sent().await;
    assert_eq!(
        body["input"],
        json!([
            { "type": "message", "role": "user", "content": "Hi" },
            { "type": "message", "role": "assistant", "content": "Hello!" },
            { "type": "message", "role": "user", "content": "Tomorrow?" },
            {
                "type": "reasoning",
                "id": "rs_68af40337e5c8193aa1c4a1b9a2f9b9b05438e46b5f69a3b",
                "summary": [],
                "encrypted_content": "gAAAAABor0Azb2-9kQn0zGZ8yR3c0Qw==",
            },
            {
                "type": "function_call",
                "call_id": "call_HyCF5YL1CqmkGqXlR0YLHgJ1",
                "name": "check_availability",
                "arguments": r#"{"date":"2026-02-11"}"#,
                "id": "fc_68af4034d1d48193b5f3e4d0b0c8a1e105438e46b5f69a3b",
            },
            {
                "type": "function_call_output",
                "call_id": "call_HyCF5YL1CqmkGqXlR0YLHgJ1",
                "output": r#"{"success":true}"#,
            },
        ])
    );
}

#[tokio::test]
async fn the_body_is_one_that_the_official_types_accept() {
    use async_openai::types::responses::CreateResponse;
    let (_, body) = sent().await;
    let typed: CreateResponse = serde_json::from_value(body.clone()).unwrap();
    let again = serde_json::to_value(typed).unwrap();
    for field in ["model", "store", "include", "parallel_tool_calls", "safety_identifier", "tools"]
    {
        assert_eq!(again[field], body[field], "{field}");
    }
    assert_eq!(again["input"].as_array().unwrap().len(), 6);
}
