//! The tools that a model is offered, calls, and gets results of, in both of OpenAI's formats.

use std::collections::{BTreeMap, BTreeSet};

use rehearse_core::journal::{Exchange, ExchangeDetail};
use serde_json::Value;

use super::Way;

/// The names of the tools that a request offers.
pub(super) fn offered(request: &Value) -> Vec<String> {
    let tools = request["tools"].as_array().into_iter().flatten();
    tools
        .filter_map(|tool| tool["name"].as_str().or(tool["function"]["name"].as_str()))
        .map(str::to_owned)
        .collect()
}

/// The tools that the model called, and what came of each call. A call that stands in several requests
/// counts once.
pub(super) fn results(journal: &[Exchange]) -> Vec<(String, Way)> {
    let mut seen = BTreeSet::new();
    let mut results = Vec::new();
    // Calls that have no result yet, by their ids.
    let mut open: BTreeMap<String, String> = BTreeMap::new();
    for exchange in journal {
        let ExchangeDetail::Model { request, .. } = &exchange.detail else { continue };
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, name) in calls(request) {
            names.insert(id, name);
        }
        for (id, output) in outputs(request) {
            let Some(name) = names.get(id) else { continue };
            open.remove(id);
            if seen.insert((id.to_owned(), output.to_owned())) {
                results.push(((*name).to_owned(), came_of(output)));
            }
        }
        let response = exchange.outcome.as_ref().map(|outcome| &outcome.response);
        let made = response.into_iter().flat_map(made);
        open.extend(made.map(|(id, name)| (id.to_owned(), name.to_owned())));
    }
    results.extend(open.into_values().map(|name| (name, Way::NoResult)));
    results
}

/// The id and tool of each call that a response makes.
fn made(response: &Value) -> Vec<(&str, &str)> {
    let items = response["output"].as_array().into_iter().flatten();
    let responses = items
        .filter(|item| item["type"] == "function_call")
        .filter_map(|item| Some((item["call_id"].as_str()?, item["name"].as_str()?)));
    let chat = response["choices"][0]["message"]["tool_calls"].as_array().into_iter().flatten();
    let chat =
        chat.filter_map(|call| Some((call["id"].as_str()?, call["function"]["name"].as_str()?)));
    responses.chain(chat).collect()
}

/// The id and tool of each call in a request's history.
fn calls(request: &Value) -> Vec<(&str, &str)> {
    let items = request["input"].as_array().into_iter().flatten();
    let responses = items
        .filter(|item| item["type"] == "function_call")
        .filter_map(|item| Some((item["call_id"].as_str()?, item["name"].as_str()?)));
    let messages = request["messages"].as_array().into_iter().flatten();
    let chat = messages
        .filter_map(|message| message["tool_calls"].as_array())
        .flatten()
        .filter_map(|call| Some((call["id"].as_str()?, call["function"]["name"].as_str()?)));
    responses.chain(chat).collect()
}

/// The call and text of each result in a request's history.
fn outputs(request: &Value) -> Vec<(&str, &str)> {
    let items = request["input"].as_array().into_iter().flatten();
    let responses = items
        .filter(|item| item["type"] == "function_call_output")
        .filter_map(|item| Some((item["call_id"].as_str()?, item["output"].as_str()?)));
    let messages = request["messages"].as_array().into_iter().flatten();
    let chat = messages.filter(|message| message["role"] == "tool").filter_map(|message| {
        Some((message["tool_call_id"].as_str()?, message["content"].as_str()?))
    });
    responses.chain(chat).collect()
}

/// A result refuses when it has a `success` or `ok` that is false, or an `error`.
fn came_of(output: &str) -> Way {
    let result: Value = serde_json::from_str(output).unwrap_or_default();
    let is_false = |name: &str| result[name] == Value::Bool(false);
    let has_error = !matches!(result["error"], Value::Null | Value::Bool(false));
    if is_false("success") || is_false("ok") || has_error { Way::Refuses } else { Way::Succeeds }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_formats_are_read() {
        let responses = json!({
            "tools": [{ "type": "function", "name": "book" }],
            "input": [
                { "role": "user", "content": "Hi" },
                { "type": "function_call", "call_id": "c1", "name": "book", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "c1", "output": "{\"success\": true}" },
            ],
        });
        let chat = json!({
            "tools": [{ "type": "function", "function": { "name": "book" } }],
            "messages": [
                { "role": "assistant", "tool_calls": [{ "id": "c1", "function": { "name": "book" } }] },
                { "role": "tool", "tool_call_id": "c1", "content": "{\"success\": true}" },
            ],
        });
        for request in [responses, chat] {
            assert_eq!(offered(&request), ["book"]);
            assert_eq!(calls(&request), [("c1", "book")]);
            assert_eq!(outputs(&request), [("c1", "{\"success\": true}")]);
        }
    }

    #[test]
    fn a_result_says_what_came_of_its_call() {
        for (output, expected) in [
            (r#"{"success": true}"#, Way::Succeeds),
            (r#"{"success": false, "message": "taken"}"#, Way::Refuses),
            (r#"{"ok": false}"#, Way::Refuses),
            (r#"{"error": "no such date"}"#, Way::Refuses),
            (r#"{"error": null, "slots": []}"#, Way::Succeeds),
            ("Booked for two", Way::Succeeds),
        ] {
            assert_eq!(came_of(output), expected, "{output}");
        }
    }
}
