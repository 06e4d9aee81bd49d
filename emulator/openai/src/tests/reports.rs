//! Requests of public reports that OpenAI answered with 400, `fixtures/openai/reports.yaml`: the fake does so
//! in the same words.

use std::path::Path;

use rehearse_core::yaml::Source;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rows::{answering, base, changed};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    report: String,
    on: On,
    #[serde(default)]
    model: Option<String>,
    request: Value,
    #[serde(default)]
    param: Option<String>,
    #[serde(default)]
    code: Option<String>,
    message: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum On {
    Chat,
    Responses,
}

/// A value with `{ $repeat: [TEXT, N] }` replaced by the text so many times.
fn whole(value: Value) -> Value {
    match value {
        Value::Object(object) => match object.get("$repeat") {
            Some(repeat) => {
                let count = usize::try_from(repeat[1].as_u64().unwrap()).unwrap();
                json!(repeat[0].as_str().unwrap().repeat(count))
            }
            None => object.into_iter().map(|(key, value)| (key, whole(value))).collect(),
        },
        Value::Array(list) => list.into_iter().map(whole).collect(),
        other => other,
    }
}

#[tokio::test]
async fn what_public_reports_show_refused_is_refused_in_the_same_words() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/openai/reports.yaml");
    let reports: Vec<Report> = Source::read(&path).unwrap().parse().unwrap();
    assert!(reports.len() >= 30, "{} reports", reports.len());
    let server = answering().await;
    let mut wrong = Vec::new();
    for report in reports {
        let path = match report.on {
            On::Chat => "/chat/completions",
            On::Responses => "/responses",
        };
        let model = report.model.as_deref().unwrap_or("gpt-4.1");
        let request = changed(base(path, model), &whole(report.request));
        let answer = server.post(path, &request).await;
        let expected = json!({ "error": {
            "message": report.message, "type": "invalid_request_error",
            "param": report.param, "code": report.code
        } });
        if (answer.status, &answer.body) != (400, &expected) {
            wrong.push(format!("{}\n  expected {expected}\n  got {answer:?}", report.report));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The limits themselves, and pictures as they should be, are taken.
#[tokio::test]
async fn what_is_within_the_limits_is_taken() {
    let server = answering().await;
    let picture = "data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=";
    let call = |id: &str| {
        json!({ "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "assistant", "tool_calls": [
                { "id": id, "type": "function", "function": { "name": "f-1_A", "arguments": "{}" } }
            ] },
            { "role": "tool", "tool_call_id": id, "content": "ok" }
        ] })
    };
    let chat_picture = |url: &str| {
        let part = json!({ "type": "image_url", "image_url": { "url": url } });
        json!({ "messages": [{ "role": "user", "content": [part] }] })
    };
    let said =
        json!({ "role": "assistant", "id": format!("msg_{}", "x".repeat(60)), "content": "Hello" });
    for (path, changes) in [
        ("/chat/completions", call(&"x".repeat(40))),
        ("/chat/completions", chat_picture(picture)),
        ("/chat/completions", chat_picture("https://a.test/b.png")),
        ("/chat/completions", json!({ "response_format": { "type": "text" } })),
        (
            "/responses",
            json!({ "input": [{ "role": "user", "content": [
                { "type": "input_image", "image_url": picture },
                { "type": "input_image", "file_id": "file-1", "image_url": null }
            ] }, said] }),
        ),
    ] {
        let answer = server.post(path, &changed(base(path, "gpt-4.1"), &changes)).await;
        assert_eq!(answer.status, 200, "{changes} {answer:?}");
    }
}
