//! A request as a conversation, the same for both endpoints: the messages, and what happened since
//! the user's last text.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::format::Format;

/// The content of a request.
#[derive(Debug, Default)]
pub(super) struct Conversation<'r> {
    /// `openai.responses` or `openai.chat`.
    pub operation: &'static str,
    pub model: &'r str,
    /// `safety_identifier`: the same for every request about one person.
    pub identifier: Option<&'r str>,
    pub instructions: Cow<'r, str>,
    /// Texts of the user and the assistant, in order.
    pub messages: Vec<Message<'r>>,
    /// Calls since the user's last text, in order, with their results.
    pub calls: Vec<ToolCall<'r>>,
    /// How many messages the assistant sent after the last result, or after the user's last text
    /// when there is no result.
    pub assistant_messages: usize,
    pub tools: Vec<Tool<'r>>,
    pub choice: ToolChoice<'r>,
    /// Whether the request includes the encrypted content of reasoning items.
    pub reasoning: bool,
    /// The form of the model's text.
    pub format: Format<'r>,
    /// Whether the model makes one call at most (`parallel_tool_calls: false`).
    pub single_call: bool,
    /// Most tokens of the output.
    pub limit: Option<u64>,
    /// Texts before which the model stops.
    pub stop: Vec<&'r str>,
}

/// A message of the user or the assistant.
#[derive(Debug)]
pub(super) struct Message<'r> {
    /// Whether the user sent it.
    pub user: bool,
    pub text: Cow<'r, str>,
}

/// A call that the model made, with its result once there is one.
#[derive(Debug)]
pub(super) struct ToolCall<'r> {
    pub id: &'r str,
    pub name: &'r str,
    pub arguments: &'r str,
    pub result: Option<Cow<'r, str>>,
}

impl ToolCall<'_> {
    /// The result: parsed if it is JSON, else a string; null when there is none.
    pub fn output(&self) -> Value {
        self.result.as_ref().map_or(Value::Null, |text| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_string()))
        })
    }
}

/// A function that the model may call.
#[derive(Debug)]
pub(super) struct Tool<'r> {
    pub name: &'r str,
    pub strict: bool,
    pub parameters: Option<&'r Value>,
}

/// Which tools the request lets the model call (`tool_choice`).
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(super) enum ToolChoice<'r> {
    #[default]
    Auto,
    None,
    Required,
    Named(&'r str),
    /// Some of the offered tools; `required` says that one of them must be called.
    Allowed {
        names: Vec<&'r str>,
        required: bool,
    },
}

impl<'r> Conversation<'r> {
    /// The user's last text.
    pub fn text(&self) -> &str {
        self.messages.iter().rev().find(|m| m.user).map_or("", |m| &m.text)
    }

    /// Messages before the user's last text.
    pub fn earlier(&self) -> &[Message<'r>] {
        let last = self.messages.iter().rposition(|m| m.user).unwrap_or(0);
        &self.messages[..last]
    }

    /// How many calls since the user's last text have a result: the position in a script.
    pub fn position(&self) -> usize {
        self.calls.iter().filter(|c| c.result.is_some()).count()
    }

    /// The results from `from` on, in the order of their calls.
    pub fn results(&self, from: usize) -> Vec<Value> {
        self.calls.iter().filter(|c| c.result.is_some()).skip(from).map(ToolCall::output).collect()
    }

    /// The offered tool of this name.
    pub fn tool(&self, name: &str) -> Option<&Tool<'r>> {
        self.tools.iter().find(|t| t.name == name)
    }

    /// The names of the offered tools as one text, for messages.
    pub fn tool_names(&self) -> String {
        if self.tools.is_empty() {
            return "no tools".into();
        }
        self.tools.iter().map(|t| t.name).collect::<Vec<_>>().join(", ")
    }

    /// Adds to the instructions.
    pub fn instruct(&mut self, text: Cow<'r, str>) {
        if self.instructions.is_empty() {
            self.instructions = text;
        } else {
            let all = self.instructions.to_mut();
            all.push('\n');
            all.push_str(&text);
        }
    }

    /// Adds a message of the user, with which a new turn begins.
    pub fn user(&mut self, text: Cow<'r, str>) {
        self.messages.push(Message { user: true, text });
        self.calls.clear();
        self.assistant_messages = 0;
    }

    /// Adds a message of the assistant.
    pub fn assistant(&mut self, text: Cow<'r, str>) {
        self.messages.push(Message { user: false, text });
        self.assistant_messages += 1;
    }

    /// Adds a call.
    pub fn call(&mut self, id: &'r str, name: &'r str, arguments: &'r str) {
        // A message beside a call belongs to the same round, so it did not end one.
        self.assistant_messages = 0;
        self.calls.push(ToolCall { id, name, arguments, result: None });
    }

    /// Adds the result of the call with this id; without such a call it is ignored.
    pub fn result(&mut self, id: &str, text: Cow<'r, str>) {
        self.assistant_messages = 0;
        if let Some(call) = self.calls.iter_mut().rev().find(|c| c.id == id) {
            call.result = Some(text);
        }
    }
}

/// The text of a message's content, which is a text or a list of parts. Parts without text are
/// left out.
pub(super) fn content(content: Option<&Value>) -> Cow<'_, str> {
    match content {
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Array(parts)) => {
            let mut texts = parts.iter().filter_map(part_text);
            let Some(first) = texts.next() else { return Cow::Borrowed("") };
            let mut all = Cow::Borrowed(first);
            for text in texts {
                let all = all.to_mut();
                all.push('\n');
                all.push_str(text);
            }
            all
        }
        _ => Cow::Borrowed(""),
    }
}

fn part_text(part: &Value) -> Option<&str> {
    ["text", "refusal"].into_iter().find_map(|key| part.get(key)).and_then(Value::as_str)
}

/// The text under a key; empty when there is none.
pub(super) fn get<'v>(object: &'v Map<String, Value>, name: &str) -> &'v str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_users_text_starts_the_count_of_results_anew() {
        let mut c = Conversation::default();
        c.user("one".into());
        c.call("a", "f", "{}");
        c.result("a", r#"{"x":1}"#.into());
        assert_eq!((c.position(), c.results(0)), (1, vec![json!({"x": 1})]));
        c.assistant("done".into());
        assert_eq!(c.assistant_messages, 1);
        c.user("two".into());
        assert_eq!((c.position(), c.assistant_messages, c.text()), (0, 0, "two"));
        assert_eq!(c.earlier().iter().map(|m| &*m.text).collect::<Vec<_>>(), ["one", "done"]);
    }

    #[test]
    fn results_stand_in_the_order_of_their_calls() {
        let mut c = Conversation::default();
        c.user("one".into());
        c.call("a", "f", "{}");
        c.call("b", "g", "{}");
        c.result("b", "second".into());
        c.result("a", "1".into());
        assert_eq!(c.results(0), [json!(1), json!("second")]);
        assert_eq!(c.results(1), [json!("second")]);
    }

    #[test]
    fn parts_are_joined_and_pictures_left_out() {
        let parts = json!([{"type": "input_text", "text": "a"}, {"type": "input_image"}, {"type": "input_text", "text": "b"}]);
        assert_eq!(content(Some(&parts)), "a\nb");
        assert_eq!(content(None), "");
    }
}
