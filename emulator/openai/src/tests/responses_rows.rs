//! What the Responses endpoint refuses and takes, request by request.

use serde_json::{Value, json};

use super::rows::{Refused, check_accepted, check_refused, refused};

const PATH: &str = "/responses";
const MOVED: &str = "Try again with the new parameter. See the API documentation for more information: https://platform.openai.com/docs/api-reference/responses/create.";

fn function(parameters: Value, strict: Option<bool>) -> Value {
    let mut tool = json!({ "type": "function", "name": "f", "parameters": parameters });
    if let Some(strict) = strict {
        tool["strict"] = json!(strict);
    }
    json!({ "tools": [tool] })
}

fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({
        "type": "object", "properties": properties, "required": required,
        "additionalProperties": false
    })
}

fn format(schema: Value) -> Value {
    json!({ "text": { "format": { "type": "json_schema", "name": "s", "strict": true, "schema": schema } } })
}

/// Every refusal.
pub fn all_refused() -> Vec<Refused> {
    [models(), moved(), schemas(), formats(), limits(), not_reproduced()]
        .into_iter()
        .flatten()
        .collect()
}

fn models() -> Vec<Refused> {
    let bare = "unsupported_parameter";
    let value = "unsupported_value";
    let logprobs = "logprobs are not supported with reasoning models.";
    let mut rows = Vec::new();
    for model in ["gpt-5", "gpt-5-mini-2025-08-07", "gpt-5.6-sol", "gpt-6-luna", "gpt-6-astra"] {
        rows.push(refused(
            model,
            json!({ "temperature": 0.5 }),
            "temperature",
            "",
            "Unsupported parameter: 'temperature' is not supported with this model.",
        ));
        rows.push(refused(
            model,
            json!({ "include": ["message.output_text.logprobs"] }),
            "include",
            bare,
            logprobs,
        ));
        rows.push(refused(model, json!({ "top_logprobs": 1 }), "top_logprobs", bare, logprobs));
    }
    for model in ["gpt-4.1", "gpt-4o-mini"] {
        rows.push(refused(
            model,
            json!({ "reasoning": { "effort": "low" } }),
            "reasoning.effort",
            bare,
            "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
        ));
    }
    for model in ["gpt-4.1-mini", "gpt-4o-2024-11-20", "gpt-5-chat-latest"] {
        rows.push(refused(
            model,
            json!({ "include": ["reasoning.encrypted_content"] }),
            "include",
            "",
            "Encrypted content is not supported with this model.",
        ));
    }
    rows.extend([
        refused(
            "gpt-5.2",
            json!({ "temperature": 0, "reasoning": { "effort": "low" } }),
            "temperature",
            "",
            "Unsupported parameter: 'temperature' is not supported with this model.",
        ),
        refused(
            "gpt-6-luna",
            json!({ "top_p": 0.5 }),
            "top_p",
            "",
            "Unsupported parameter: 'top_p' is not supported with this model.",
        ),
        refused(
            "gpt-5.6",
            json!({ "presence_penalty": 0.5 }),
            "presence_penalty",
            "",
            "Unsupported parameter: 'presence_penalty' is not supported with this model.",
        ),
        refused(
            "gpt-5.1",
            json!({ "reasoning": { "effort": "minimal" } }),
            "reasoning.effort",
            value,
            "Unsupported value: 'minimal' is not supported with the 'gpt-5.1' model. Supported values are: 'none', 'low', 'medium', and 'high'.",
        ),
        refused(
            "gpt-6-astra",
            json!({ "reasoning": { "effort": "none" } }),
            "reasoning.effort",
            value,
            "Unsupported value: 'none' is not supported with the 'gpt-6-astra' model. Supported values are: 'low', 'medium', 'high', 'xhigh', and 'max'.",
        ),
        refused(
            "gpt-5-pro",
            json!({ "reasoning": { "effort": "low" } }),
            "reasoning.effort",
            value,
            "Unsupported value: 'low' is not supported with the 'gpt-5-pro' model. Supported values are: 'high'.",
        ),
        refused(
            "gpt-4.1",
            json!({ "text": { "verbosity": "low" } }),
            "text.verbosity",
            value,
            "Unsupported value: 'low' is not supported with the 'gpt-4.1' model. Supported values are: 'medium'.",
        ),
        refused(
            "gpt-5.6",
            json!({ "prompt_cache_retention": "in_memory" }),
            "prompt_cache_retention",
            "invalid_parameter",
            "This model is compatible only with 24h extended prompt caching",
        ),
        refused(
            "gpt-7",
            json!({}),
            "",
            "model_not_found",
            "The model `gpt-7` does not exist or you do not have access to it.",
        )
        .status(404),
    ]);
    rows
}

fn moved() -> Vec<Refused> {
    let moved = |name: &str, to: &str| -> &'static str {
        let words = format!(
            "Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{to}'. {MOVED}"
        );
        Box::leak(words.into_boxed_str())
    };
    let code = "unsupported_parameter";
    vec![
        refused(
            "gpt-4.1",
            json!({ "messages": [{ "role": "user", "content": "Hi" }], "input": null }),
            "",
            code,
            moved("messages", "input"),
        ),
        refused(
            "gpt-4.1",
            json!({ "response_format": { "type": "json_object" } }),
            "",
            code,
            moved("response_format", "text.format"),
        ),
        refused(
            "gpt-6-luna",
            json!({ "reasoning_effort": "low" }),
            "",
            code,
            moved("reasoning_effort", "reasoning.effort"),
        ),
        refused(
            "gpt-4.1",
            json!({ "max_tokens": 16 }),
            "max_tokens",
            "unknown_parameter",
            "Unknown parameter: 'max_tokens'.",
        ),
        refused(
            "gpt-4.1",
            json!({ "stream": true, "stream_options": { "include_usage": true } }),
            "stream_options.include_usage",
            "unknown_parameter",
            "Unknown parameter: 'stream_options.include_usage'.",
        ),
    ]
}

fn schemas() -> Vec<Refused> {
    let (param, code) = ("tools[0].parameters", "invalid_function_parameters");
    let row = |tool: Value, message: &'static str| refused("gpt-4.1", tool, param, code, message);
    vec![
        row(
            function(json!({ "type": "object" }), Some(false)),
            "Invalid schema for function 'f': In context=(), object schema missing properties.",
        ),
        row(
            function(object(json!({ "paths": { "type": "array" } })), Some(false)),
            "Invalid schema for function 'f': In context=('properties', 'paths'), array schema missing items.",
        ),
        row(
            function(json!({ "type": "object", "properties": {}, "oneOf": [] }), None),
            "Invalid schema for function 'f': schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        ),
        row(
            function(object(json!({ "url": { "type": "string", "format": "uri" } })), Some(true)),
            "Invalid schema for function 'f': In context=('properties', 'url'), 'uri' is not a valid format.",
        ),
        row(
            function(object(json!({ "a": { "$ref": "#", "description": "d" } })), Some(true)),
            "Invalid schema for function 'f': context=('properties', 'a'), $ref cannot have keywords {'description'}.",
        ),
        row(
            function(object(json!({ "a": { "allOf": [] } })), Some(true)),
            "Invalid schema for function 'f': In context=('properties', 'a'), 'allOf' is not permitted.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": [{ "type": "function", "function": { "name": "f" } }] }),
            "tools[0].name",
            "missing_required_parameter",
            "Missing required parameter: 'tools[0].name'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "tools": [{ "type": "function", "name": "" }] }),
            "tools[0].name",
            "empty_string",
            "Invalid 'tools[0].name': empty string. Expected a string with minimum length 1, but got an empty string instead.",
        )
        .published(),
    ]
}

fn formats() -> Vec<Refused> {
    let row = |schema: Value, message: &'static str| {
        refused("gpt-4.1", format(schema), "text.format.schema", "invalid_json_schema", message)
    };
    let missing = "missing_required_parameter";
    vec![
        row(
            json!({ "type": "object", "properties": {}, "required": [] }),
            "Invalid schema for response_format 's': In context=(), 'additionalProperties' is required to be supplied and to be false.",
        ),
        row(
            json!({ "type": "array", "items": { "type": "string" } }),
            "Invalid schema for response_format 's': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
        ),
        row(
            object(json!({ "a": { "type": "string", "default": "x" } })),
            "Invalid schema for response_format 's': In context=('properties', 'a'), 'default' is not permitted.",
        ),
        refused(
            "gpt-4.1",
            json!({ "text": { "format": { "type": "json_schema", "schema": {} } } }),
            "text.format.name",
            missing,
            "Missing required parameter: 'text.format.name'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "text": { "format": { "type": "json_schema", "name": "s" } } }),
            "text.format.schema",
            missing,
            "Missing required parameter: 'text.format.schema'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "text": { "format": { "type": "json" } } }),
            "text.format.type",
            "invalid_value",
            "Invalid value: 'json'. Supported values are: 'json_object', 'json_schema', and 'text'.",
        )
        .published(),
        refused(
            "gpt-4.1",
            json!({ "text": { "format": { "type": "json_object" } }, "instructions": "Answer in JSON." }),
            "input",
            "",
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
        ),
    ]
}

fn limits() -> Vec<Refused> {
    let tool = |i: usize| json!({ "type": "function", "name": format!("f{i}") });
    let tools: Vec<Value> = (0..129).map(tool).collect();
    let named = json!([{ "type": "function", "name": "n".repeat(129) }]);
    let key = |length: usize| json!({ "metadata": { "k".repeat(length): "v" } });
    let long: &'static str = Box::leak("k".repeat(65).into_boxed_str());
    let at: &'static str = Box::leak(format!("metadata.{long}").into_boxed_str());
    let words = format!(
        "Invalid property name in 'metadata': '{long}' is too long. Expected a string with maximum length 64, but got a string with length 65 instead."
    );
    vec![
        refused(
            "gpt-4.1",
            json!({ "tools": tools }),
            "tools",
            "array_above_max_length",
            "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": named }),
            "tools[0].name",
            "string_above_max_length",
            "Invalid 'tools[0].name': string too long. Expected a string with maximum length 128, but got a string with length 129 instead.",
        )
        .published(),
        refused("gpt-4.1", key(65), at, "property_name_above_max_length", Box::leak(words.into_boxed_str())),
        refused(
            "gpt-4.1",
            json!({ "metadata": { "k": "v".repeat(513) } }),
            "metadata.k",
            "string_above_max_length",
            "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with length 513 instead.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tool_choice": "required" }),
            "tool_choice",
            "",
            "Tool choice 'required' must be specified with 'tools' parameter.",
        ),
        refused(
            "gpt-4.1",
            json!({ "tools": [tool(1)], "tool_choice": { "type": "function", "function": { "name": "f1" } } }),
            "tool_choice.name",
            "missing_required_parameter",
            "Missing required parameter: 'tool_choice.name'.",
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
            json!({ "tools": [{ "type": "web_search" }] }),
            "tools[0]",
            "rehearse: the tool 'web_search' is not reproduced, only functions are; leave it out here, or offer a function in its place",
        ),
        row(
            json!({ "tools": [{ "type": "function", "name": "f" }], "tool_choice": { "type": "file_search" } }),
            "tool_choice",
            "rehearse: the tool 'file_search' is not reproduced, only functions are; choose a function",
        ),
        row(
            json!({ "top_logprobs": 2, "include": ["message.output_text.logprobs"] }),
            "top_logprobs",
            "rehearse: log probabilities are not reproduced, since no model is run; leave them out here",
        ),
        row(
            json!({ "context_management": [{ "type": "compaction" }] }),
            "context_management",
            "rehearse: context management is not reproduced; leave 'context_management' out here",
        ),
    ]
}

/// Every request that is taken, with its model.
pub fn all_accepted() -> Vec<(&'static str, Value)> {
    let none = json!({ "reasoning": { "effort": "none" }, "temperature": 0.2, "top_p": 0.5 });
    vec![
        ("gpt-4.1", json!({ "temperature": 0, "top_p": 0.1, "max_output_tokens": 16 })),
        ("gpt-5.1", json!({ "temperature": 0.2 })),
        ("gpt-5-mini", json!({ "temperature": 1, "reasoning": { "effort": "minimal" } })),
        ("gpt-6-luna", none.clone()),
        ("gpt-5.6-sol", none),
        (
            "gpt-6-luna",
            json!({ "reasoning": { "effort": "max", "summary": "auto" }, "text": { "verbosity": "low" } }),
        ),
        ("gpt-6-astra", json!({ "include": ["reasoning.encrypted_content"], "store": false })),
        ("gpt-5.5-2026-04-23", json!({ "temperature": 0.5 })),
        ("ft:gpt-4.1-mini:shop::1", json!({})),
        ("gpt-4.1", json!({ "tools": [], "parallel_tool_calls": false, "tool_choice": "auto" })),
        ("gpt-4.1", json!({ "metadata": { "k": "v" } })),
        (
            "gpt-4.1",
            function(object(json!({ "a": { "type": "string", "minLength": 1 } })), Some(true)),
        ),
        (
            "gpt-4.1",
            function(
                json!({ "type": "object", "properties": { "a": { "type": "object" } } }),
                Some(false),
            ),
        ),
        (
            "gpt-4.1",
            json!({ "text": { "format": { "type": "json_object" } }, "input": "As JSON, please." }),
        ),
        ("gpt-4.1", json!({ "text": { "format": { "type": "text" } }, "user": "u-1" })),
    ]
}

#[tokio::test]
async fn refused_requests_get_the_providers_words() {
    check_refused(PATH, all_refused()).await;
}

#[tokio::test]
async fn what_the_provider_takes_is_taken() {
    let rows = all_accepted();
    // The canned answer is no JSON, which only scripts and rules are held to.
    check_accepted(PATH, &rows).await;
}
