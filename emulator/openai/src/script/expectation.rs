//! What a request must contain for a round to respond, and the comparison with a request.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::one_or_many::{one_or_many, one_or_many_schema, some_one_or_many};
use crate::conversation::Conversation;
use rehearse_core::matcher::{Matcher, Mismatch, RenderError, Vars};

/// Longest value that a mismatch shows, in characters.
const MAX_SHOWN: usize = 400;

/// What a request must contain. A plain text means that it is contained.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestExpectation {
    /// On the instructions, system and developer messages included; each must match.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<Matcher>")]
    pub instructions: Vec<Matcher>,
    /// Tools that are offered; others may be, too.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<String>")]
    pub tools: Vec<String>,
    /// On the last text of the user.
    #[serde(default)]
    pub input: Option<Matcher>,
    /// Earlier messages of either side; each must be found, in this order. An empty list: there are none.
    #[serde(default, deserialize_with = "some_one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<Matcher>")]
    pub history: Option<Vec<Matcher>>,
    /// The outputs that answer the round before, one matcher each, read as JSON where they are.
    #[serde(default, deserialize_with = "one_or_many")]
    #[schemars(schema_with = "one_or_many_schema::<Matcher>")]
    pub results: Vec<Matcher>,
    /// On the model's name.
    #[serde(default)]
    pub model: Option<Matcher>,
}

impl RequestExpectation {
    /// Where the request differs; empty when the expectation is met. `results` are the outputs of
    /// the calls of the round before.
    ///
    /// # Errors
    /// A template of a matcher has no value.
    pub(crate) fn mismatches(
        &self,
        conversation: &Conversation<'_>,
        results: &[Value],
        vars: &Vars,
    ) -> Result<Vec<Mismatch>, RenderError> {
        let mut found = Comparison { vars, found: Vec::new() };
        if !self.instructions.is_empty() {
            let instructions = Value::String(conversation.instructions.to_string());
            for matcher in &self.instructions {
                found.text("instructions", matcher, &instructions)?;
            }
        }
        for tool in &self.tools {
            if conversation.tool(tool).is_none() {
                found.add("tools", tool.clone(), conversation.tool_names());
            }
        }
        if let Some(matcher) = &self.input {
            found.text("input", matcher, &Value::String(conversation.text().into()))?;
        }
        if let Some(matcher) = &self.model {
            let model = Value::String(conversation.model.into());
            found.value("model", &matcher.render(vars)?, &model);
        }
        if let Some(history) = &self.history {
            found.history(history, conversation)?;
        }
        if !self.results.is_empty() {
            let list = self.results.iter().map(|m| m.render(vars)).collect::<Result<_, _>>()?;
            let mismatches = Matcher::List(list).check(&Value::Array(results.to_vec()));
            found.found.extend(
                mismatches
                    .into_iter()
                    .map(|m| Mismatch { path: format!("results{}", m.path), ..m }),
            );
        }
        for mismatch in &mut found.found {
            shorten(&mut mismatch.actual);
        }
        Ok(found.found)
    }
}

/// As it could stand in a scenario file.
impl fmt::Display for RequestExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |list: &[Matcher]| {
            let texts: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("[{}]", texts.join(", "))
        };
        let mut keys = Vec::new();
        if !self.instructions.is_empty() {
            keys.push(format!("instructions: {}", list(&self.instructions)));
        }
        if !self.tools.is_empty() {
            keys.push(format!("tools: [{}]", self.tools.join(", ")));
        }
        if let Some(input) = &self.input {
            keys.push(format!("input: {input}"));
        }
        if let Some(history) = &self.history {
            keys.push(format!("history: {}", list(history)));
        }
        if !self.results.is_empty() {
            keys.push(format!("results: {}", list(&self.results)));
        }
        if let Some(model) = &self.model {
            keys.push(format!("model: {model}"));
        }
        write!(f, "{{ {} }}", keys.join(", "))
    }
}

/// A comparison under way: the variables of its matchers and what was found so far.
struct Comparison<'v> {
    vars: &'v Vars,
    found: Vec<Mismatch>,
}

impl Comparison<'_> {
    fn add(&mut self, path: impl Into<String>, expected: String, actual: String) {
        self.found.push(Mismatch { path: path.into(), expected, actual });
    }

    fn value(&mut self, path: &str, matcher: &Matcher, value: &Value) {
        let mismatches = matcher.check(value);
        self.found.extend(mismatches.into_iter().map(|m| Mismatch { path: path.into(), ..m }));
    }

    fn text(&mut self, path: &str, matcher: &Matcher, text: &Value) -> Result<(), RenderError> {
        let matcher = contained(matcher.render(self.vars)?);
        self.value(path, &matcher, text);
        Ok(())
    }

    /// Each matcher must match a message after the one that the previous matcher matched.
    fn history(
        &mut self,
        history: &[Matcher],
        conversation: &Conversation<'_>,
    ) -> Result<(), RenderError> {
        let earlier: Vec<Value> =
            conversation.earlier().iter().map(|m| Value::String(m.text.to_string())).collect();
        let shown = |messages: &[Value]| Value::Array(messages.to_vec()).to_string();
        if history.is_empty() && !earlier.is_empty() {
            self.add("history", "no earlier message".into(), shown(&earlier));
        }
        let mut from = 0;
        for (i, matcher) in history.iter().enumerate() {
            let matcher = contained(matcher.render(self.vars)?);
            match earlier[from..].iter().position(|text| matcher.is_match(text)) {
                Some(at) => from += at + 1,
                None => {
                    self.add(format!("history[{i}]"), matcher.to_string(), shown(&earlier[from..]));
                }
            }
        }
        Ok(())
    }
}

/// A plain text stands for a part of the message.
fn contained(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::Literal(Value::String(_)) => Matcher::Contains(vec![matcher]),
        other => other,
    }
}

fn shorten(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(at);
        text.push_str("...");
    }
}
