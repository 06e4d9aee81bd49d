//! What a request to the model and its response say, on either endpoint.

use serde_json::{Value, json};

/// The last text of the user.
pub(super) fn last_text(request: &Value) -> Option<String> {
    let items = items(request);
    if let Some(text) = request.get("input").and_then(Value::as_str) {
        return Some(text.into());
    }
    let last = items.iter().rfind(|item| item["role"] == "user")?;
    Some(match &last["content"] {
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n")
        }
        content => content.as_str().unwrap_or_default().into(),
    })
}

/// How many results of tools the request carries behind the last text of the user.
pub(super) fn position(request: &Value) -> usize {
    let items = items(request);
    items
        .iter()
        .rev()
        .take_while(|item| item["role"] != "user")
        .filter(|item| is_result(item))
        .count()
}

/// The results that answer the last round, read as JSON where they are.
pub(super) fn results(request: &Value) -> Vec<Value> {
    let items = items(request);
    let fresh = items.iter().rev().take_while(|item| is_result(item)).count();
    items[items.len() - fresh..]
        .iter()
        .map(|item| {
            let output = item.get("output").or_else(|| item.get("content")).cloned();
            match output.unwrap_or_default() {
                Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                other => other,
            }
        })
        .collect()
}

/// Whether the request offers a tool.
pub(super) fn offers(request: &Value, tool: &str) -> bool {
    let tools = request["tools"].as_array().into_iter().flatten();
    tools.into_iter().any(|offered| offered["name"] == tool || offered["function"]["name"] == tool)
}

fn items(request: &Value) -> &[Value] {
    let list = request.get("input").or_else(|| request.get("messages"));
    list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_result(item: &Value) -> bool {
    item["type"] == "function_call_output" || item["role"] == "tool"
}

/// What the model answered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// Its calls: the tool and the arguments' text.
    pub(super) calls: Vec<(String, String)>,
    pub(super) said: Option<String>,
    pub(super) refusal: Option<String>,
    /// Why it stopped early.
    pub(super) incomplete: Option<String>,
    /// The error code of a response that failed.
    pub(super) failed: Option<String>,
}

/// Reads a response; `None` when it is none of the model's.
pub(super) fn answer(response: &Value) -> Option<Answer> {
    let streamed = response.as_str().and_then(streamed);
    let response = streamed.as_ref().unwrap_or(response);
    let mut answer = Answer::default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut say = |words: &Value| {
        answer.said.get_or_insert_default().push_str(words.as_str().unwrap_or_default());
    };
    if let Some(output) = response["output"].as_array() {
        for item in output {
            for part in item["content"].as_array().into_iter().flatten() {
                match part["type"].as_str() {
                    Some("output_text") => say(&part["text"]),
                    Some("refusal") => answer.refusal = Some(text(&part["refusal"])),
                    _ => {}
                }
            }
        }
        let calls = output.iter().filter(|item| item["type"] == "function_call");
        answer.calls = calls.map(|item| (text(&item["name"]), text(&item["arguments"]))).collect();
        if response["status"] == "incomplete" {
            answer.incomplete = Some(text(&response["incomplete_details"]["reason"]));
        }
        if response["status"] == "failed" {
            answer.failed = Some(text(&response["error"]["code"]));
        }
        return Some(answer);
    }
    let choice = response.pointer("/choices/0")?;
    let message = &choice["message"];
    if message["content"].is_string() {
        say(&message["content"]);
    }
    answer.refusal = message["refusal"].as_str().map(str::to_owned);
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    answer.calls = calls
        .map(|call| (text(&call["function"]["name"]), text(&call["function"]["arguments"])))
        .collect();
    answer.incomplete = match choice["finish_reason"].as_str() {
        Some("length") => Some("max_output_tokens".into()),
        Some("content_filter") => Some("content_filter".into()),
        _ => None,
    };
    Some(answer)
}

/// The whole response of a stream of server-sent events.
fn streamed(text: &str) -> Option<Value> {
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let events: Vec<Value> =
        events.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect();
    let last = ["response.completed", "response.incomplete", "response.failed"];
    if let Some(event) =
        events.iter().find(|event| event["type"].as_str().is_some_and(|kind| last.contains(&kind)))
    {
        return Some(event["response"].clone());
    }
    let (mut said, mut calls, mut finish) =
        (String::new(), Vec::<(String, String)>::new(), Value::Null);
    for choice in events.iter().filter_map(|event| event.pointer("/choices/0")) {
        said.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let at = call["index"].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
            while calls.len() <= at.min(127) {
                calls.push(Default::default());
            }
            let (name, arguments) = calls.get_mut(at)?;
            name.push_str(call["function"]["name"].as_str().unwrap_or_default());
            arguments.push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
        if choice["finish_reason"].is_string() {
            finish = choice["finish_reason"].clone();
        }
    }
    if finish.is_null() {
        return None;
    }
    let calls: Vec<Value> = calls
        .into_iter()
        .map(|(name, arguments)| json!({ "function": { "name": name, "arguments": arguments } }))
        .collect();
    let content = if said.is_empty() { Value::Null } else { said.into() };
    Some(
        json!({ "choices": [{ "message": { "content": content, "tool_calls": calls }, "finish_reason": finish }] }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_endpoints_and_streams() {
        let responses = json!({ "status": "completed", "output": [
            { "type": "function_call", "name": "book", "arguments": "{}" },
            { "type": "message", "content": [{ "type": "output_text", "text": "Done" }] },
        ] });
        let read = answer(&responses).unwrap();
        assert_eq!(read.calls, [("book".to_owned(), "{}".to_owned())]);
        assert_eq!(read.said.as_deref(), Some("Done"));
        let stream = "event: a\ndata: {\"choices\":[{\"delta\":{\"content\":\"Do\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{\"content\":\"ne\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n";
        assert_eq!(answer(&json!(stream)).unwrap().said.as_deref(), Some("Done"));
        let stream =
            format!("data: {}\n\n", json!({ "type": "response.completed", "response": responses }));
        assert_eq!(answer(&json!(stream)).unwrap(), read);
        assert!(answer(&json!("{\"output\": [")).is_none());
    }

    #[test]
    fn counts_the_results_behind_the_last_text() {
        let result =
            json!({ "type": "function_call_output", "call_id": "c", "output": "{\"a\":1}" });
        let call =
            json!({ "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" });
        let user = |text: &str| json!({ "role": "user", "content": text });
        let request = json!({ "input": [user("a"), call, result, user("b"), call, result, call, result, result] });
        assert_eq!(position(&request), 3);
        assert_eq!(results(&request), [json!({ "a": 1 }), json!({ "a": 1 })]);
        assert_eq!(last_text(&request).as_deref(), Some("b"));
    }
}
