//! Deserializing matchers. An operator beside another key is an error, since it would be ambiguous.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{Matcher, OPERATORS, Type};

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatcherVisitor)
    }
}

struct MatcherVisitor;

impl<'de> Visitor<'de> for MatcherVisitor {
    type Value = Matcher;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list, a map, or a matcher such as { contains: ... }")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Matcher, E> {
        Ok(Matcher::Literal(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Matcher, E> {
        Ok(Matcher::Literal(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Matcher, E> {
        Ok(Matcher::Literal(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Matcher, E> {
        Ok(Matcher::Literal(v.into()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Matcher, E> {
        Ok(Matcher::Literal(v.into()))
    }

    fn visit_unit<E>(self) -> Result<Matcher, E> {
        Ok(Matcher::Literal(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Matcher, E> {
        Ok(Matcher::Literal(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Matcher, D::Error> {
        Matcher::deserialize(d)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Matcher, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Matcher::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Matcher, A::Error> {
        let mut entries: Vec<(String, Matcher)> = Vec::new();
        let mut operator: Option<(String, Matcher)> = None;
        while let Some(key) = map.next_key::<String>()? {
            if let Some((op, _)) = &operator {
                return Err(beside(op, &key));
            }
            if entries.iter().any(|(k, _)| *k == key) {
                return Err(de::Error::custom(format_args!("duplicate key '{key}'")));
            }
            if !OPERATORS.contains(&key.as_str()) {
                entries.push((key, map.next_value()?));
                continue;
            }
            if let Some((other, _)) = entries.first() {
                return Err(beside(&key, other));
            }
            let matcher = match key.as_str() {
                "equals" => Matcher::Equals(map.next_value::<Value>()?),
                op => apply(op, map.next_value()?).map_err(de::Error::custom)?,
            };
            operator = Some((key, matcher));
        }
        Ok(operator.map_or(Matcher::Map(entries), |(_, matcher)| matcher))
    }
}

fn beside<E: de::Error>(op: &str, other: &str) -> E {
    E::custom(format_args!(
        "'{op}' is a matcher and must be the only key of its map; '{other}' stands beside it"
    ))
}

/// Applies an operator to its operand.
fn apply(op: &str, operand: Matcher) -> Result<Matcher, String> {
    let several = |operand| match operand {
        Matcher::List(list) => list,
        one => vec![one],
    };
    match (op, operand) {
        ("contains", operand) => Ok(Matcher::Contains(several(operand))),
        ("excludes", operand) => Ok(Matcher::Excludes(several(operand))),
        ("one_of", Matcher::List(list)) if !list.is_empty() => Ok(Matcher::OneOf(list)),
        ("one_of", _) => Err("'one_of' takes a list of at least one value".into()),
        ("matches", Matcher::Literal(Value::String(pattern))) => {
            // A pattern with a template in it can be checked only once it is rendered.
            if !pattern.contains("{{") {
                regex::Regex::new(&pattern).map_err(|e| format!("'matches': {e}"))?;
            }
            Ok(Matcher::Matches(pattern))
        }
        ("matches", _) => Err("'matches' takes a regular expression as a string".into()),
        ("any", Matcher::Literal(Value::String(name))) => match name.as_str() {
            "string" => Ok(Matcher::Any(Type::String)),
            "number" => Ok(Matcher::Any(Type::Number)),
            "boolean" => Ok(Matcher::Any(Type::Boolean)),
            "list" => Ok(Matcher::Any(Type::List)),
            "map" => Ok(Matcher::Any(Type::Map)),
            "value" => Ok(Matcher::Any(Type::Value)),
            other => Err(format!(
                "'any' takes string, number, boolean, list, map or value, not '{other}'"
            )),
        },
        ("any", _) => Err("'any' takes the name of a type".into()),
        ("absent", Matcher::Literal(Value::Bool(true))) => Ok(Matcher::Absent),
        ("absent", Matcher::Literal(Value::Bool(false))) => Ok(Matcher::Any(Type::Value)),
        ("absent", _) => Err("'absent' takes true or false".into()),
        _ => Err(format!("unknown matcher '{op}'")),
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A literal, a list, a partial map, or one operator: equals, contains, excludes, matches, any, one_of, absent"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Matcher, String> {
        serde_saphyr::from_str(yaml).map_err(|e| e.to_string())
    }

    #[test]
    fn an_operator_alone_is_a_matcher() {
        let text = |s: &str| Matcher::Literal(s.into());
        assert_eq!(read("{ contains: a }").unwrap(), Matcher::Contains(vec![text("a")]));
        assert_eq!(read("{ matches: '^a$' }").unwrap(), Matcher::Matches("^a$".into()));
        assert_eq!(read("{ any: string }").unwrap(), Matcher::Any(Type::String));
        assert_eq!(read("{ absent: true }").unwrap(), Matcher::Absent);
        assert_eq!(
            read("{ equals: { a: 1 } }").unwrap(),
            Matcher::Equals(serde_json::json!({"a": 1}))
        );
        assert_eq!(
            read("{ status: 200 }").unwrap(),
            Matcher::Map(vec![("status".into(), Matcher::Literal(200.into()))])
        );
    }

    #[test]
    fn an_operator_beside_another_key_is_refused_and_named() {
        for yaml in [
            "{ contains: a, status: 1 }",
            "{ status: 1, contains: a }",
            "{ contains: a, excludes: b }",
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains("must be the only key"), "{error}");
        }
    }

    #[test]
    fn wrong_operands_are_refused() {
        for (yaml, says) in [
            ("{ matches: '(' }", "matches"),
            ("{ matches: 3 }", "regular expression"),
            ("{ any: text }", "not 'text'"),
            ("{ one_of: [] }", "at least one"),
            ("{ absent: maybe }", "true or false"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }
}
