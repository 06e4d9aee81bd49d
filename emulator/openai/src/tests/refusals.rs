//! Requests that the provider refuses get its errors.

use serde_json::{Value, json};

use super::support::{ApiResponse, next, request, start, tool, user};
use crate::Persona;

fn with(key: &str, value: Value) -> Value {
    let mut body = request(json!("Hi"));
    body[key] = value;
    body
}

fn call(call_id: &str) -> Value {
    json!({ "type": "function_call", "call_id": call_id, "name": "list_bookings", "arguments": "{}" })
}

fn output(call_id: &str) -> Value {
    json!({ "type": "function_call_output", "call_id": call_id, "output": "{}" })
}

#[tokio::test]
async fn wrong_parameters_are_refused() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let mut no_input = request(json!("Hi"));
    no_input.as_object_mut().unwrap().remove("input");
    let long = "x".repeat(65);
    let pairs: Value =
        (0..17).map(|i| (format!("k{i}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    for (body, status, code, param, message) in [
        (
            with("model", json!("gpt-1")),
            404,
            "model_not_found",
            "",
            "The model `gpt-1` does not exist or you do not have access to it.",
        ),
        (
            with("model", Value::Null),
            400,
            "missing_required_parameter",
            "model",
            "Missing required parameter: 'model'.",
        ),
        (with("modle", json!(1)), 400, "unknown_parameter", "modle", "Unknown parameter: 'modle'."),
        (
            with("stream", json!("yes")),
            400,
            "invalid_type",
            "stream",
            "Invalid type for 'stream': expected a boolean, but got a string instead.",
        ),
        (
            with("max_output_tokens", json!(15)),
            400,
            "integer_below_min_value",
            "max_output_tokens",
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
        ),
        (
            with("max_output_tokens", json!("20")),
            400,
            "invalid_type",
            "max_output_tokens",
            "expected an integer, but got a string",
        ),
        (
            with("temperature", json!(2.5)),
            400,
            "decimal_above_max_value",
            "temperature",
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
        ),
        (
            with("truncation", json!("never")),
            400,
            "invalid_value",
            "truncation",
            "Invalid value: 'never'. Supported values are: 'auto' and 'disabled'.",
        ),
        (
            with("safety_identifier", json!(long)),
            400,
            "string_above_max_length",
            "safety_identifier",
            "maximum length 64, but got a string with length 65",
        ),
        (
            with("metadata", pairs),
            400,
            "object_above_max_properties",
            "metadata",
            "at most 16 properties",
        ),
        (
            with("metadata", json!({ "a": 1 })),
            400,
            "invalid_type",
            "metadata.a",
            "expected a string",
        ),
        (
            with("include", json!(["all"])),
            400,
            "invalid_value",
            "include[0]",
            "Invalid value: 'all'.",
        ),
        (
            with("reasoning", json!({ "effort": "huge" })),
            400,
            "invalid_value",
            "reasoning.effort",
            "'huge'",
        ),
        (
            with("reasoning", json!({ "depth": 1 })),
            400,
            "unknown_parameter",
            "reasoning.depth",
            "'reasoning.depth'",
        ),
        (
            with("stream_options", json!({})),
            400,
            "",
            "stream_options",
            "only allowed when 'stream' is enabled",
        ),
        (
            with("input", json!(3)),
            400,
            "invalid_type",
            "input",
            "expected one of a string or array of input items, but got an integer",
        ),
        (no_input, 400, "missing_required_parameter", "input", "must be provided"),
        (with("input", json!([])), 400, "missing_required_parameter", "input", "must be provided"),
        (with("tool_choice", json!("maybe")), 400, "invalid_value", "tool_choice", "'maybe'"),
        (
            with("tool_choice", json!({ "type": "function", "name": "fly" })),
            400,
            "",
            "tool_choice",
            "not found in 'tools' parameter",
        ),
        (
            with("previous_response_id", json!("resp_x")),
            400,
            "previous_response_not_found",
            "previous_response_id",
            "Previous response with id 'resp_x' not found.",
        ),
        (
            with("background", json!(true)),
            400,
            "rehearse",
            "background",
            "rehearse: background responses are not reproduced",
        ),
        (
            with("conversation", json!("conv_1")),
            404,
            "",
            "",
            "Conversation with id 'conv_1' not found.",
        ),
    ] {
        check(&server.ask(&body).await, status, code, param, message);
    }
}

#[tokio::test]
async fn wrong_tools_are_refused() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let broken = |pointer: &str, value: Value| {
        let mut tool = tool("f", json!({ "a": { "type": "string" } }));
        *tool.pointer_mut(pointer).unwrap() = value;
        with("tools", json!([tool]))
    };
    let extra = {
        let mut tool = tool("f", json!({}));
        tool["function"] = json!({});
        with("tools", json!([tool]))
    };
    for (body, code, param, message) in [
        (
            broken("/parameters/additionalProperties", json!(true)),
            "invalid_function_parameters",
            "tools[0].parameters",
            "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            broken("/parameters/required", json!([])),
            "invalid_function_parameters",
            "tools[0].parameters",
            "Missing 'a'.",
        ),
        (broken("/name", json!("a b")), "invalid_value", "tools[0].name", "'^[a-zA-Z0-9_-]+$'"),
        (broken("/type", json!("fn")), "invalid_value", "tools[0]", "Invalid value: 'fn'."),
        (
            extra,
            "unknown_parameter",
            "tools[0].function",
            "Unknown parameter: 'tools[0].function'.",
        ),
        (
            with("tools", json!([{ "type": "function", "function": { "name": "f" } }])),
            "missing_required_parameter",
            "tools[0].name",
            "Missing required parameter: 'tools[0].name'.",
        ),
    ] {
        check(&server.ask(&body).await, 400, code, param, message);
    }
    let mut loose = broken("/parameters/additionalProperties", json!(true));
    loose["tools"][0]["strict"] = json!(false);
    assert_eq!(server.ask(&loose).await.status, 200);
}

#[tokio::test]
async fn wrong_input_items_are_refused() {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    let foreign = json!({ "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABx" });
    let bare = json!({ "type": "reasoning", "id": "rs_1", "summary": [] });
    let said = |id: &str| json!({ "type": "message", "role": "assistant", "id": id, "content": [{ "type": "output_text", "text": "a" }] });
    for (items, status, code, param, message) in [
        (
            json!([user("a"), call("call_X")]),
            400,
            "",
            "input",
            "No tool output found for function call call_X.",
        ),
        (
            json!([user("a"), output("call_X")]),
            400,
            "",
            "input",
            "No tool call found for function call output with call_id call_X.",
        ),
        (
            json!([user("a"), said("msg_1"), said("msg_1")]),
            400,
            "",
            "input",
            "Duplicate item found with id msg_1. Remove duplicate items from your input and try again.",
        ),
        (
            json!([user("a"), foreign, call("c"), output("c")]),
            400,
            "invalid_encrypted_content",
            "",
            "could not be verified",
        ),
        (
            json!([user("a"), bare, call("c"), output("c")]),
            404,
            "",
            "input",
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
        ),
        (
            json!([{ "role": "robot", "content": "a" }]),
            400,
            "invalid_value",
            "input[0].role",
            "Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        ),
        (
            json!([{ "role": "user", "content": [{ "type": "text", "text": "a" }] }]),
            400,
            "invalid_value",
            "input[0].content[0]",
            "Invalid value: 'text'.",
        ),
        (
            json!([{ "role": "assistant", "content": [{ "type": "input_text", "text": "a" }] }]),
            400,
            "invalid_value",
            "input[0].content[0]",
            "Supported values are: 'output_text' and 'refusal'.",
        ),
        (
            json!([{ "role": "user" }]),
            400,
            "missing_required_parameter",
            "input[0].content",
            "'input[0].content'",
        ),
        (
            json!([{ "role": "user", "content": "a", "name": "b" }]),
            400,
            "unknown_parameter",
            "input[0].name",
            "'input[0].name'",
        ),
        (
            json!([{ "type": "function_call", "call_id": "c", "name": "f" }]),
            400,
            "missing_required_parameter",
            "input[0].arguments",
            "'input[0].arguments'",
        ),
        (
            json!([{ "type": "function_call", "id": "call_1", "call_id": "c", "name": "f", "arguments": "{}" }]),
            400,
            "invalid_value",
            "input[0].id",
            "Expected an ID that begins with 'fc'.",
        ),
        (
            json!([{ "type": "function_call_output", "call_id": "c", "output": {} }]),
            400,
            "invalid_type",
            "input[0].output",
            "one of a string or array of objects, but got an object",
        ),
        (
            json!([{ "type": "function_call_output", "call_id": "c" }]),
            400,
            "missing_required_parameter",
            "input[0].output",
            "'input[0].output'",
        ),
        (
            json!([{ "type": "reasoning" }]),
            400,
            "missing_required_parameter",
            "input[0].summary",
            "'input[0].summary'",
        ),
        (
            json!([{ "type": "thought" }]),
            400,
            "invalid_value",
            "input[0]",
            "Invalid value: 'thought'.",
        ),
        (json!([{}]), 400, "missing_required_parameter", "input[0].type", "'input[0].type'"),
        (json!(["Hi"]), 400, "invalid_type", "input[0]", "expected an object, but got a string"),
        (
            json!([{ "type": "item_reference", "id": "msg_9" }]),
            404,
            "",
            "input",
            "Item with id 'msg_9' not found.",
        ),
    ] {
        check(&server.ask(&request(items)).await, status, code, param, message);
    }
}

#[tokio::test]
async fn a_reasoning_item_must_come_with_the_item_that_followed_it() {
    let server = start().await;
    let _armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({ "bookings": [] })]);
    let (reasoning, called) = (history[1]["id"].clone(), history[2]["id"].clone());
    let (reasoning, called) = (reasoning.as_str().unwrap(), called.as_str().unwrap());

    let mut without = history.clone();
    without.remove(1);
    check(
        &server.ask(&request(json!(without))).await,
        400,
        "",
        "input",
        &format!(
            "Item '{called}' of type 'function_call' was provided without its required 'reasoning' item: '{reasoning}'."
        ),
    );
    let mut alone = history.clone();
    alone.drain(2..);
    check(
        &server.ask(&request(json!(alone))).await,
        400,
        "",
        "input",
        &format!(
            "Item '{reasoning}' of type 'reasoning' was provided without its required following item."
        ),
    );
    // A call without its id does not tell that it needs its reasoning item.
    let mut nameless = history.clone();
    nameless.remove(1);
    nameless[1].as_object_mut().unwrap().remove("id");
    assert_eq!(server.ask(&request(json!(nameless))).await.status, 200);
    assert_eq!(server.ask(&request(json!(history))).await.text(), "None.");
}

#[tokio::test]
async fn wrong_keys_bodies_and_paths_are_refused() {
    let server = start().await;
    let url = server.openai.url().to_owned();
    let answer = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        ApiResponse { status: response.status().as_u16(), body: response.json().await.unwrap() }
    };
    let post = |path: &str| server.web.post(format!("{url}{path}"));
    let body = request(json!("Hi"));

    let no_key = answer(post("/responses").json(&body)).await;
    check(&no_key, 401, "", "", "You didn't provide an API key.");
    let secret = "sk-live-0123456789abcdefghij";
    let wrong = answer(post("/responses").bearer_auth(secret).json(&body)).await;
    check(&wrong, 401, "invalid_api_key", "", "Incorrect API key provided: sk-li********ghij.");
    assert!(!format!("{:?}", server.exchanges()).contains(secret));

    let garbled =
        post("/responses").bearer_auth("sk-rehearse").header("content-type", "application/json");
    check(
        &answer(garbled.body("{\"model\":")).await,
        400,
        "",
        "",
        "We could not parse the JSON body",
    );
    let text = post("/responses").bearer_auth("sk-rehearse").header("content-type", "text/plain");
    check(&answer(text.body("Hi")).await, 400, "unsupported_content_type", "", "'text/plain'");
    let list = post("/responses").bearer_auth("sk-rehearse").json(&json!([1]));
    check(&answer(list).await, 400, "", "", "We could not parse the JSON body");

    check(
        &answer(post("/answers").json(&body)).await,
        404,
        "",
        "",
        "Invalid URL (POST /v1/answers)",
    );
    check(
        &answer(post("/batches").json(&body)).await,
        404,
        "rehearse",
        "",
        "rehearse: POST /v1/batches is not reproduced",
    );
    let get = server.web.get(format!("{url}/responses"));
    check(&answer(get).await, 405, "method_not_supported", "", "Not allowed to GET");
}

fn check(answer: &ApiResponse, status: u16, code: &str, param: &str, message: &str) {
    let (got_code, got_param, got_message) = answer.error();
    assert_eq!((answer.status, got_code, got_param), (status, code, param), "{got_message}");
    assert!(got_message.contains(message), "{got_message}");
}
