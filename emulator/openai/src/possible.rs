//! What a model could answer to a request: which tools it may call, whether it must, and which texts it
//! may say. Scripts and personas are held to it, so that no test passes on an answer that never comes.

use serde_json::Value;

use super::{
    conversation::{Conversation, ToolChoice},
    format::Format,
    schema,
};

/// Why a model could not give an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Impossible {
    /// In one line.
    pub reason: String,
    /// What else helps to understand it, a line each.
    pub details: Vec<String>,
}

impl Impossible {
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), details: Vec::new() }
    }
}

/// Checks that the model may call a tool of this name.
///
/// # Errors
/// The request does not offer it, or its `tool_choice` leaves it out.
pub(super) fn check_call(conversation: &Conversation<'_>, name: &str) -> Result<(), Impossible> {
    let refuse =
        |why: String| Err(Impossible::new(format!("the model cannot call '{name}': {why}")));
    if conversation.tool(name).is_none() {
        let offered = conversation.tool_names();
        return refuse(format!("the request offers {offered} (raw_call sends anything)"));
    }
    match &conversation.choice {
        ToolChoice::None => refuse("the request's tool_choice is none".into()),
        ToolChoice::Named(only) if *only != name => {
            refuse(format!("the request's tool_choice is '{only}'"))
        }
        ToolChoice::Allowed { names, .. } if !names.contains(&name) => {
            refuse(format!("the request's tool_choice allows {}", names.join(", ")))
        }
        _ => Ok(()),
    }
}

/// Checks that the model may make this many calls at once.
///
/// # Errors
/// There are several, and the request lets it make one.
pub(super) fn check_count(conversation: &Conversation<'_>, calls: usize) -> Result<(), Impossible> {
    if calls > 1 && conversation.single_call {
        return Err(Impossible::new(format!(
            "the model cannot make {calls} calls at once: the request has parallel_tool_calls: false (give each a round of its own; with `at_once: true` they are made all the same)"
        )));
    }
    Ok(())
}

/// Checks that the model may answer without a call.
///
/// # Errors
/// The request's `tool_choice` asks for one.
pub(super) fn check_no_call(conversation: &Conversation<'_>) -> Result<(), Impossible> {
    let of = match &conversation.choice {
        ToolChoice::Required => String::new(),
        ToolChoice::Named(name) => format!(" of '{name}'"),
        ToolChoice::Allowed { names, required: true } => format!(" of {}", names.join(" or ")),
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { required: false, .. } => {
            return Ok(());
        }
    };
    Err(Impossible::new(format!(
        "the model cannot answer with text: the request's tool_choice asks for a call{of}"
    )))
}

/// Checks that the model may say this text.
///
/// # Errors
/// The request asks for JSON, and the text is none or does not match the strict schema.
pub(super) fn check_text(conversation: &Conversation<'_>, text: &str) -> Result<(), Impossible> {
    let name =
        if conversation.operation == "openai.chat" { "response_format" } else { "text.format" };
    let not = |what: &str| {
        Impossible::new(format!(
            "the model cannot say {text:?}: the request's {name} asks for {what}"
        ))
    };
    let (value, schema) = match (conversation.format, serde_json::from_str::<Value>(text)) {
        (Format::Text, _) => return Ok(()),
        (Format::JsonObject, Ok(Value::Object(_))) => return Ok(()),
        (Format::JsonObject, _) => return Err(not("a JSON object")),
        (Format::Strict(_), Err(_)) => return Err(not("JSON by a strict schema")),
        (Format::Strict(schema), Ok(value)) => (value, schema),
    };
    let details = schema::argument_errors(&value, schema);
    if details.is_empty() {
        return Ok(());
    }
    Err(Impossible { details, ..not("JSON by a strict schema, which it does not match") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::Tool;

    fn asking(choice: ToolChoice<'static>) -> Conversation<'static> {
        let tool = |name| Tool { name, strict: false, parameters: None };
        Conversation {
            tools: vec![tool("a"), tool("b"), tool("c")],
            choice,
            ..Conversation::default()
        }
    }

    #[test]
    fn a_call_must_be_offered_and_chosen() {
        let some = |required| ToolChoice::Allowed { names: vec!["a", "b"], required };
        for (choice, calls, text) in [
            (ToolChoice::Auto, "abc", true),
            (ToolChoice::None, "", true),
            (ToolChoice::Required, "abc", false),
            (ToolChoice::Named("b"), "b", false),
            (some(false), "ab", true),
            (some(true), "ab", false),
        ] {
            let asking = asking(choice);
            let possible: String = ["a", "b", "c", "d"]
                .into_iter()
                .filter(|n| check_call(&asking, n).is_ok())
                .collect();
            assert_eq!((possible.as_str(), check_no_call(&asking).is_ok()), (calls, text));
        }
    }

    #[test]
    fn a_text_must_have_the_form_that_the_request_asks_for() {
        let schema = json!({
            "type": "object",
            "properties": { "n": { "type": "integer" } },
            "required": ["n"],
            "additionalProperties": false
        });
        let check = |format, text: &str| {
            let asking = Conversation { format, ..Conversation::default() };
            check_text(&asking, text).err().map(|error| (error.reason, error.details))
        };
        for (format, text) in [
            (Format::Text, "Hello"),
            (Format::JsonObject, r#"{"a":1}"#),
            (Format::Strict(&schema), r#"{"n":1}"#),
        ] {
            assert_eq!(check(format, text), None, "{text}");
        }
        for (format, text, says) in [
            (Format::JsonObject, "Hello", "asks for a JSON object"),
            (Format::JsonObject, "[1]", "asks for a JSON object"),
            (Format::Strict(&schema), "Hello", "asks for JSON by a strict schema"),
            (Format::Strict(&schema), r#"{"n":"x"}"#, "which it does not match"),
        ] {
            let (reason, _) = check(format, text).unwrap();
            assert!(reason.contains(says), "{reason}");
        }
        let (_, details) = check(Format::Strict(&schema), r#"{"n":"x"}"#).unwrap();
        assert_eq!(details, [r#"n: "x" is not of type integer"#]);
    }
}
