//! Converts between plain JSON and DynamoDB's JSON.
//!
//! Scenarios, fixtures and checks use plain JSON (`"x"`), the engine uses DynamoDB's
//! (`{"S": "x"}`). A plain array becomes a list; sets become arrays and binary becomes base64.

use std::collections::HashSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value, json};

use super::number;

/// Most lists and maps inside each other: the values in the innermost one are at level 32.
const MAX_DEPTH: usize = 31;
/// A number with more significant digits may not survive a `f64`.
const EXACT_DIGITS: usize = 15;

/// A plain value in DynamoDB's format: `"x"` becomes `{"S": "x"}`.
pub(crate) fn to_attribute_value(plain: &Value) -> Value {
    match plain {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => {
            json!({ "L": list.iter().map(to_attribute_value).collect::<Vec<_>>() })
        }
        Value::Object(map) => json!({ "M": to_item(map) }),
    }
}

/// A plain row as an item.
pub(crate) fn to_item(plain: &Map<String, Value>) -> Map<String, Value> {
    plain.iter().map(|(name, value)| (name.clone(), to_attribute_value(value))).collect()
}

/// A value in DynamoDB's format as a plain one. Any other value is returned unchanged.
pub(crate) fn to_plain(typed: &Value) -> Value {
    let Some((kind, value)) = only_entry(typed) else { return typed.clone() };
    match (kind, value) {
        ("N", Value::String(digits)) => number(digits),
        ("NULL", _) => Value::Null,
        ("NS", Value::Array(set)) => {
            set.iter().map(|n| n.as_str().map_or_else(|| n.clone(), number)).collect()
        }
        ("L", Value::Array(list)) => list.iter().map(to_plain).collect(),
        ("M", Value::Object(map)) => Value::Object(to_row(map)),
        ("S" | "B" | "BOOL" | "SS" | "BS", value) => value.clone(),
        _ => typed.clone(),
    }
}

/// An item as a plain row. Attributes are sorted by name, because engines promise no order.
pub(crate) fn to_row(item: &Map<String, Value>) -> Map<String, Value> {
    let mut row: Map<String, Value> =
        item.iter().map(|(name, value)| (name.clone(), to_plain(value))).collect();
    row.sort_keys();
    row
}

/// Whether a value is in DynamoDB's format and DynamoDB accepts it: `{"S": "x"}`.
pub(crate) fn is_attribute_value(value: &Value) -> bool {
    is_attribute_value_within(value, MAX_DEPTH)
}

fn is_attribute_value_within(value: &Value, depth: usize) -> bool {
    let Some((kind, value)) = only_entry(value) else { return false };
    let text = Value::as_str;
    let is_number = |v: &Value| text(v).is_some_and(|text| number::Number::parse(text).is_some());
    let is_binary = |v: &Value| text(v).is_some_and(|text| STANDARD.decode(text).is_ok());
    match (kind, value) {
        ("S", value) => value.is_string(),
        ("B", value) => is_binary(value),
        ("N", value) => is_number(value),
        ("BOOL", value) => value.is_boolean(),
        ("NULL", value) => *value == Value::Bool(true),
        ("SS", Value::Array(set)) => is_set(set, text),
        ("BS", Value::Array(set)) => set.iter().all(is_binary) && is_set(set, text),
        ("NS", Value::Array(set)) => is_set(set, |v| number::Number::parse(text(v)?)),
        ("L", Value::Array(_)) | ("M", Value::Object(_)) if depth == 0 => false,
        ("L", Value::Array(list)) => list.iter().all(|v| is_attribute_value_within(v, depth - 1)),
        ("M", Value::Object(map)) => map.values().all(|v| is_attribute_value_within(v, depth - 1)),
        _ => false,
    }
}

/// Whether a set has members, all of its type and none twice.
fn is_set<'v, T: Eq + std::hash::Hash>(
    set: &'v [Value],
    read: impl Fn(&'v Value) -> Option<T>,
) -> bool {
    let members: Option<HashSet<T>> = set.iter().map(read).collect();
    members.is_some_and(|members| !set.is_empty() && members.len() == set.len())
}

/// Size of an item in bytes by DynamoDB's rules, attribute names included.
pub(crate) fn size_bytes(item: &Map<String, Value>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// A number takes about one byte for two digits; a list or map takes three bytes and one for each
/// entry.
fn value_bytes(value: &Value) -> usize {
    let number = |v: &Value| {
        v.as_str().and_then(number::Number::parse).map_or(0, |number| number.size_bytes())
    };
    // Base64 encodes three bytes as four characters; `=` at the end pads the last group.
    let binary = |v: &Value| {
        let text = v.as_str().unwrap_or_default();
        text.trim_end_matches('=').len() * 3 / 4
    };
    match only_entry(value) {
        Some(("S", Value::String(text))) => text.len(),
        Some(("N", value)) => number(value),
        Some(("B", value)) => binary(value),
        Some(("SS", Value::Array(set))) => set.iter().map(|v| v.as_str().map_or(0, str::len)).sum(),
        Some(("NS", Value::Array(set))) => set.iter().map(number).sum(),
        Some(("BS", Value::Array(set))) => set.iter().map(binary).sum(),
        Some(("L", Value::Array(list))) => {
            3 + list.iter().map(|v| 1 + value_bytes(v)).sum::<usize>()
        }
        Some(("M", Value::Object(map))) => 3 + map.len() + size_bytes(map),
        _ => 1,
    }
}

/// Whether every number in a plain value is exact: a float with more than 15 significant digits may
/// differ from what was written.
pub(crate) fn is_exact(plain: &Value) -> bool {
    match plain {
        Value::Number(number) => {
            number.is_i64()
                || number.is_u64()
                || significant_digits(&number.to_string()) <= EXACT_DIGITS
        }
        Value::Array(list) => list.iter().all(is_exact),
        Value::Object(map) => map.values().all(is_exact),
        _ => true,
    }
}

/// A number as a JSON number, or as a string of digits if JSON cannot hold it exactly.
fn number(digits: &str) -> Value {
    if let Ok(integer) = digits.parse::<i64>() {
        return integer.into();
    }
    if let Ok(integer) = digits.parse::<u64>() {
        return integer.into();
    }
    let exact = significant_digits(digits) <= EXACT_DIGITS;
    match digits.parse::<f64>().ok().filter(|_| exact).and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => digits.into(),
    }
}

fn significant_digits(number: &str) -> usize {
    let mantissa = number.split(['e', 'E']).next().unwrap_or(number);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').trim_end_matches('0').len()
}

fn only_entry(value: &Value) -> Option<(&str, &Value)> {
    let mut entries = value.as_object()?.iter();
    let (kind, value) = entries.next()?;
    entries.next().is_none().then_some((kind.as_str(), value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_their_decimals_and_sets_become_arrays() {
        let item = json!({
            "price": { "N": "79.90" }, "cents": { "N": "7990" }, "big": { "N": "18446744073709551615" },
            "tags": { "SS": ["a", "b"] }, "sizes": { "NS": ["1", "2.5"] }, "blob": { "B": "AQI=" },
            "none": { "NULL": true }, "deep": { "M": { "list": { "L": [{ "BOOL": true }] } } },
        });
        let row = to_row(item.as_object().unwrap());
        assert_eq!(
            Value::Object(row),
            json!({
                "price": 79.9, "cents": 7990, "big": 18_446_744_073_709_551_615_u64,
                "tags": ["a", "b"], "sizes": [1, 2.5], "blob": "AQI=",
                "none": null, "deep": { "list": [true] },
            })
        );
    }

    #[test]
    fn digits_beyond_a_float_are_not_lost() {
        let long = "3.14159265358979323846264338327950288";
        assert_eq!(to_plain(&json!({ "N": long })), json!(long));
        assert_eq!(to_plain(&json!({ "N": "1E+20" })), json!(1e20));
    }

    #[test]
    fn only_what_dynamodb_accepts_is_an_attribute_value() {
        let mut deep = json!({ "S": "x" });
        for _ in 0..MAX_DEPTH {
            deep = json!({ "L": [deep] });
        }
        for value in [
            json!({ "N": "1E-130" }),
            json!({ "B": "AQI=" }),
            json!({ "NS": ["1", "2"] }),
            json!({ "SS": [""] }),
            deep.clone(),
        ] {
            assert!(is_attribute_value(&value), "{value}");
        }
        for value in [
            json!({ "N": "NaN" }),
            json!({ "N": "inf" }),
            json!({ "N": "1e999" }),
            json!({ "N": 1 }),
            json!({ "B": "!!" }),
            json!({ "SS": ["a", "a"] }),
            json!({ "NS": ["1", "1.0"] }),
            json!({ "BS": ["AQI=", "AQI="] }),
            json!({ "SS": [] }),
            json!({ "X": "a" }),
            json!({ "L": [deep] }),
        ] {
            assert!(!is_attribute_value(&value), "{value}");
        }
    }

    #[test]
    fn sizes_are_those_of_the_stored_bytes() {
        let size = |value: Value| size_bytes(json!({ "a": value }).as_object().unwrap()) - 1;
        assert_eq!(size(json!({ "B": "AQIDBA==" })), 4);
        assert_eq!(size(json!({ "N": "1234567890123456789012345678901234567" })), 20);
        assert_eq!(size(json!({ "M": { "k": { "S": "ab" } } })), 3 + 1 + 1 + 2);
    }

    #[test]
    fn floats_with_too_many_digits_are_inexact() {
        for exact in [json!(1), json!(79.9), json!(u64::MAX), json!(1e20), json!({ "a": [0.1] })] {
            assert!(is_exact(&exact), "{exact}");
        }
        for text in ["9007199254740993.5", "12345678901234567890123456789", "0.30000000000000004"] {
            assert!(!is_exact(&serde_json::from_str(text).unwrap()), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-zN]{1,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn plain_json_survives_a_round_trip(value in any_json()) {
            prop_assert_eq!(to_plain(&to_attribute_value(&value)), value);
        }
    }
}
