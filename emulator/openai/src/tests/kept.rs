//! Responses that are kept: ids of their own, references to their items, and one at a time in a conversation.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    published::nullable,
    rows::{answering, base},
    support::{ApiResponse, TestServer, request, start, user},
};
use rehearse_core::faults::{Failure, Fault};

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

fn stored(text: &str) -> Value {
    let mut body = request(json!([user(text)]));
    body["store"] = json!(true);
    body
}

fn ids(answer: &ApiResponse) -> Vec<String> {
    let own = std::iter::once(answer.body["id"].clone());
    let items =
        answer.items().into_iter().flat_map(|item| [item["id"].clone(), item["call_id"].clone()]);
    own.chain(items).filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn equal_answers_that_are_kept_have_ids_of_their_own_and_a_world_repeats_itself() {
    let mut worlds = Vec::new();
    for _ in 0..2 {
        let server = start().await;
        let _armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
        let (first, second) = (server.ask(&stored("Hi")).await, server.ask(&stored("Hi")).await);
        assert!(ids(&first).iter().all(|id| !ids(&second).contains(id)), "{first:?} {second:?}");
        let path = format!("/responses/{}", first.body["id"].as_str().unwrap());
        assert_eq!(send(&server, "DELETE", &path, None).await.status, 200);
        let other = format!("/responses/{}", second.body["id"].as_str().unwrap());
        assert_eq!(send(&server, "GET", &other, None).await, second);
        // A backend may still remember what was before a reset.
        server.openai.reset();
        let _armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
        let third = server.ask(&stored("Hi")).await;
        assert!(ids(&third).iter().all(|id| !ids(&first).contains(id)), "{third:?}");
        worlds.push([first, second, third]);
    }
    assert_eq!(worlds[0], worlds[1]);
}

#[tokio::test]
async fn a_history_with_the_same_answer_twice_has_no_id_twice() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }]");
    let mut history = vec![user("Hi")];
    for _ in 0..3 {
        let answer = server.ask(&request(json!(history))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        history.extend(answer.items());
        history.push(user("Hi"));
    }
}

#[tokio::test]
async fn the_call_of_an_alternative_is_recognised_whatever_response_made_it() {
    let server = start().await;
    let _armed = server.arm(
        "
- either:
    - sees: { instructions: [nobody] }
      call: [{ list_bookings: {} }]
    - call: [{ list_bookings: {} }, { list_bookings: {} }]
- say: Two.
",
    );
    for _ in 0..2 {
        let first = server.ask(&stored("Hi")).await;
        let outputs: Vec<Value> = first
            .items()
            .iter()
            .filter(|item| item["type"] == "function_call")
            .map(|call| json!({ "type": "function_call_output", "call_id": call["call_id"], "output": "{}" }))
            .collect();
        assert_eq!(outputs.len(), 2, "{first:?}");
        let mut next = stored("Hi");
        next["input"] = json!(outputs);
        next["previous_response_id"] = first.body["id"].clone();
        assert_eq!(server.ask(&next).await.text(), "Two.");
    }
}

/// Every member that the document lets be null is taken as if it were not there.
#[tokio::test]
async fn null_is_absent_wherever_the_document_has_it() {
    let server = answering().await;
    for (path, name) in
        [("/responses", "CreateResponse"), ("/chat/completions", "CreateChatCompletionRequest")]
    {
        let names = nullable(name, &base(path, "gpt-4.1"));
        assert!(names.len() > 10, "{names:?}");
        let mut all = base(path, "gpt-4.1");
        for name in names {
            let mut request = base(path, "gpt-4.1");
            request[&name] = Value::Null;
            let answer = server.post(path, &request).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            all[&name] = Value::Null;
        }
        assert_eq!(server.post(path, &all).await.status, 200, "{all}");
    }
    let nested = json!({
        "reasoning": { "effort": null, "summary": null, "generate_summary": null, "context": null },
        "text": { "format": null, "verbosity": null },
        "input": [{ "type": null, "role": "user", "content": "Hi", "status": null, "id": null }],
        "tools": [{ "type": "function", "name": "f", "parameters": null, "strict": null, "description": null }]
    });
    let mut request = nested;
    request["model"] = json!("gpt-4.1");
    assert_eq!(server.post("/responses", &request).await.status, 200);
    let nothing = json!({ "model": "gpt-4.1", "conversation": null, "previous_response_id": null });
    let answer = server.post("/responses", &nothing).await;
    assert_eq!(answer.error().0, "missing_required_parameter", "{answer:?}");
    let empty = json!({ "items": null, "metadata": null });
    let begun = send(&server, "POST", "/conversations", Some(empty)).await;
    assert_eq!(begun.status, 200);
    let items = format!("/conversations/{}/items", begun.body["id"].as_str().unwrap());
    let answer = send(&server, "POST", &items, Some(json!({ "items": null }))).await;
    assert_eq!(answer.error().0, "missing_required_parameter", "{answer:?}");
}

#[tokio::test]
async fn references_are_resolved_or_refused() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello }]");
    let first = server.ask(&stored("Hi")).await;
    let said = first.items().into_iter().find(|item| item["type"] == "message").unwrap();
    for reference in [
        json!({ "type": "item_reference", "id": said["id"] }),
        json!({ "type": null, "id": said["id"] }),
        json!({ "id": said["id"] }),
    ] {
        let mut next = request(json!([user("Hi"), reference, user("Hi")]));
        let answer = server.ask(&next).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        // It is there already.
        next["input"] = json!([reference, user("Hi")]);
        next["previous_response_id"] = first.body["id"].clone();
        let answer = server.ask(&next).await;
        assert!(answer.error().2.starts_with("Duplicate item found with id"), "{answer:?}");
        let begun = send(&server, "POST", "/conversations", Some(json!({ "items": [reference] })));
        let path = format!("/conversations/{}/items", begun.await.body["id"].as_str().unwrap());
        let items = send(&server, "GET", &path, None).await;
        assert_eq!(items.body["data"], json!([said]));
    }
    let missing = json!({ "items": [{ "type": "item_reference", "id": "msg_9" }] });
    let begun = send(&server, "POST", "/conversations", Some(json!({}))).await;
    let items = format!("/conversations/{}/items", begun.body["id"].as_str().unwrap());
    for path in ["/conversations", &items] {
        let answer = send(&server, "POST", path, Some(missing.clone())).await;
        assert_eq!((answer.status, answer.error().2), (404, "Item with id 'msg_9' not found."));
    }
}

#[tokio::test]
async fn an_id_of_the_wrong_form_is_400_and_one_that_names_nothing_404() {
    let server = answering().await;
    let begins = |name: &str, id: &str, prefix: &str| {
        format!("Invalid '{name}': '{id}'. Expected an ID that begins with '{prefix}'.")
    };
    let characters = "Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.";
    for (changes, param, message) in [
        (json!({ "conversation": "abc" }), "conversation", begins("conversation", "abc", "conv")),
        (
            json!({ "conversation": { "id": "resp_1" } }),
            "conversation.id",
            begins("conversation.id", "resp_1", "conv"),
        ),
        (
            json!({ "previous_response_id": "conv_1" }),
            "previous_response_id",
            begins("previous_response_id", "conv_1", "resp"),
        ),
        (
            json!({ "previous_response_id": "@results.id" }),
            "previous_response_id",
            format!("Invalid 'previous_response_id': '@results.id'. {characters}"),
        ),
    ] {
        let request = super::rows::changed(base("/responses", "gpt-4.1"), &changes);
        let answer = server.ask(&request).await;
        assert_eq!(
            (answer.status, answer.error()),
            (400, ("invalid_value", param, &*message)),
            "{request}"
        );
    }
    for (path, status, param) in [
        ("/responses/conv_1", 400, "response_id"),
        ("/responses/resp_1", 404, ""),
        ("/conversations/resp_1", 400, "conversation_id"),
        ("/conversations/conv_1", 404, ""),
        ("/conversations/x/items/msg_1", 400, "conversation_id"),
    ] {
        let answer = send(&server, "GET", path, None).await;
        assert_eq!((answer.status, answer.error().1), (status, param), "{path}");
    }
}

#[tokio::test]
async fn a_404_by_a_fault_has_the_words_of_its_endpoint() {
    let server = start().await;
    for (on, method, path, body, message) in [
        (
            "openai.responses.retrieve",
            "GET",
            "/responses/resp_1",
            None,
            "Response with id 'resp_1' not found.",
        ),
        (
            "openai.responses.delete",
            "DELETE",
            "/responses/resp_1",
            None,
            "Response with id 'resp_1' not found.",
        ),
        (
            "openai.conversations.retrieve",
            "GET",
            "/conversations/conv_1",
            None,
            "Conversation with id 'conv_1' not found.",
        ),
        (
            "openai.conversations.items.list",
            "GET",
            "/conversations/conv_1/items",
            None,
            "Conversation with id 'conv_1' not found.",
        ),
        (
            "openai.conversations.items.retrieve",
            "GET",
            "/conversations/conv_1/items/msg_1",
            None,
            "Item with id 'msg_1' not found.",
        ),
        (
            "openai.conversations.create",
            "POST",
            "/conversations",
            None,
            "The requested resource was not found.",
        ),
        (
            "openai.embeddings",
            "POST",
            "/embeddings",
            Some(json!({ "model": "m", "input": "Hi" })),
            "The model `m` does not exist or you do not have access to it.",
        ),
        (
            "openai.responses",
            "POST",
            "/responses",
            Some(request(json!("Hi"))),
            "The model `gpt-6-luna` does not exist or you do not have access to it.",
        ),
    ] {
        let failure = Failure { status: Some(404), ..Failure::default() };
        server.faults.arm(Fault { on: on.into(), failure, times: Some(1), ..Fault::default() });
        let answer = send(&server, method, path, body).await;
        assert_eq!((answer.status, answer.error().2), (404, message), "{on}");
    }
}

#[tokio::test]
async fn a_conversation_takes_one_response_at_a_time() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello, stream: { first: 5m } }]");
    let begun = send(&server, "POST", "/conversations", Some(json!({}))).await;
    let mut body = request(json!("Hi"));
    body["conversation"] = begun.body["id"].clone();
    let mut streamed = body.clone();
    streamed["stream"] = json!(true);
    let mut first = server.send("/responses", &streamed).await.unwrap();
    first.chunk().await.unwrap().unwrap();
    let second = server.ask(&body).await;
    assert_eq!(
        (second.status, second.error()),
        (
            400,
            (
                "conversation_locked",
                "conversation",
                "Another process is currently operating on this conversation. Please retry in a few seconds."
            )
        )
    );
    // Other conversations go on.
    assert_eq!(server.ask(&request(json!("Hi"))).await.status, 200);
    drop(first);
    let unlocked = async { while server.ask(&body).await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(30), unlocked).await.expect("it is unlocked");
}

/// Whoever has the end of a stream may go on at once.
#[tokio::test]
async fn the_last_piece_of_a_stream_ends_the_response() {
    let server = start().await;
    let _armed = server.arm("[{ say: Hello, stream: { first: 1ms, packet: 9 } }]");
    let begun = send(&server, "POST", "/conversations", Some(json!({}))).await;
    let mut body = request(json!("Hi"));
    body["conversation"] = begun.body["id"].clone();
    body["stream"] = json!(true);
    for _ in 0..10 {
        let mut stream = server.send("/responses", &body).await.unwrap();
        let mut got = Vec::new();
        while !String::from_utf8_lossy(&got).contains("\"type\":\"response.completed\"")
            || !got.ends_with(b"\n\n")
        {
            got.extend(stream.chunk().await.unwrap().expect("the stream has its last event"));
        }
        let next = server.send("/responses", &body).await.unwrap();
        assert_eq!(next.status(), 200);
        next.bytes().await.unwrap();
    }
}
