//! The rules of a persona: their form in the file, and compiling them. Patterns and templates are
//! checked once, with errors that point into the file.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use minijinja::{Environment, Value, value::Serde};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::template;
use crate::script::Call;
use rehearse_core::yaml::{Source, YamlError};

/// A compiled persona.
pub(super) struct RuleSet {
    pub zone: TimeZone,
    pub values: BTreeMap<String, Value>,
    pub facts: Vec<Fact>,
    pub rules: Vec<Rule>,
    /// Holds every template under the name in its [`TextTemplate`].
    pub environment: Environment<'static>,
}

/// Something to remember from the messages of a conversation.
pub(super) struct Fact {
    pub name: String,
    pub user: Vec<Pattern>,
    pub assistant: Vec<Pattern>,
    pub forget: Option<Regex>,
}

/// A pattern and the value that it gives.
pub(super) struct Pattern {
    pub regex: Regex,
    pub is: TextTemplate,
}

/// Conditions and a response.
pub(super) struct Rule {
    pub after: Option<String>,
    pub text: Vec<Regex>,
    pub said: Vec<Regex>,
    pub condition: Option<TextTemplate>,
    pub call: Option<Call>,
    pub say: Option<TextTemplate>,
}

/// A text, with or without something to fill in.
pub(super) enum TextTemplate {
    Plain(String),
    /// The name of a template.
    Template(String),
}

impl RuleSet {
    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }
}

/// Reads and compiles a persona.
///
/// # Errors
/// The text is not of the right form, the time zone is unknown, or a pattern or template is malformed.
pub(super) fn rules(source: &Source) -> Result<RuleSet, YamlError> {
    let file: PersonaFile = source.parse_requiring(&["name", "timezone", "rules"])?;
    let zone = TimeZone::get(&file.timezone.value)
        .map_err(|e| source.error(file.timezone.referenced, e.to_string()))?;
    let mut loader = Loader { source, environment: template::environment(), count: 0 };
    let facts = file
        .facts
        .into_iter()
        .map(|(name, fact)| {
            Ok(Fact {
                name,
                user: loader.patterns(&fact.user)?,
                assistant: loader.patterns(&fact.assistant)?,
                forget: fact.forget.as_ref().map(|f| loader.regex(f)).transpose()?,
            })
        })
        .collect::<Result<_, YamlError>>()?;
    let mut rules = Vec::new();
    for rule in file.rules {
        rules.push(loader.rule(rule)?);
    }
    let values = file.values.iter().map(|(k, v)| (k.clone(), Value::from(Serde(v)))).collect();
    Ok(RuleSet { zone, values, facts, rules, environment: loader.environment })
}

/// A persona as it is in its file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonaFile {
    /// The name of the persona.
    #[serde(rename = "name")]
    _name: String,
    /// The time zone of today's date, if the instructions contain no date.
    timezone: Spanned<String>,
    /// Constants that templates may use.
    #[serde(default)]
    values: BTreeMap<String, serde_json::Value>,
    /// What is remembered from a conversation, by name.
    #[serde(default)]
    facts: BTreeMap<String, FactEntry>,
    /// The first rule that matches responds.
    rules: Vec<RuleEntry>,
}

/// Something to find in messages. The latest message in which it is found counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FactEntry {
    /// Tried on each message of the user, in this order; the first match counts.
    #[serde(default)]
    user: Vec<PatternEntry>,
    /// The same for messages of the assistant.
    #[serde(default)]
    assistant: Vec<PatternEntry>,
    /// A pattern for messages of the assistant after which it is forgotten.
    #[serde(default)]
    forget: Option<Spanned<String>>,
}

/// A pattern and the value that it gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternEntry {
    /// A regular expression that ignores case. Its named captures are names in `is`.
    #[serde(rename = "match")]
    matches: Spanned<String>,
    /// A template of the value. An empty value counts as no match.
    is: Spanned<String>,
}

/// Conditions, all of which must be met, and a response.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    /// The tool whose result came last since the user's text. A rule without it responds to the text
    /// itself.
    #[serde(default)]
    after: Option<String>,
    /// Patterns of which one must be in the user's last text.
    #[serde(default)]
    text: Vec<Spanned<String>>,
    /// Patterns of which one must be in the assistant's last message.
    #[serde(default)]
    said: Vec<Spanned<String>>,
    /// An expression over facts, captures, `here` (the facts in this text alone) and `result`.
    #[serde(default, rename = "if")]
    condition: Option<Spanned<String>>,
    /// A tool to call. The rule is skipped if the request does not offer it.
    #[serde(default)]
    call: Option<Spanned<Call>>,
    /// A text to say.
    #[serde(default)]
    say: Option<Spanned<String>>,
}

/// Compiles the parts of a persona.
struct Loader<'s> {
    source: &'s Source,
    environment: Environment<'static>,
    count: usize,
}

impl Loader<'_> {
    fn rule(&mut self, rule: RuleEntry) -> Result<Rule, YamlError> {
        let regexes = |list: &[Spanned<String>]| {
            list.iter().map(|p| self.regex(p)).collect::<Result<Vec<_>, _>>()
        };
        let (text, said) = (regexes(&rule.text)?, regexes(&rule.said)?);
        let condition = match rule.condition {
            None => None,
            Some(condition) => {
                // An expression inside a template is compiled once and kept.
                let template = format!("{{% if {} %}}1{{% endif %}}", condition.value);
                Some(self.template(template, condition.referenced)?)
            }
        };
        let call = rule.call.map(|call| self.call(call)).transpose()?;
        let say = rule.say.map(|say| self.text(say)).transpose()?;
        if call.is_none() && say.is_none() {
            let place =
                rule.text.first().or(rule.said.first()).map_or(Location::UNKNOWN, |t| t.referenced);
            return Err(self.source.error(place, "a rule needs 'call' or 'say'"));
        }
        Ok(Rule { after: rule.after, text, said, condition, call, say })
    }

    /// Checks the templates among a call's arguments.
    fn call(&self, call: Spanned<Call>) -> Result<Call, YamlError> {
        for value in call.value.arguments.values().filter_map(serde_json::Value::as_str) {
            self.environment
                .template_from_str(value)
                .map_err(|e| self.source.error(call.referenced, explain(&e)))?;
        }
        Ok(call.value)
    }

    fn patterns(&mut self, list: &[PatternEntry]) -> Result<Vec<Pattern>, YamlError> {
        list.iter()
            .map(|p| Ok(Pattern { regex: self.regex(&p.matches)?, is: self.text(p.is.clone())? }))
            .collect()
    }

    fn regex(&self, pattern: &Spanned<String>) -> Result<Regex, YamlError> {
        RegexBuilder::new(&pattern.value)
            .case_insensitive(true)
            .build()
            .map_err(|e| self.source.error(pattern.referenced, e.to_string()))
    }

    fn text(&mut self, text: Spanned<String>) -> Result<TextTemplate, YamlError> {
        if text.value.contains("{{") || text.value.contains("{%") {
            return self.template(text.value, text.referenced);
        }
        Ok(TextTemplate::Plain(text.value))
    }

    fn template(&mut self, template: String, place: Location) -> Result<TextTemplate, YamlError> {
        let name = self.count.to_string();
        self.count += 1;
        self.environment
            .add_template_owned(name.clone(), template)
            .map_err(|e| self.source.error(place, explain(&e)))?;
        Ok(TextTemplate::Template(name))
    }
}

/// The message of a template error without internal details.
pub(super) fn explain(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
