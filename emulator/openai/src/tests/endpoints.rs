//! The endpoints that ask no model, over HTTP: embeddings, moderations, stored responses, Azure's URLs.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    published::{schema, violations},
    support::{ApiResponse, TestServer, request, start, user},
};
use rehearse_core::faults::{Failure, Fault};

/// Sends a request without a body.
async fn bare(server: &TestServer, method: &str, path: &str) -> ApiResponse {
    let url = format!("{}{path}", server.openai.url());
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let sent = server.web.request(method, url).bearer_auth("sk-rehearse").send().await.unwrap();
    ApiResponse { status: sent.status().as_u16(), body: sent.json().await.unwrap() }
}

fn embedding(model: &str, input: Value) -> Value {
    json!({ "model": model, "input": input })
}

#[tokio::test]
async fn embeddings_are_vectors_of_the_models_length() {
    let server = start().await;
    let published = schema("CreateEmbeddingResponse");
    for (model, length) in [
        ("text-embedding-3-small", 1536),
        ("text-embedding-3-large", 3072),
        ("text-embedding-ada-002", 1536),
    ] {
        for input in [json!("Hi"), json!(["Hi", "Ho"]), json!([1, 2]), json!([[1, 2], [3]])] {
            let count = if input[0].is_number() { 1 } else { input.as_array().map_or(1, Vec::len) };
            let answer = server.post("/embeddings", &embedding(model, input)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(violations(&published, &answer.body), Vec::<String>::new());
            let data = answer.body["data"].as_array().unwrap();
            assert_eq!(data.len(), count);
            for (at, one) in data.iter().enumerate() {
                assert_eq!(one["index"], at);
                assert_eq!(one["embedding"].as_array().unwrap().len(), length);
            }
        }
    }
}

#[tokio::test]
async fn an_embedding_in_base64_is_the_same_vector() {
    let server = start().await;
    let mut body = embedding("text-embedding-3-small", json!("an iPhone screen"));
    body["dimensions"] = json!(256);
    let floats = server.post("/embeddings", &body).await.body;
    body["encoding_format"] = json!("base64");
    let packed = server.post("/embeddings", &body).await.body;
    let bytes = STANDARD.decode(packed["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let unpacked: Vec<f64> = bytes
        .chunks_exact(4)
        .map(|four| f64::from(f32::from_le_bytes(four.try_into().unwrap())))
        .collect();
    let floats = floats["data"][0]["embedding"].as_array().unwrap();
    assert_eq!(unpacked.len(), 256);
    assert!(floats.iter().zip(&unpacked).all(|(a, b)| (a.as_f64().unwrap() - b).abs() < 1e-6));
    let length: f64 = unpacked.iter().map(|x| x * x).sum();
    assert!((length - 1.0).abs() < 1e-4, "{length}");
}

#[tokio::test]
async fn wrong_embeddings_are_refused() {
    let server = start().await;
    let small = "text-embedding-3-small";
    let with = |key: &str, value: Value| {
        let mut body = embedding(small, json!("Hi"));
        body[key] = value;
        body
    };
    let long = "word ".repeat(8000);
    for (body, status, code, message) in [
        (json!({ "input": "Hi" }), 400, "missing_required_parameter", "'model'"),
        (json!({ "model": small }), 400, "missing_required_parameter", "'input'"),
        (with("input", json!("")), 400, "", "'$.input' is invalid"),
        (with("input", json!([])), 400, "", "'$.input' is invalid"),
        (with("input", json!(["a", ""])), 400, "", "'$.input' is invalid"),
        (with("input", json!(vec!["a"; 2049])), 400, "array_above_max_length", "length 2049"),
        (with("input", json!(long)), 400, "", "however you requested 10000 tokens"),
        (
            with("input", json!(vec!["word ".repeat(6000); 50])),
            400,
            "max_tokens_per_request",
            "Requested 375000 tokens, max 300000",
        ),
        (with("dimensions", json!(0)), 400, "integer_below_min_value", "'dimensions'"),
        (with("dimensions", json!(1537)), 400, "", "Must be less than or equal to 1536"),
        (with("encoding_format", json!("hex")), 400, "invalid_value", "'float' and 'base64'"),
        (with("model", json!("gpt-4o")), 403, "", "not allowed to generate embeddings"),
        (with("model", json!("none")), 404, "model_not_found", "`none` does not exist"),
        (with("inputs", json!("Hi")), 400, "unknown_parameter", "'inputs'"),
        (
            json!({ "model": "text-embedding-ada-002", "input": "Hi", "dimensions": 256 }),
            400,
            "",
            "does not support specifying dimensions",
        ),
    ] {
        let answer = server.post("/embeddings", &body).await;
        let (got, _, words) = answer.error();
        assert_eq!((answer.status, got), (status, code), "{words}");
        assert!(words.contains(message), "{words}");
    }
}

#[tokio::test]
async fn moderations_flag_what_they_are_asked_to() {
    let server = start().await;
    let published = schema("CreateModerationResponse");
    let picture = json!({ "type": "image_url", "image_url": { "url": "https://a.test/b.png" } });
    for (input, flags) in [
        (json!("My screen is cracked"), vec![None]),
        (json!("I will kill you"), vec![Some("violence")]),
        (json!("KILL YOU, I said"), vec![Some("violence")]),
        (json!("we overkill your screens, and skill you up"), vec![None]),
        (json!(["Hi", "Hi flag:hate."]), vec![None, Some("hate")]),
        (json!([{ "type": "text", "text": "flag:sexual" }, picture]), vec![Some("sexual")]),
    ] {
        let answer = server.post("/moderations", &json!({ "input": input })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(violations(&published, &answer.body), Vec::<String>::new(), "{answer:?}");
        let results = answer.body["results"].as_array().unwrap();
        assert_eq!(results.len(), flags.len());
        for (result, flag) in results.iter().zip(flags) {
            assert_eq!(result["flagged"], flag.is_some(), "{result}");
            assert!(flag.is_none_or(|flag| result["categories"][flag] == true), "{result}");
        }
    }
    for model in ["gpt-4o", "openai/text-moderation-latest", "none"] {
        let answer = server.post("/moderations", &json!({ "input": "Hi", "model": model })).await;
        let message = format!(
            "Invalid value for 'model' = {model}. Please check the OpenAI documentation and try again."
        );
        assert_eq!((answer.status, answer.error()), (400, ("", "model", &*message)));
    }
    let answer = server.post("/moderations", &json!({})).await;
    assert_eq!(
        answer.error(),
        ("missing_required_parameter", "input", "Missing required parameter: 'input'.")
    );
}

#[tokio::test]
async fn a_stored_response_is_read_and_deleted() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }, { say: Bye }]");
    let mut body = request(json!([user("Hi")]));
    body["store"] = json!(true);
    let answer = server.ask(&body).await;
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(bare(&server, "GET", &format!("/responses/{id}")).await, answer);
    let items = bare(&server, "GET", &format!("/responses/{id}/input_items")).await;
    assert_eq!(violations(&schema("ResponseItemList"), &items.body), Vec::<String>::new());
    let item = &items.body["data"][0];
    assert_eq!(item["content"], json!([{ "type": "input_text", "text": "Hi" }]));
    assert!(item["id"].as_str().unwrap().starts_with("msg_"), "{item}");
    let cancelled = bare(&server, "POST", &format!("/responses/{id}/cancel")).await;
    assert_eq!(
        (cancelled.status, cancelled.error().2),
        (400, "Cannot cancel a synchronous response.")
    );
    let deleted = bare(&server, "DELETE", &format!("/responses/{id}")).await;
    assert_eq!(deleted.body, json!({ "id": id, "object": "response", "deleted": true }));
    for method in ["GET", "DELETE"] {
        let gone = bare(&server, method, &format!("/responses/{id}")).await;
        assert_eq!(
            (gone.status, gone.error().2),
            (404, &*format!("Response with id '{id}' not found."))
        );
    }
    // Without `store` there is nothing to read.
    body["store"] = json!(false);
    let answer = server.ask(&body).await;
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(bare(&server, "GET", &format!("/responses/{id}")).await.status, 404);
    let wrong = bare(&server, "GET", "/responses/abc").await;
    assert_eq!(
        (wrong.status, wrong.error().0, wrong.error().1),
        (400, "invalid_value", "response_id")
    );
}

#[tokio::test]
async fn they_are_recorded_under_their_names_and_can_fail() {
    let server = start().await;
    let failure = Failure { status: Some(503), ..Failure::default() };
    server.faults.arm(Fault {
        on: "openai.embeddings".into(),
        failure,
        times: Some(1),
        ..Fault::default()
    });
    let body = embedding("text-embedding-3-small", json!("Hi"));
    assert_eq!(server.post("/embeddings", &body).await.status, 503);
    assert_eq!(server.post("/embeddings", &body).await.status, 200);
    assert_eq!(bare(&server, "GET", "/conversations/conv_1?x=1").await.status, 404);
    let names: Vec<String> = server.exchanges().into_iter().map(|e| e.name).collect();
    assert_eq!(names, ["openai.embeddings", "openai.embeddings", "openai.conversations.retrieve"]);
    let recorded = serde_json::to_value(server.exchanges().last().unwrap()).unwrap();
    assert_eq!(
        recorded["crossing"],
        json!({
            "kind": "open_ai", "method": "GET", "path": "/v1/conversations/conv_1?x=1", "request": null
        })
    );
}

#[tokio::test]
async fn a_wrong_key_method_or_body_is_refused() {
    let server = start().await;
    let url = server.openai.url();
    let no_key = server.web.get(format!("{url}/responses/resp_1")).send().await.unwrap();
    assert_eq!(no_key.status(), 401);
    assert_eq!(bare(&server, "GET", "/embeddings").await.error().0, "method_not_supported");
    assert_eq!(bare(&server, "POST", "/embeddings").await.status, 400);
    let unknown = bare(&server, "POST", "/responses/compact").await;
    assert!(unknown.error().2.contains("is not reproduced"), "{unknown:?}");
}

/// Sends a request as a client of Azure does.
async fn azure(server: &TestServer, path: &str, key: &str, body: &Value) -> ApiResponse {
    let url = server.openai.url().replace("/v1", path);
    let sent = server.web.post(url).header("api-key", key).json(body).send().await.unwrap();
    ApiResponse { status: sent.status().as_u16(), body: sent.json().await.unwrap() }
}

#[tokio::test]
async fn the_urls_of_azure_lead_to_the_same_endpoints() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }]");
    let chat = json!({ "messages": [user("Hi")] });
    let (key, version) = ("sk-rehearse", "?api-version=2024-10-21");
    let path = format!("/openai/deployments/gpt-4o/chat/completions{version}");
    let answer = azure(&server, &path, key, &chat).await;
    assert_eq!(answer.body["choices"][0]["message"]["content"], "Hello", "{answer:?}");
    assert_eq!(answer.body["model"], "gpt-4o");
    let embeds = format!("/openai/deployments/text-embedding-3-small/embeddings{version}");
    let answer = azure(&server, &embeds, key, &json!({ "input": "Hi" })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let ask = json!({ "model": "gpt-4o", "input": "Hi" });
    for path in ["/openai/v1/responses", "/openai/responses?api-version=2025-04-01-preview"] {
        assert_eq!(azure(&server, path, key, &ask).await.text(), "Hello", "{path}");
    }
    for (path, key, status, code) in [
        (&*path, "wrong", 401, "401"),
        ("/openai/responses", key, 404, "404"),
        ("/openai/v1/moderations", key, 404, "404"),
        (&*path.replace("gpt-4o", "ours"), key, 404, "DeploymentNotFound"),
    ] {
        let answer = azure(&server, path, key, &chat).await;
        assert_eq!((answer.status, answer.error().0), (status, code), "{answer:?}");
        assert_eq!(answer.body["error"].as_object().unwrap().len(), 2, "{answer:?}");
    }
}
