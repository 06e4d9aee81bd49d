//! A persona as it stands in its file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use crate::script::Call;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonaFile {
    /// Who it is.
    #[serde(rename = "name")]
    pub _name: String,
    /// For today's date where the instructions name none.
    pub timezone: Spanned<String>,
    /// Constants for the templates.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// What is remembered of a conversation, by name.
    #[serde(default)]
    pub facts: BTreeMap<String, FactEntry>,
    /// The first that fits answers.
    pub rules: Vec<RuleEntry>,
}

/// Something that is found in messages; the latest message that has it counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FactEntry {
    /// Tried on each text of the user, first match first.
    #[serde(default)]
    pub user: Vec<PatternEntry>,
    /// Tried on each text of the assistant.
    #[serde(default)]
    pub assistant: Vec<PatternEntry>,
    /// A text of the assistant after which it is forgotten.
    #[serde(default)]
    pub forget: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternEntry {
    /// A regular expression, upper and lower case alike; named captures are names in `is`.
    #[serde(rename = "match")]
    pub matches: Spanned<String>,
    /// A template of the value; an empty value is none.
    pub is: Spanned<String>,
}

/// Conditions, all of which must hold, and an answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    /// The tool whose result came last since the user's text. A rule without it
    /// answers the text itself.
    #[serde(default)]
    pub after: Option<String>,
    /// One of these is in the user's last text.
    #[serde(default)]
    pub text: Vec<Spanned<String>>,
    /// One of these is in what the assistant said last.
    #[serde(default)]
    pub said: Vec<Spanned<String>>,
    /// An expression over facts, captures, `here` (facts of this text alone), `result`.
    #[serde(default, rename = "if")]
    pub condition: Option<Spanned<String>>,
    /// A tool to call; the rule is passed over where it is not offered.
    #[serde(default)]
    pub call: Option<Spanned<Call>>,
    /// A text to say.
    #[serde(default)]
    pub say: Option<Spanned<String>>,
}
