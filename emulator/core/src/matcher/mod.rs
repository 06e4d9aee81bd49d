//! Values that are expected: literals, operators and templates, wherever a
//! scenario or a model script says what must be.
//!
//! A map is matched in part (other keys may be there), a list item by item. A
//! map whose only key is an operator is that operator.

mod check;
mod differences;
mod parse;
mod path;
mod vars;

pub use check::Mismatch;
pub use differences::differences;
pub use path::{Path, PathError};
pub use vars::{RenderError, Vars};

use serde_json::Value;

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum Matcher {
    /// Exactly this scalar.
    Literal(Value),
    /// As many items as there are matchers, each matching, in order.
    List(Vec<Matcher>),
    /// At least these keys, each matching.
    Map(Vec<(String, Matcher)>),
    /// `equals`: exactly this, maps with no further keys.
    Equals(Value),
    /// `contains`: a text has each of these parts, a list an item that matches each.
    Contains(Vec<Matcher>),
    /// `excludes`: a text has none of these parts, a list no item that matches any.
    Excludes(Vec<Matcher>),
    /// `matches`: a regular expression finds something in the text.
    Matches(String),
    /// `any: string`: any value of that type; `any: value` is anything but null or absent.
    Any(Type),
    /// `one_of`: at least one of these matches.
    OneOf(Vec<Matcher>),
    /// `absent: true`: not there, or null.
    Absent,
}

/// A type that `any` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// Number.
    Number,
    /// True or false.
    Boolean,
    /// List.
    List,
    /// Map.
    Map,
    /// Anything that is there and not null.
    Value,
}

/// Operator names: keys that cannot be matched as plain keys of a map with one entry.
pub const OPERATORS: [&str; 7] =
    ["equals", "contains", "excludes", "matches", "any", "one_of", "absent"];

impl Matcher {
    /// A copy with every template in it filled in.
    ///
    /// # Errors
    /// When a template is malformed or names something undefined.
    pub fn render(&self, vars: &Vars) -> Result<Self, RenderError> {
        let all =
            |list: &[Self]| list.iter().map(|m| m.render(vars)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::Literal(value) => match vars.render(value)? {
                Value::Array(_) | Value::Object(_) if value.is_string() => {
                    Self::Equals(vars.render(value)?)
                }
                scalar => Self::Literal(scalar),
            },
            Self::List(list) => Self::List(all(list)?),
            Self::Map(map) => Self::Map(
                map.iter()
                    .map(|(k, m)| Ok((k.clone(), m.render(vars)?)))
                    .collect::<Result<_, RenderError>>()?,
            ),
            Self::Equals(value) => Self::Equals(vars.render(value)?),
            Self::Contains(list) => Self::Contains(all(list)?),
            Self::Excludes(list) => Self::Excludes(all(list)?),
            Self::OneOf(list) => Self::OneOf(all(list)?),
            Self::Matches(pattern) => Self::Matches(vars.text(pattern)?),
            Self::Any(_) | Self::Absent => self.clone(),
        })
    }

    /// What is wrong with `value`; nothing when it matches. Templates must be rendered before.
    pub fn check(&self, value: &Value) -> Vec<Mismatch> {
        let mut found = Vec::new();
        check::check(self, Some(value), "", &mut found);
        found
    }

    /// Whether `value` matches.
    pub fn is_match(&self, value: &Value) -> bool {
        self.check(value).is_empty()
    }
}
