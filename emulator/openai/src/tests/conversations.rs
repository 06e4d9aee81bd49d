//! The Conversations endpoints, and responses that go on with a conversation.

use serde_json::{Value, json};

use super::{
    published::{schema, violations},
    support::{ApiResponse, TestServer, request, start, user},
};

async fn send(server: &TestServer, method: &str, path: &str, body: Option<Value>) -> ApiResponse {
    let url = format!("{}{path}", server.openai.url());
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.web.request(method, url).bearer_auth("sk-rehearse");
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let sent = request.send().await.unwrap();
    ApiResponse { status: sent.status().as_u16(), body: sent.json().await.unwrap() }
}

/// Begins a conversation and returns its id.
async fn begin(server: &TestServer, items: Value) -> String {
    let answer = send(server, "POST", "/conversations", Some(json!({ "items": items }))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["id"].as_str().unwrap().into()
}

/// The items of a conversation, the oldest first.
async fn items(server: &TestServer, id: &str) -> Vec<Value> {
    let path = format!("/conversations/{id}/items?order=asc&limit=100");
    let answer = send(server, "GET", &path, None).await;
    assert_eq!(violations(&schema("ConversationItemList"), &answer.body), Vec::<String>::new());
    answer.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_conversation_is_begun_changed_and_deleted() {
    let server = start().await;
    let published = schema("ConversationResource");
    let first = send(&server, "POST", "/conversations", None).await;
    assert_eq!(violations(&published, &first.body), Vec::<String>::new());
    assert_eq!(first.body["metadata"], json!({}));
    assert_eq!(first.body["created_at"], 1_770_754_200);
    let path = format!("/conversations/{}", first.body["id"].as_str().unwrap());
    assert_ne!(send(&server, "POST", "/conversations", None).await.body["id"], first.body["id"]);
    let changed = json!({ "metadata": { "a": "b" } });
    assert_eq!(send(&server, "POST", &path, Some(changed)).await.body["metadata"]["a"], "b");
    assert_eq!(send(&server, "GET", &path, None).await.body["metadata"]["a"], "b");
    let deleted = send(&server, "DELETE", &path, None).await;
    assert_eq!(deleted.body["object"], "conversation.deleted");
    assert_eq!(
        violations(&schema("DeletedConversationResource"), &deleted.body),
        Vec::<String>::new()
    );
    assert_eq!(send(&server, "GET", &path, None).await.status, 404);
}

#[tokio::test]
async fn items_are_added_listed_page_by_page_and_removed() {
    let server = start().await;
    let id = begin(&server, json!([user("one")])).await;
    let path = format!("/conversations/{id}/items");
    let more = json!({ "items": [user("two"), { "role": "assistant", "content": "three" }] });
    let added = send(&server, "POST", &path, Some(more)).await;
    assert_eq!(added.body["data"].as_array().unwrap().len(), 2);
    let all = items(&server, &id).await;
    let text = |item: &Value| item["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(all.iter().map(text).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(all[2]["content"][0]["type"], "output_text");
    // The newest first, two at a time.
    let page = send(&server, "GET", &format!("{path}?limit=2"), None).await.body;
    assert_eq!(
        (&page["first_id"], &page["last_id"], &page["has_more"]),
        (&all[2]["id"], &all[1]["id"], &json!(true))
    );
    let after = page["last_id"].as_str().unwrap();
    let page = send(&server, "GET", &format!("{path}?limit=2&after={after}"), None).await.body;
    assert_eq!((&page["first_id"], &page["has_more"]), (&all[0]["id"], &json!(false)));
    let one = format!("{path}/{}", all[1]["id"].as_str().unwrap());
    assert_eq!(send(&server, "GET", &one, None).await.body, all[1]);
    assert_eq!(send(&server, "DELETE", &one, None).await.body["object"], "conversation");
    assert_eq!(send(&server, "GET", &one, None).await.status, 404);
    assert_eq!(items(&server, &id).await.len(), 2);
    for (query, code) in [
        ("limit=101", "integer_above_max_value"),
        ("limit=x", "invalid_type"),
        ("order=up", "invalid_value"),
        ("page=2", "unknown_parameter"),
    ] {
        let answer = send(&server, "GET", &format!("{path}?{query}"), None).await;
        assert_eq!((answer.status, answer.error().0), (400, code), "{query}");
    }
    let many = json!({ "items": vec![user("x"); 21] });
    let answer = send(&server, "POST", &path, Some(many)).await;
    assert_eq!(answer.error().0, "array_above_max_length");
    let wrong = json!({ "items": [{ "type": "message", "role": "user" }] });
    assert_eq!(send(&server, "POST", &path, Some(wrong)).await.error().1, "items[0].content");
}

#[tokio::test]
async fn a_response_goes_on_with_a_conversation() {
    let server = start().await;
    let armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None yet. }]");
    let id = begin(&server, json!([])).await;
    let mut body = request(json!("Hi"));
    body["conversation"] = json!(id);
    let first = server.ask(&body).await;
    assert_eq!(first.body["conversation"], json!({ "id": id }), "{first:?}");
    let call = first.items().into_iter().find(|i| i["type"] == "function_call").unwrap();
    // The result alone: the call is in the conversation.
    body["conversation"] = json!({ "id": id });
    body["input"] = json!([{
        "type": "function_call_output", "call_id": call["call_id"], "output": "[]"
    }]);
    assert_eq!(server.ask(&body).await.text(), "None yet.");
    let kinds: Vec<Value> = items(&server, &id).await.iter().map(|i| i["type"].clone()).collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call", "function_call_output", "message"]);
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn the_same_text_twice_makes_different_items() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }]");
    let id = begin(&server, json!([])).await;
    let mut body = request(json!("Hi"));
    body["conversation"] = json!(id);
    let (first, second) = (server.ask(&body).await, server.ask(&body).await);
    assert_ne!(first.body["id"], second.body["id"]);
    let mut ids: Vec<String> =
        items(&server, &id).await.iter().map(|i| i["id"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn wrong_conversations_are_refused() {
    let server = start().await;
    let with = |conversation: Value| {
        let mut body = request(json!("Hi"));
        body["conversation"] = conversation;
        body
    };
    let mut both = with(json!("conv_1"));
    both["previous_response_id"] = json!("resp_1");
    for (body, status, code, message) in [
        (with(json!("conv_1")), 404, "", "Conversation with id 'conv_1' not found."),
        (with(json!({ "id": "conv_2" })), 404, "", "'conv_2' not found."),
        (with(json!({})), 400, "missing_required_parameter", "'conversation.id'"),
        (with(json!(7)), 400, "invalid_type", "'conversation'"),
    ] {
        let answer = server.ask(&body).await;
        assert_eq!((answer.status, answer.error().0), (status, code), "{answer:?}");
        assert!(answer.error().2.contains(message), "{answer:?}");
    }
    let _armed = server.arm("[{ say: Hello }]");
    let mut first = request(json!("Hi"));
    first["store"] = json!(true);
    both["previous_response_id"] = server.ask(&first).await.body["id"].clone();
    assert_eq!(server.ask(&both).await.error().0, "mutually_exclusive_parameters");
    let id = begin(&server, json!([])).await;
    // A call without its result stays in the conversation, and nothing goes on before it has one.
    let call = json!({ "items": [{
        "type": "function_call", "call_id": "call_1", "name": "list_bookings", "arguments": "{}"
    }] });
    send(&server, "POST", &format!("/conversations/{id}/items"), Some(call)).await;
    let mut next = with(json!(id));
    next["input"] = json!([user("Hi")]);
    let answer = server.ask(&next).await;
    assert!(
        answer.error().2.contains("No tool output found for function call call_1"),
        "{answer:?}"
    );
}
