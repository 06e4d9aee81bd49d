//! Matchers: literals, operators and templates with which scenarios and model scripts describe a value.
//!
//! A map matches if its keys match; the value may have other keys. A list matches item by item. A map
//! whose only key is an operator is that operator.
//!
//! ```
//! use rehearse_core::{matcher::Matcher, yaml::Source};
//! use serde_json::json;
//!
//! let yaml = "{ name: { contains: Ann }, slots: [9, { any: number }] }";
//! let matcher: Matcher = Source::new("example.yaml", yaml).parse()?;
//! assert!(matcher.is_match(&json!({ "name": "Ann Lee", "slots": [9, 10], "id": 1 })));
//!
//! let mismatches = matcher.check(&json!({ "name": "Bob", "slots": [9, 10] }));
//! assert_eq!(mismatches[0].to_string(), r#"name: expected something with "Ann", got "Bob""#);
//! # Ok::<(), rehearse_core::yaml::YamlError>(())
//! ```

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

/// Describes a value.
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
    /// `any: string`: any value of this type; `any: value` is anything that is there and not null.
    Any(Type),
    /// `one_of`: at least one of these matches.
    OneOf(Vec<Matcher>),
    /// `absent: true`: the value is not there, or is null.
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

/// Names of operators. A map whose only key is one of them is that operator, so `equals` is needed to
/// match such a map.
pub const OPERATORS: [&str; 7] =
    ["equals", "contains", "excludes", "matches", "any", "one_of", "absent"];

impl Matcher {
    /// A copy with every template in it filled in.
    ///
    /// # Errors
    /// When a template is malformed or uses a name that is not defined.
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

    /// Every place where `value` does not match; empty when it matches. Templates must be rendered
    /// before, with [`Matcher::render`].
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
