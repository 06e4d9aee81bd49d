//! A request as a conversation, the same for both endpoints: who said what, and
//! what happened since the user's last text.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// What a request says.
#[derive(Debug, Default)]
pub(super) struct Conversation<'r> {
    pub operation: &'static str,
    pub model: &'r str,
    /// `safety_identifier`: the same for every request about one person.
    pub identifier: Option<&'r str>,
    pub instructions: Cow<'r, str>,
    /// Texts of the user and the assistant, in order.
    pub messages: Vec<Message<'r>>,
    /// Calls since the user's last text, in order, with their results.
    pub calls: Vec<ToolCall<'r>>,
    /// Messages of the assistant after the last result, or after the text when there is none.
    pub spoken: usize,
    pub tools: Vec<Tool<'r>>,
    pub choice: ToolChoice<'r>,
    /// Whether reasoning items are asked for with their hidden content.
    pub reasoning: bool,
}

#[derive(Debug)]
pub(super) struct Message<'r> {
    pub user: bool,
    pub text: Cow<'r, str>,
}

/// A call that was made, and what came of it.
#[derive(Debug)]
pub(super) struct ToolCall<'r> {
    pub id: &'r str,
    pub name: &'r str,
    pub arguments: &'r str,
    pub result: Option<Cow<'r, str>>,
}

impl ToolCall<'_> {
    /// The result, as JSON where it is.
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

/// What the model may do with the tools.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub(super) enum ToolChoice<'r> {
    #[default]
    Auto,
    None,
    Required,
    Named(&'r str),
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

    pub fn tool(&self, name: &str) -> Option<&Tool<'r>> {
        self.tools.iter().find(|t| t.name == name)
    }

    pub fn instruct(&mut self, text: Cow<'r, str>) {
        if self.instructions.is_empty() {
            self.instructions = text;
        } else {
            let all = self.instructions.to_mut();
            all.push('\n');
            all.push_str(&text);
        }
    }

    pub fn user(&mut self, text: Cow<'r, str>) {
        self.messages.push(Message { user: true, text });
        self.calls.clear();
        self.spoken = 0;
    }

    pub fn assistant(&mut self, text: Cow<'r, str>) {
        self.messages.push(Message { user: false, text });
        self.spoken += 1;
    }

    pub fn call(&mut self, id: &'r str, name: &'r str, arguments: &'r str) {
        // What was said along with a call is not an answer that ended a round.
        self.spoken = 0;
        self.calls.push(ToolCall { id, name, arguments, result: None });
    }

    pub fn result(&mut self, id: &str, text: Cow<'r, str>) {
        self.spoken = 0;
        if let Some(call) = self.calls.iter_mut().rev().find(|c| c.id == id) {
            call.result = Some(text);
        }
    }
}

/// The text of a message's content: a text, or parts of which those with text count.
pub(super) fn content(content: Option<&Value>) -> Cow<'_, str> {
    match content {
        Some(Value::String(text)) => Cow::Borrowed(text),
        Some(Value::Array(parts)) => {
            let mut texts = parts.iter().filter_map(part);
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

fn part(part: &Value) -> Option<&str> {
    ["text", "refusal"].into_iter().find_map(|key| part.get(key)).and_then(Value::as_str)
}

/// The text under a key, or nothing.
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
        assert_eq!(c.spoken, 1);
        c.user("two".into());
        assert_eq!((c.position(), c.spoken, c.text()), (0, 0, "two"));
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
