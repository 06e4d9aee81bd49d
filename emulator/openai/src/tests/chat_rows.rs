//! What Chat Completions refuses and takes, request by request.

use serde_json::{Value, json};

use super::{
    chat_model_rows,
    rows::{Refused, check_accepted, check_refused, refused},
    support::user,
};

const PATH: &str = "/chat/completions";

pub fn functions(parameters: Value, strict: bool) -> Value {
    let function = json!({ "name": "f", "parameters": parameters, "strict": strict });
    json!({ "tools": [{ "type": "function", "function": function }] })
}

pub fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false
    })
}

fn messages(list: Value) -> Value {
    json!({ "messages": list })
}

fn called(call: Value) -> Value {
    messages(json!([
        user("Hi"),
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": "call_a", "content": "{}" }
    ]))
}

/// Every refusal.
pub fn all_refused() -> Vec<Refused> {
    let all = [
        chat_model_rows::all_refused(),
        needs(),
        schemas(),
        formats(),
        contents(),
        calls(),
        limits(),
        not_reproduced(),
    ];
    all.into_iter().flatten().collect()
}

fn needs() -> Vec<Refused> {
    let row = |changes: Value, param: &'static str, message: &'static str| {
        refused("gpt-4.1", changes, param, "", message)
    };
    vec![
        row(
            json!({ "parallel_tool_calls": true }),
            "parallel_tool_calls",
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        ),
        row(
            json!({ "tool_choice": "auto" }),
            "tool_choice",
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        ),
        row(
            json!({ "metadata": { "a": "b" } }),
            "metadata",
            "The 'metadata' parameter is only allowed when 'store' is enabled.",
        ),
        row(
            json!({ "top_logprobs": 2 }),
            "top_logprobs",
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        ),
        row(
            json!({ "response_format": { "type": "json_object" } }),
            "messages",
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        ),
    ]
}

fn schemas() -> Vec<Refused> {
    let (param, code) = ("tools[0].function.parameters", "invalid_function_parameters");
    let row = |tools: Value, message: &'static str| refused("gpt-4.1", tools, param, code, message);
    let mut chosen = functions(object(json!({})), true);
    chosen["tool_choice"] = json!({ "type": "function", "function": { "name": "g" } });
    vec![
        row(
            functions(json!({ "type": "object" }), false),
            "Invalid schema for function 'f': In context=(), object schema missing properties.",
        ),
        row(
            functions(
                json!({ "type": "object", "properties": { "a": { "type": "array" } } }),
                false,
            ),
            "Invalid schema for function 'f': In context=('properties', 'a'), array schema missing items.",
        ),
        row(
            functions(object(json!({ "a": { "type": "string", "default": "x" } })), true),
            "Invalid schema for function 'f': In context=('properties', 'a'), 'default' is not permitted.",
        ),
        row(
            functions(
                object(json!({ "a": { "type": "object", "additionalProperties": {} } })),
                true,
            ),
            "Invalid schema for function 'f': In context=('properties', 'a'), 'additionalProperties' is required to be supplied and to be false.",
        ),
        refused(
            "gpt-4.1",
            chosen,
            "function_call",
            "",
            "Invalid value for 'function_call': no function named 'g' was specified in the 'functions' parameter.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": [{ "type": "function" }] }),
            "tools[0].function",
            "missing_required_parameter",
            "Missing required parameter: 'tools[0].function'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "tools": [{ "type": "function", "function": { "name": "a b" } }] }),
            "tools[0].function.name",
            "invalid_value",
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
    ]
}

fn formats() -> Vec<Refused> {
    let format = |format: Value| json!({ "response_format": format });
    let strict = |schema: Value| {
        let schema = json!({ "name": "s", "strict": true, "schema": schema });
        format(json!({ "type": "json_schema", "json_schema": schema }))
    };
    let missing = "missing_required_parameter";
    vec![
        refused(
            "gpt-4.1",
            strict(object(json!({ "data": { "oneOf": [] } }))),
            "response_format",
            "",
            "Invalid schema for response_format 's': In context=('properties', 'data'), 'oneOf' is not permitted.",
        ),
        refused(
            "gpt-4.1",
            strict(object(json!({ "labels": { "$ref": "#", "description": "d" } }))),
            "response_format",
            "",
            "Invalid schema for response_format 's': context=('properties', 'labels'), $ref cannot have keywords {'description'}.",
        ),
        refused(
            "gpt-4.1",
            format(json!({ "type": "object" })),
            "response_format.type",
            "invalid_value",
            "Invalid value: 'object'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            format(json!({})),
            "response_format.type",
            missing,
            "Missing required parameter: 'response_format.type'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            format(json!({ "type": "json_schema" })),
            "response_format.json_schema",
            missing,
            "Missing required parameter: 'response_format.json_schema'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            format(json!({ "type": "json_schema", "json_schema": {} })),
            "response_format.json_schema.name",
            missing,
            "Missing required parameter: 'response_format.json_schema.name'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            format(json!({ "type": "json_schema", "json_schema": { "name": "My answer" } })),
            "response_format.json_schema.name",
            "invalid_value",
            "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        ),
    ]
}

fn contents() -> Vec<Refused> {
    let null = "Invalid value for 'content': expected a string, got null.";
    let content = |content: Value| messages(json!([{ "role": "user", "content": content }]));
    vec![
        refused("gpt-4.1", content(json!(null)), "messages.[0].content", "", null).published(),
        refused("gpt-4.1", messages(json!([{ "role": "system" }])), "messages.[0].content", "", null)
            .published(),
        refused(
            "gpt-4.1",
            messages(json!([user("Hi"), { "role": "assistant", "content": null }])),
            "messages.[1].content",
            "",
            null,
        ),
        refused(
            "gpt-4.1",
            content(json!(7)),
            "messages[0].content",
            "invalid_type",
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an integer instead.",
        )
        .published(),
        refused(
            "gpt-4.1",
            content(json!([])),
            "messages[0].content",
            "empty_array",
            "Invalid 'messages[0].content': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        )
        .published(),
        refused(
            "gpt-4.1",
            content(json!([{ "type": "input_text", "text": "Hi" }])),
            "messages[0].content[0].type",
            "invalid_value",
            "Invalid value: 'input_text'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', 'audio', and 'file'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            messages(json!([{ "role": "user", "content": "Hi", "id": "msg_1" }])),
            "messages[0].id",
            "unknown_parameter",
            "Unknown parameter: 'messages[0].id'.",
        ),
        refused(
            "gpt-4.1",
            messages(json!([{ "role": "bogus", "content": "Hi" }])),
            "messages[0].role",
            "invalid_value",
            "Invalid value: 'bogus'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "messages": null }),
            "messages",
            "missing_required_parameter",
            "Missing required parameter: 'messages'.",
        )
        .published(),
    ]
}

fn calls() -> Vec<Refused> {
    let function = |name: &str| json!({ "name": name, "arguments": "{}" });
    let none = json!([user("Hi"), { "role": "assistant", "content": "a", "tool_calls": [] }]);
    vec![
        refused(
            "gpt-4.1",
            messages(none),
            "messages[1].tool_calls",
            "empty_array",
            "Invalid 'messages[1].tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ),
        refused(
            "gpt-4.1",
            called(json!({ "id": "call_a", "type": "function", "function": function("") })),
            "messages[1].tool_calls[0].function.name",
            "empty_string",
            "Invalid 'messages[1].tool_calls[0].function.name': empty string. Expected a string with minimum length 1, but got an empty string instead.",
        ),
        refused(
            "gpt-4.1",
            called(json!({ "index": 0, "id": "call_a", "type": "function", "function": function("f") })),
            "messages[1].tool_calls[0].index",
            "unknown_parameter",
            "Unknown parameter: 'messages[1].tool_calls[0].index'.",
        ),
        refused(
            "gpt-4.1",
            called(json!({ "id": "call_a", "type": "function", "function": { "name": "f", "arguments": {} } })),
            "messages[1].tool_calls[0].function.arguments",
            "invalid_type",
            "Invalid type for 'messages[1].tool_calls[0].function.arguments': expected a string, but got an object instead.",
        )
        .published(),
    ]
}

fn limits() -> Vec<Refused> {
    let tool = |name: String, description: String| json!({ "type": "function", "function": { "name": name, "description": description } });
    let many: Vec<Value> = (0..129).map(|i| tool(format!("f{i}"), String::new())).collect();
    let long = "array_above_max_length";
    let text = "string_above_max_length";
    vec![
        refused(
            "gpt-4.1",
            json!({ "tools": many }),
            "tools",
            long,
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": [] }),
            "tools",
            "empty_array",
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": [tool("f".repeat(65), String::new())] }),
            "tools[0].function.name",
            text,
            "Invalid 'tools[0].function.name': string too long. Expected a string with maximum length 64, but got a string with length 65 instead.",
        ),
        refused(
            "gpt-4.1",
            json!({ "stop": ["a", "b", "c", "d", "e"] }),
            "stop",
            long,
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "service_tier": "bogus" }),
            "service_tier",
            "invalid_value",
            "Invalid value: 'bogus'. Supported values are: 'auto', 'default', 'flex', 'scale', 'priority', and 'fast'.",
        )
        .published(),
    ]
}

/// Here the fake says that it is the fake who refuses.
fn not_reproduced() -> Vec<Refused> {
    let row = |changes: Value, param: &'static str, message: &'static str| {
        refused("gpt-4.1", changes, param, "rehearse", message)
    };
    vec![
        row(
            json!({ "logprobs": true }),
            "logprobs",
            "rehearse: log probabilities are not reproduced, since no model is run; leave 'logprobs' out here",
        ),
        row(
            json!({ "web_search_options": {} }),
            "web_search_options",
            "rehearse: web search is not reproduced; leave 'web_search_options' out here",
        ),
        row(
            json!({ "tools": [{ "type": "custom", "custom": { "name": "c" } }] }),
            "tools[0]",
            "rehearse: the tool 'custom' is not reproduced, only functions are; leave it out here, or offer a function in its place",
        ),
        row(
            json!({ "n": 2 }),
            "n",
            "rehearse: more than one choice is not reproduced; ask with n: 1",
        ),
        row(
            json!({ "modalities": ["text", "audio"] }),
            "modalities",
            "rehearse: only text is reproduced; ask for the modality 'text' alone",
        ),
    ]
}

/// Every request that is taken, with its model.
pub fn all_accepted() -> Vec<(&'static str, Value)> {
    let mut some = functions(object(json!({})), true);
    some["parallel_tool_calls"] = json!(false);
    some["tool_choice"] = json!({ "type": "allowed_tools", "allowed_tools": {
        "mode": "auto", "tools": [{ "type": "function", "function": { "name": "f" } }]
    } });
    let mut none = functions(object(json!({})), true);
    none["reasoning_effort"] = json!("none");
    let mut long_description = functions(object(json!({})), true);
    long_description["tools"][0]["function"]["description"] = json!("d".repeat(36_000));
    let call = json!({ "id": "call_a", "type": "function", "function": { "name": "f", "arguments": "{}" } });
    vec![
        ("gpt-4.1-mini", json!({ "max_tokens": 64, "temperature": 0, "stop": ["ZZ"], "seed": 1 })),
        ("gpt-5", json!({ "temperature": 1, "max_completion_tokens": 64, "presence_penalty": 0 })),
        ("gpt-6-luna", json!({ "temperature": 0.7, "reasoning_effort": "none" })),
        ("gpt-5.1-2025-11-13", json!({ "temperature": 0.7 })),
        ("gpt-6-luna", none),
        ("gpt-5.4", functions(object(json!({})), true)),
        ("gpt-5.5-2026-04-23", functions(object(json!({})), true)),
        ("gpt-4.1", long_description),
        ("gpt-4.1", some),
        (
            "gpt-4.1",
            json!({ "metadata": { "a": "b" }, "store": true, "stop": "ZZ", "logprobs": false }),
        ),
        (
            "gpt-4.1",
            json!({ "response_format": { "type": "json_object" }, "messages": [user("json")] }),
        ),
        (
            "gpt-4.1",
            functions(
                json!({ "type": "object", "properties": { "a": { "type": "object" } } }),
                false,
            ),
        ),
        ("gpt-4.1", called(call)),
        (
            "gpt-4.1",
            messages(json!([
                { "role": "system", "content": [{ "type": "text", "text": "a", "cache_control": {} }] },
                { "role": "user", "name": "ann", "content": [
                    { "type": "text", "text": "a" },
                    { "type": "image_url", "image_url": { "url": "http://127.0.0.1/a.png" } }
                ] },
                { "role": "assistant", "content": "a", "refusal": null, "annotations": [] },
                user("b")
            ])),
        ),
    ]
}

#[tokio::test]
async fn refused_requests_get_the_providers_words() {
    check_refused(PATH, all_refused()).await;
}

#[tokio::test]
async fn what_the_provider_takes_is_taken() {
    check_accepted(PATH, &all_accepted()).await;
}
