//! The published OpenAPI document as a second opinion on the requests of these tests, and on what the
//! fake answers.
//!
//! The fake itself refuses by its own tables alone: the document allows much that the provider refuses,
//! and forbids some things that it takes.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::{
    chat_rows, responses_rows,
    rows::{Refused, base, changed},
    support::{TestServer, request, start},
};

/// The document, as JSON Schema. `nullable` is a word of OpenAPI 3.0, which JSON Schema does not know.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../../fixtures/openai/openapi/schemas.json");
    let mut document: Value = serde_json::from_str(text).unwrap();
    allow_nulls(&mut document);
    document
});

fn allow_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(allow_nulls);
            if object.get("nullable") == Some(&json!(true)) {
                object.remove("nullable");
                let rest = std::mem::take(object);
                object.insert("anyOf".into(), json!([rest, { "type": "null" }]));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(allow_nulls),
        _ => {}
    }
}

/// The validator of one of the document's schemas.
pub fn schema(name: &str) -> Validator {
    let mut root = DOCUMENT.clone();
    root["$ref"] = json!(format!("#/components/schemas/{name}"));
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&root).unwrap()
}

/// The properties of one of the document's schemas that may be null in this request.
pub fn nullable(name: &str, request: &Value) -> Vec<String> {
    let mut names = Vec::new();
    collect_properties(&DOCUMENT["components"]["schemas"][name], &mut names);
    let validator = schema(name);
    names.retain(|name| {
        let mut request = request.clone();
        request[name] = Value::Null;
        validator.is_valid(&request)
    });
    names
}

fn collect_properties(schema: &Value, names: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        collect_properties(&DOCUMENT["components"]["schemas"][name], names);
    }
    names.extend(schema["properties"].as_object().into_iter().flat_map(|p| p.keys().cloned()));
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect_properties(part, names);
    }
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| error.to_string()).collect()
}

/// What the document forbids in an answer.
pub fn violations(validator: &Validator, answer: &Value) -> Vec<String> {
    errors(validator, &without_nulls(answer.clone()))
}

const ENDPOINTS: [(&str, &str); 2] =
    [("/responses", "CreateResponse"), ("/chat/completions", "CreateChatCompletionRequest")];

#[test]
fn requests_that_are_taken_are_as_published() {
    let rows = [responses_rows::all_accepted(), chat_rows::all_accepted()];
    let mut wrong = Vec::new();
    for ((path, name), rows) in ENDPOINTS.into_iter().zip(rows) {
        let validator = schema(name);
        for (model, changes) in rows {
            let request = changed(base(path, model), &changes);
            let errors = errors(&validator, &request);
            if !errors.is_empty() {
                wrong.push(format!("{request}\n  {}", errors.join("\n  ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_that_are_marked_as_published_are_forbidden_by_the_document() {
    let rows: [Vec<Refused>; 2] = [responses_rows::all_refused(), chat_rows::all_refused()];
    let mut wrong = Vec::new();
    for ((path, name), rows) in ENDPOINTS.into_iter().zip(rows) {
        let validator = schema(name);
        for row in rows.into_iter().filter(|row| row.published) {
            let request = changed(base(path, row.model), &row.changes);
            if validator.is_valid(&request) {
                wrong.push(format!("the document allows {request}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// OpenAI's own examples have nulls where the document has none.
fn without_nulls(mut value: Value) -> Value {
    let optional = ["user", "system_fingerprint", "usage", "prompt_cache_key", "safety_identifier"];
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, value| !value.is_null() || !optional.contains(&key.as_str()));
    }
    value
}

async fn answer(server: &TestServer, path: &str, body: &Value) -> Value {
    without_nulls(server.post(path, body).await.body)
}

#[tokio::test]
async fn what_the_fake_answers_is_as_published() {
    let server = start().await;
    let (response, completion) = (schema("Response"), schema("CreateChatCompletionResponse"));
    let chat = json!({
        "model": "gpt-4.1",
        "messages": [{ "role": "user", "content": "Hi" }],
        "tools": [{ "type": "function", "function": { "name": "list_bookings" } }]
    });
    for script in [
        "[{ say: Hello }]",
        "[{ call: [{ list_bookings: {} }] }]",
        "[{ fail: { refusal: I cannot do that. } }]",
        "[{ fail: { incomplete: max_output_tokens }, call: [{ list_bookings: {} }] }]",
    ] {
        let _armed = server.arm(script);
        let body = answer(&server, "/responses", &request(json!("Hi"))).await;
        assert_eq!(errors(&response, &body), Vec::<String>::new(), "{script} {body}");
        let body = answer(&server, "/chat/completions", &chat).await;
        assert_eq!(errors(&completion, &body), Vec::<String>::new(), "{script} {body}");
    }
}
