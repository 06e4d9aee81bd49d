//! Comparing a value with a matcher.

use std::fmt;

use serde_json::Value;

use super::{Matcher, Type};

/// One place where a value does not match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Path of the place: `results[0].available_slots`; empty for the value itself.
    pub path: String,
    /// Describes what is expected there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "expected {}, got {}", self.expected, self.actual)
    }
}

/// Adds every mismatch of `value` to `found`. `None` is a value that is not there.
pub(super) fn check(
    matcher: &Matcher,
    value: Option<&Value>,
    path: &str,
    found: &mut Vec<Mismatch>,
) {
    let mut miss = |expected: String| {
        let actual = value.map_or_else(|| "nothing".into(), ToString::to_string);
        found.push(Mismatch { path: path.into(), expected, actual });
    };
    match (matcher, value) {
        (Matcher::Absent, None | Some(Value::Null)) => {}
        (Matcher::Literal(Value::Null), None) => {}
        (Matcher::Absent, Some(_)) => miss("nothing".into()),
        (_, None) => miss(matcher.to_string()),
        (Matcher::Literal(expected) | Matcher::Equals(expected), Some(actual)) => {
            if !same(expected, actual) {
                miss(matcher.to_string());
            }
        }
        (Matcher::Map(map), Some(Value::Object(object))) => {
            for (key, matcher) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                check(matcher, object.get(key), &path, found);
            }
        }
        (Matcher::List(list), Some(Value::Array(array))) => {
            if list.len() != array.len() {
                let items = if list.len() == 1 { "item" } else { "items" };
                miss(format!("{} {items}: {matcher}", list.len()));
                return;
            }
            for (i, (matcher, value)) in list.iter().zip(array).enumerate() {
                check(matcher, Some(value), &format!("{path}[{i}]"), found);
            }
        }
        (Matcher::Contains(parts), Some(value)) => {
            if parts.iter().any(|part| has(part, value) != Some(true)) {
                miss(matcher.to_string());
            }
        }
        (Matcher::Excludes(parts), Some(value)) => {
            if parts.iter().any(|part| has(part, value) != Some(false)) {
                miss(matcher.to_string());
            }
        }
        (Matcher::Matches(pattern), Some(value)) => {
            let regex = regex::Regex::new(pattern);
            let text = value.as_str();
            if !regex.is_ok_and(|r| text.is_some_and(|t| r.is_match(t))) {
                miss(matcher.to_string());
            }
        }
        (Matcher::Any(kind), Some(value)) => {
            let fits = match kind {
                Type::String => value.is_string(),
                Type::Number => value.is_number(),
                Type::Boolean => value.is_boolean(),
                Type::List => value.is_array(),
                Type::Map => value.is_object(),
                Type::Value => !value.is_null(),
            };
            if !fits {
                miss(matcher.to_string());
            }
        }
        (Matcher::OneOf(list), Some(value)) => {
            if !list.iter().any(|m| m.is_match(value)) {
                miss(matcher.to_string());
            }
        }
        (Matcher::Map(_) | Matcher::List(_), Some(_)) => miss(matcher.to_string()),
    }
}

/// Whether a text, list or map contains this part; `None` for any other value.
fn has(part: &Matcher, value: &Value) -> Option<bool> {
    match value {
        Value::String(text) => Some(match part {
            Matcher::Literal(Value::String(part)) => text.contains(part.as_str()),
            Matcher::Literal(other) => text.contains(&other.to_string()),
            matcher => matcher.is_match(value),
        }),
        Value::Array(items) => Some(items.iter().any(|item| part.is_match(item))),
        Value::Object(object) => match part {
            Matcher::Literal(Value::String(key)) => Some(object.contains_key(key)),
            _ => None,
        },
        _ => None,
    }
}

/// Equality for which 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(k, x)| y.get(k).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => write!(f, "{value}"),
            Self::Equals(value) => write!(f, "exactly {value}"),
            Self::List(list) => write!(f, "[{}]", Joined(list)),
            Self::Map(map) => {
                f.write_str("{")?;
                for (i, (key, matcher)) in map.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}: {matcher}")?;
                }
                f.write_str("}")
            }
            Self::Contains(parts) => write!(f, "something with {}", Joined(parts)),
            Self::Excludes(parts) => write!(f, "something without {}", Joined(parts)),
            Self::Matches(pattern) => write!(f, "a text that matches /{pattern}/"),
            Self::Any(kind) => write!(f, "any {kind:?}"),
            Self::OneOf(list) => write!(f, "one of {}", Joined(list)),
            Self::Absent => f.write_str("nothing"),
        }
    }
}

struct Joined<'a>(&'a [Matcher]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, matcher) in self.0.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{matcher}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::yaml::Source;

    use super::*;

    fn wrong(yaml: &str, value: Value) -> Vec<String> {
        let source = Source::new("test", yaml);
        let matcher: Matcher = source.parse().unwrap();
        matcher.check(&value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn maps_match_in_part_and_lists_item_by_item() {
        let row = json!({"a": 1, "b": [{"c": "x", "d": 2}]});
        assert!(wrong("{ a: 1.0, b: [{ c: x }] }", row.clone()).is_empty());
        assert_eq!(
            wrong("{ b: [{ c: y }], e: 1 }", row.clone()),
            [r#"b[0].c: expected "y", got "x""#, "e: expected 1, got nothing",]
        );
        assert_eq!(wrong("{ equals: { a: 1 } }", row).len(), 1);
        assert_eq!(wrong("[1, 2]", json!([1])).len(), 1);
    }

    #[test]
    fn parts_of_texts_and_lists() {
        assert!(wrong("{ contains: [ab, cd] }", json!("abcd")).is_empty());
        assert_eq!(wrong("{ contains: [ab, xy] }", json!("abcd")).len(), 1);
        assert!(wrong("{ contains: { a: 1 } }", json!([{"a": 1, "b": 2}])).is_empty());
        assert!(wrong("{ excludes: '10:00 AM' }", json!(["9:00 AM"])).is_empty());
        assert_eq!(wrong("{ excludes: [x, b] }", json!("abc")).len(), 1);
    }

    #[test]
    fn a_value_without_parts_neither_contains_nor_excludes() {
        assert_eq!(wrong("{ contains: 1 }", json!(1)).len(), 1);
        assert_eq!(wrong("{ excludes: 1 }", json!(2)).len(), 1);
        assert_eq!(wrong("{ a: { excludes: x } }", json!({})).len(), 1);
    }

    #[test]
    fn absent_and_any() {
        assert!(wrong("{ a: { absent: true } }", json!({"a": null})).is_empty());
        assert_eq!(wrong("{ a: { absent: true } }", json!({"a": 1})).len(), 1);
        assert_eq!(wrong("{ a: { any: string } }", json!({"a": 1})).len(), 1);
        assert!(wrong("{ a: { any: value } }", json!({"a": 1})).is_empty());
        assert!(wrong("{ a: { one_of: [1, { matches: '^b' }] } }", json!({"a": "bc"})).is_empty());
    }
}
