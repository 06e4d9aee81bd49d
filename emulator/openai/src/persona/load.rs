//! Compiling a persona: patterns and templates are checked here, once, with
//! errors that point into the file.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use minijinja::{Environment, Value, value::Serde};
use regex::{Regex, RegexBuilder};
use serde_saphyr::{Location, Spanned};

use super::{file, template};
use crate::script::Call;
use rehearse_core::yaml::{Source, YamlError};

/// A persona, ready to answer.
pub(super) struct RuleSet {
    pub zone: TimeZone,
    pub values: BTreeMap<String, Value>,
    pub facts: Vec<Fact>,
    pub rules: Vec<Rule>,
    /// Holds every template, by the names that the parts below carry.
    pub environment: Environment<'static>,
}

pub(super) struct Fact {
    pub name: String,
    pub user: Vec<Pattern>,
    pub assistant: Vec<Pattern>,
    pub forget: Option<Regex>,
}

pub(super) struct Pattern {
    pub regex: Regex,
    pub is: TextTemplate,
}

pub(super) struct Rule {
    pub after: Option<String>,
    pub text: Vec<Regex>,
    pub said: Vec<Regex>,
    pub condition: Option<TextTemplate>,
    pub call: Option<Call>,
    pub say: Option<TextTemplate>,
}

/// A text that may have something to fill in.
pub(super) enum TextTemplate {
    Plain(String),
    /// The name of a template.
    Template(String),
}

impl RuleSet {
    pub fn len(&self) -> usize {
        self.rules.len()
    }
}

/// Reads and compiles a persona.
pub(super) fn rules(source: &Source) -> Result<RuleSet, YamlError> {
    let file: file::PersonaFile = source.parse()?;
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

struct Loader<'s> {
    source: &'s Source,
    environment: Environment<'static>,
    count: usize,
}

impl Loader<'_> {
    fn rule(&mut self, rule: file::RuleEntry) -> Result<Rule, YamlError> {
        let regexes = |list: &[Spanned<String>]| {
            list.iter().map(|p| self.regex(p)).collect::<Result<Vec<_>, _>>()
        };
        let (text, said) = (regexes(&rule.text)?, regexes(&rule.said)?);
        let condition = match rule.condition {
            None => None,
            Some(condition) => {
                // As a template, an expression is compiled once and kept.
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

    fn patterns(&mut self, list: &[file::PatternEntry]) -> Result<Vec<Pattern>, YamlError> {
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

/// What a template error says, without its inner workings.
pub(super) fn explain(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
