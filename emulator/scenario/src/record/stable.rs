//! What of a value is the same in every run.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

use super::{tokens::Tokens, words::Words};
use rehearse_core::matcher::OPERATORS;

/// A time of day with seconds.
#[expect(clippy::expect_used, reason = "a constant pattern, which a test compiles")]
static SECONDS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9]{2}:[0-9]{2}:[0-9]{2}").expect("a pattern"));

/// Numbers from here on may be moments.
const MOMENT: f64 = 1e9;
/// Longest text that an expectation names whole, in characters.
const LONGEST: usize = 80;

/// What is needed to tell.
#[derive(Clone, Copy)]
pub(super) struct Stable<'a> {
    pub(super) words: &'a Words,
    pub(super) tokens: &'a Tokens,
    pub(super) at: Timestamp,
    /// What is saved from the exchange at this position, and from later ones, has no name yet.
    pub(super) before: u64,
}

impl Stable<'_> {
    /// The same before the exchange at a position has been saved from.
    pub(super) fn before(self, seq: u64) -> Self {
        Self { before: seq, ..self }
    }

    /// A matcher of what is the same in every run; `None` when nothing is.
    pub(super) fn matcher(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(value.clone()),
            Value::Number(number) => {
                number.as_f64().is_some_and(|n| n.abs() < MOMENT).then(|| value.clone())
            }
            Value::String(text) => {
                self.text(text).map(|text| self.words.value(&text.into(), self.at))
            }
            Value::Array(list) => list.iter().map(|value| self.matcher(value)).collect(),
            Value::Object(map) => {
                let entries: Map<String, Value> = map
                    .iter()
                    .filter_map(|(key, value)| Some((key.clone(), self.matcher(value)?)))
                    .collect();
                let mut keys = entries.keys();
                let is_operator =
                    entries.len() == 1 && keys.any(|key| OPERATORS.contains(&key.as_str()));
                (!entries.is_empty() && !is_operator).then(|| entries.into())
            }
        }
    }

    /// A text that is short and the same in every run.
    fn text<'t>(&self, text: &'t str) -> Option<&'t str> {
        let is_same = text.chars().count() <= LONGEST
            && !SECONDS.is_match(text)
            && self.tokens.unknown_before(text, self.before).is_empty();
        is_same.then_some(text)
    }
}
