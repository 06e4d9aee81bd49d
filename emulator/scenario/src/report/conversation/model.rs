//! What a model request and its answer say, for people.

use serde_json::Value;

/// Results of tools that the request carries behind the last answer: name and output.
pub fn results(request: &Value) -> Vec<(String, String)> {
    let input = request.get("input").or_else(|| request.get("messages"));
    let Some(items) = input.and_then(Value::as_array) else { return Vec::new() };
    let fresh = items.iter().rev().take_while(|item| is_result(item)).count();
    items[items.len() - fresh..]
        .iter()
        .map(|item| {
            let id = item.get("call_id").or_else(|| item.get("tool_call_id"));
            let output = item.get("output").or_else(|| item.get("content"));
            (tool_name(items, id), output.map(plain).unwrap_or_default())
        })
        .collect()
}

fn is_result(item: &Value) -> bool {
    item["type"] == "function_call_output" || item["role"] == "tool"
}

fn tool_name(items: &[Value], id: Option<&Value>) -> String {
    let of_item = |item: &Value| {
        let responses = (item.get("call_id") == id && item["type"] == "function_call")
            .then(|| item["name"].as_str().map(str::to_owned));
        let chat = || {
            let calls = item.get("tool_calls")?.as_array()?;
            let call = calls.iter().find(|call| call.get("id") == id)?;
            Some(call["function"]["name"].as_str().map(str::to_owned))
        };
        responses.or_else(chat).flatten()
    };
    items.iter().find_map(of_item).unwrap_or_else(|| "unknown tool".into())
}

/// What the model answered: its calls, then its words, one line each.
pub(super) fn answer(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(output) = answer["output"].as_array() {
        for item in output {
            match item["type"].as_str() {
                Some("function_call") => lines.push(call(&item["name"], &item["arguments"])),
                Some("message") => {
                    let parts = item["content"].as_array().into_iter().flatten();
                    lines.extend(parts.filter_map(words));
                }
                _ => {}
            }
        }
    } else if let Some(message) = answer.pointer("/choices/0/message") {
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        lines.extend(calls.map(|c| call(&c["function"]["name"], &c["function"]["arguments"])));
        lines.extend(message["content"].as_str().map(|text| format!("“{text}”")));
        lines.extend(message["refusal"].as_str().map(|text| format!("refuses: “{text}”")));
    }
    lines
}

/// The first line of an error's message.
pub(super) fn problem(answer: &Value) -> Option<&str> {
    answer.pointer("/error/message")?.as_str()?.lines().next()
}

fn words(part: &Value) -> Option<String> {
    match part["type"].as_str()? {
        "output_text" => part["text"].as_str().map(|text| format!("“{text}”")),
        "refusal" => part["refusal"].as_str().map(|text| format!("refuses: “{text}”")),
        _ => None,
    }
}

/// `book_slot(date: "2026-02-11", time: "2:00 PM")`; malformed arguments as they are.
fn call(name: &Value, arguments: &Value) -> String {
    let name = name.as_str().unwrap_or("unnamed tool");
    let text = arguments.as_str().unwrap_or_default();
    let arguments = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| format!("{key}: {value}"))
            .collect::<Vec<_>>()
            .join(", "),
        _ => text.to_owned(),
    };
    format!("{name}({arguments})")
}

/// The last text of the user in a request.
pub(super) fn last_user_text(request: &Value) -> Option<String> {
    let input = request.get("input").or_else(|| request.get("messages"))?;
    if let Some(text) = input.as_str() {
        return Some(text.to_owned());
    }
    let item = input.as_array()?.iter().rfind(|item| item["role"] == "user")?;
    match &item["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            Some(parts.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_results_of_the_last_round_only() {
        let request = json!({"input": [
            {"role": "user", "content": "hi"},
            {"type": "function_call", "call_id": "c1", "name": "check_availability", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "{\"old\":1}"},
            {"type": "function_call", "call_id": "c2", "name": "book_slot", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c2", "output": "{\"success\":true}"}
        ]});
        assert_eq!(results(&request), [("book_slot".into(), "{\"success\":true}".into())]);
        assert_eq!(last_user_text(&request).as_deref(), Some("hi"));
    }

    #[test]
    fn reads_calls_and_words_of_both_endpoints() {
        let responses = json!({"output": [
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "name": "book_slot", "arguments": "{\"date\":\"2026-02-11\",\"device\":null}"},
            {"type": "message", "content": [{"type": "output_text", "text": "Done"}]}
        ]});
        assert_eq!(answer(&responses), [r#"book_slot(date: "2026-02-11")"#, "“Done”"]);
        let chat = json!({"choices": [{"message": {"content": null, "tool_calls":
            [{"id": "c", "function": {"name": "f", "arguments": "{not json"}}]}}]});
        assert_eq!(answer(&chat), ["f({not json)"]);
    }
}
