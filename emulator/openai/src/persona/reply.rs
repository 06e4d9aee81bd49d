//! Replies of a persona: the first rule that matches, with its templates filled in.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use jiff::{Timestamp, civil::Date};
use minijinja::{
    Value,
    value::{Serde, ValueKind},
};
use regex::{Captures, Regex};

use super::{
    PersonaError,
    rules::{Pattern, Rule, RuleSet, TextTemplate, explain},
    times,
};
use crate::{
    conversation::{Conversation, Tool, ToolChoice},
    format::Format,
    ids::Ids,
    possible::{self, Impossible},
    reply::{Part, Reply},
    schema,
};

/// What templates may use, by name.
type Names = BTreeMap<String, Value>;

impl RuleSet {
    /// The reply of the first rule that matches.
    ///
    /// # Errors
    /// No rule matches, or a template of the first that does has no value.
    pub fn reply(
        &self,
        conversation: &Conversation<'_>,
        now: Timestamp,
        ids: Ids,
    ) -> Result<Reply, PersonaError> {
        let names = self.names(conversation, now)?;
        // Shared by all rules that capture nothing; cloning it copies a pointer.
        let plain = Value::from(names.clone());
        // Why the first rule that matched could not respond.
        let mut impossible: Option<String> = None;
        for (at, rule) in self.rules.iter().enumerate() {
            let wrong = |reason| PersonaError { rule: at + 1, reason };
            let Some(context) = self.context(rule, conversation, &names, &plain).map_err(wrong)?
            else {
                continue;
            };
            let part = match &rule.call {
                Some(call) => match conversation.tool(&call.name) {
                    None => continue,
                    Some(tool) => Part::Call {
                        name: call.name.clone(),
                        arguments: self
                            .arguments(&call.arguments, tool, &context)
                            .map_err(wrong)?,
                    },
                },
                None => Part::Text(match &rule.say {
                    Some(say) => self.fill(say, &context).map_err(wrong)?,
                    None => String::new(),
                }),
            };
            if let Err(why) = permitted(conversation, &part) {
                impossible
                    .get_or_insert_with(|| format!("rule {} fits, but {}", at + 1, why.reason));
                continue;
            }
            let reasoning = conversation.reasoning && matches!(part, Part::Call { .. });
            return Ok(Reply { reasoning, encrypted: reasoning, ..Reply::of(ids, vec![part]) });
        }
        let reason = match impossible {
            None => "no rule fits; let the last one have no conditions".into(),
            Some(why) => format!("{why}; {}", missing(conversation)),
        };
        Err(PersonaError { rule: self.rules.len(), reason })
    }

    /// What a rule's templates may use: the names and its captures. `None` if it does not match.
    fn context(
        &self,
        rule: &Rule,
        conversation: &Conversation<'_>,
        names: &Names,
        plain: &Value,
    ) -> Result<Option<Value>, String> {
        let after = conversation.calls.iter().rev().find(|c| c.result.is_some()).map(|c| c.name);
        if rule.after.as_deref() != after {
            return Ok(None);
        }
        let said = last_said(conversation);
        if !rule.said.is_empty() && !rule.said.iter().any(|r| r.is_match(said)) {
            return Ok(None);
        }
        let mut context = plain.clone();
        if !rule.text.is_empty() {
            let text = straight(conversation.text());
            let found = rule.text.iter().find_map(|r| Some((r, r.captures(&text)?)));
            let Some((regex, captures)) = found else { return Ok(None) };
            let captured = capture(regex, &captures);
            if !captured.is_empty() {
                let mut all = names.clone();
                all.extend(captured);
                context = Value::from(all);
            }
        }
        if let Some(condition) = &rule.condition
            && self.fill(condition, &context)?.is_empty()
        {
            return Ok(None);
        }
        Ok(Some(context))
    }

    /// What all templates may use: constants, the conversation, and the facts found in it.
    fn names(
        &self,
        conversation: &Conversation<'_>,
        now: Timestamp,
    ) -> Result<Names, PersonaError> {
        let mut names: Names = self.values.clone();
        let today = first_date(&conversation.instructions)
            .unwrap_or_else(|| now.to_zoned(self.zone.clone()).date());
        names.insert("today".into(), Value::from(today.to_string()));
        let clock = first_time(&conversation.instructions)
            .unwrap_or_else(|| now.to_zoned(self.zone.clone()).strftime("%-I:%M %p").to_string());
        names.insert("now".into(), Value::from(clock));
        names.insert("text".into(), Value::from(straight(conversation.text())));
        names.insert("said".into(), Value::from(last_said(conversation)));
        let last = conversation.calls.iter().rev().find(|c| c.result.is_some());
        let json = |value: Option<serde_json::Value>| {
            value.map_or(Value::from(()), |value| Value::from(Serde(&value)))
        };
        names.insert("result".into(), json(last.map(|call| call.output())));
        names.insert(
            "args".into(),
            json(last.and_then(|call| serde_json::from_str(call.arguments).ok())),
        );
        let (mut here, mut every) = (Names::new(), Names::new());
        for fact in &self.facts {
            let wrong = |reason| PersonaError {
                rule: 0,
                reason: format!("fact '{}': {reason}", fact.name),
            };
            let (mut found, mut now) = (Vec::new(), Vec::new());
            let mut said = "";
            for message in &conversation.messages {
                if !message.user && fact.forget.as_ref().is_some_and(|f| f.is_match(&message.text))
                {
                    found.clear();
                }
                let patterns = if message.user { &fact.user } else { &fact.assistant };
                let named = self.find(patterns, &message.text, said, &names).map_err(wrong)?;
                if !named.is_empty() {
                    found.clone_from(&named);
                }
                if message.user {
                    now = named;
                } else {
                    said = &message.text;
                }
            }
            let first = |values: &[Value]| values.first().cloned().unwrap_or(Value::from(()));
            here.insert(fact.name.clone(), first(&now));
            names.insert(fact.name.clone(), first(&found));
            every.insert(fact.name.clone(), Value::from(found));
        }
        names.insert("every".into(), Value::from(every));
        names.insert("here".into(), Value::from(here));
        Ok(names)
    }

    /// The values that are not empty of the patterns that match, in the order of the patterns and without
    /// repeats. What stands right behind "not" does not count. `said` is the assistant's message before.
    fn find(
        &self,
        patterns: &[Pattern],
        text: &str,
        said: &str,
        names: &Names,
    ) -> Result<Vec<Value>, String> {
        let text = straight(text);
        let mut values: Vec<Value> = Vec::new();
        for pattern in patterns {
            for captures in pattern.regex.captures_iter(&text) {
                let at = captures.get(0).map_or(0, |m| m.start());
                if is_denied(&text[..at]) {
                    continue;
                }
                let value = match &pattern.is {
                    TextTemplate::Plain(value) => value.clone(),
                    template @ TextTemplate::Template(_) => {
                        let mut all = capture(&pattern.regex, &captures);
                        for name in ["today", "now"] {
                            all.insert(name.into(), names.get(name).cloned().unwrap_or_default());
                        }
                        all.insert("said".into(), Value::from(said));
                        self.fill(template, &Value::from(all))?
                    }
                };
                let value = Value::from(value.trim());
                if value.is_true() && !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        Ok(values)
    }

    /// The text with its template filled in.
    fn fill(&self, text: &TextTemplate, context: &Value) -> Result<String, String> {
        match text {
            TextTemplate::Plain(text) => Ok(text.clone()),
            TextTemplate::Template(name) => self
                .environment
                .get_template(name)
                .and_then(|template| template.render(context.clone()))
                .map_err(|e| explain(&e)),
        }
    }

    /// The arguments, adapted to the tool: names that it does not have are left out, and names that
    /// it requires are null if the rule does not give them.
    fn arguments(
        &self,
        written: &serde_json::Map<String, serde_json::Value>,
        tool: &Tool<'_>,
        context: &Value,
    ) -> Result<String, String> {
        let mut arguments = serde_json::Map::new();
        for (name, value) in written {
            arguments.insert(name.clone(), self.argument(value, context)?);
        }
        if let Some(schema) = tool.parameters {
            if schema["additionalProperties"] == false {
                arguments.retain(|name, _| schema["properties"].get(name).is_some());
            }
            for name in
                schema["required"].as_array().into_iter().flatten().filter_map(|n| n.as_str())
            {
                arguments.entry(name).or_insert(serde_json::Value::Null);
            }
            let arguments = serde_json::Value::Object(arguments.clone());
            let errors = schema::argument_errors(&arguments, schema);
            if tool.strict && !errors.is_empty() {
                return Err(format!(
                    "the call of '{}' does not fit: {}",
                    tool.name,
                    errors.join("; ")
                ));
            }
        }
        Ok(serde_json::Value::Object(arguments).to_string())
    }

    /// An argument with its template filled in. A template that is one expression keeps its type.
    fn argument(
        &self,
        value: &serde_json::Value,
        context: &Value,
    ) -> Result<serde_json::Value, String> {
        let Some(text) = value.as_str() else { return Ok(value.clone()) };
        let lone = text.trim().strip_prefix("{{").and_then(|t| t.strip_suffix("}}"));
        let filled = match lone.filter(|t| !t.contains("}}")) {
            Some(expression) => self
                .environment
                .compile_expression_owned(expression.trim().to_owned())
                .and_then(|e| e.eval(context.clone())),
            None => self.environment.render_str(text, context.clone()).map(Value::from),
        };
        let filled = filled.map_err(|e| explain(&e))?;
        if filled.kind() == ValueKind::Undefined {
            return Err(format!("'{text}' is not defined"));
        }
        serde_json::to_value(&filled).map_err(|e| e.to_string())
    }
}

/// Whether a model could answer the request with this part.
fn permitted(conversation: &Conversation<'_>, part: &Part) -> Result<(), Impossible> {
    match part {
        Part::Call { name, .. } => possible::check_call(conversation, name),
        Part::Text(text) | Part::Refusal(text) => {
            possible::check_no_call(conversation)?;
            possible::check_text(conversation, text)
        }
    }
}

/// Which rule the persona lacks for a request that no rule's answer is possible for.
fn missing(conversation: &Conversation<'_>) -> String {
    let after = conversation.calls.iter().rev().find(|c| c.result.is_some());
    let place = match after {
        Some(call) => format!("with 'after: {}'", call.name),
        None => format!("for the text {:?}", conversation.text()),
    };
    let answer = match (&conversation.choice, conversation.format) {
        (ToolChoice::Named(name), _) => format!("a 'call' of {name}"),
        (ToolChoice::Required, _) => "a 'call'".into(),
        (ToolChoice::Allowed { names, required: true }, _) => {
            format!("a 'call' of {}", names.join(" or "))
        }
        (_, Format::JsonObject | Format::Strict(_)) => "a 'say' of such JSON".into(),
        _ => "a 'say'".into(),
    };
    format!("a rule {place} is missing that has {answer}")
}

/// A greeting that names a part of the day, which nobody means by it.
static GREETING: LazyLock<Regex> = LazyLock::new(|| {
    let greeting = r"(?i)(?P<before>^\W*|[.,!?]\s*|\b(?:hi|hey|hello|yes|ok|okay|thanks|you)\W+)good\s+(?:morning|afternoon|evening|day)\b";
    #[expect(clippy::expect_used, reason = "the pattern is fixed, and a test uses it")]
    Regex::new(greeting).expect("a pattern")
});

/// A text with the apostrophes of a keyboard, where a phone has put others, and with "hello" for greetings
/// that sound like a time.
fn straight(text: &str) -> Cow<'_, str> {
    let text: Cow<'_, str> =
        if text.contains('\u{2019}') { text.replace('\u{2019}', "'").into() } else { text.into() };
    match GREETING.replace_all(&text, "${before}hello") {
        Cow::Owned(greeted) => greeted.into(),
        Cow::Borrowed(_) => text,
    }
}

/// Words after which nothing is meant.
const DENIALS: [&str; 5] = ["not", "don't", "dont", "never", "won't"];

/// Whether a text ends with "not" or "don't", so that what follows is not meant.
fn is_denied(before: &str) -> bool {
    let mut words = before.split_whitespace().rev();
    let last = words.next().unwrap_or_default();
    let last = if matches!(last, "a" | "an" | "the" | "my") { words.next() } else { Some(last) };
    last.is_some_and(|word| DENIALS.iter().any(|denial| word.eq_ignore_ascii_case(denial)))
}

/// The last message of the assistant before the user's text.
fn last_said<'c>(conversation: &'c Conversation<'_>) -> &'c str {
    conversation.earlier().iter().rev().find(|m| !m.user).map_or("", |m| &m.text)
}

/// The named captures. A capture that took no part is none.
fn capture(regex: &Regex, captures: &Captures<'_>) -> Names {
    regex
        .capture_names()
        .flatten()
        .map(|name| {
            let value = captures.name(name).map_or(Value::from(()), |m| Value::from(m.as_str()));
            (name.to_owned(), value)
        })
        .collect()
}

/// The first date such as `2026-02-10` in the instructions, which is the backend's today.
fn first_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let is_date = |w: &[u8]| {
        w[4] == b'-'
            && w[7] == b'-'
            && [0, 1, 2, 3, 5, 6, 8, 9].iter().all(|i| w[*i].is_ascii_digit())
    };
    bytes.windows(10).filter(|w| is_date(w)).find_map(|w| std::str::from_utf8(w).ok()?.parse().ok())
}

/// The first time such as `3:10 PM` in the instructions' line of the date, which is the backend's now.
fn first_time(text: &str) -> Option<String> {
    let line = text.lines().find(|line| first_date(line).is_some())?;
    times::all(line).first().map(|time| times::show_time(*time))
}
