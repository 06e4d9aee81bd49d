//! Plain JSON to DynamoDB's JSON and back.
//!
//! Scenarios, fixtures and checks speak plain JSON. Going there, an array
//! becomes a list; coming back, sets are arrays and binary is base64.

use serde_json::{Map, Number, Value, json};

/// More digits than these may not survive a `f64`.
const EXACT_DIGITS: usize = 15;

/// A plain value as DynamoDB's: `"x"` as `{"S": "x"}`.
pub fn typed(plain: &Value) -> Value {
    match plain {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(flag) => json!({ "BOOL": flag }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
        Value::Object(map) => json!({ "M": typed_map(map) }),
    }
}

/// A plain row as an item.
pub fn typed_map(plain: &Map<String, Value>) -> Map<String, Value> {
    plain.iter().map(|(name, value)| (name.clone(), typed(value))).collect()
}

/// DynamoDB's value as a plain one. What is not DynamoDB's stays as it is.
pub fn plain(typed: &Value) -> Value {
    let Some((kind, value)) = only_entry(typed) else { return typed.clone() };
    match (kind, value) {
        ("N", Value::String(digits)) => number(digits),
        ("NULL", _) => Value::Null,
        ("NS", Value::Array(set)) => {
            set.iter().map(|n| n.as_str().map_or_else(|| n.clone(), number)).collect()
        }
        ("L", Value::Array(list)) => list.iter().map(plain).collect(),
        ("M", Value::Object(map)) => Value::Object(plain_map(map)),
        ("S" | "B" | "BOOL" | "SS" | "BS", value) => value.clone(),
        _ => typed.clone(),
    }
}

/// An item as a plain row, attributes by name: no engine promises an order.
pub fn plain_map(item: &Map<String, Value>) -> Map<String, Value> {
    let mut row: Map<String, Value> =
        item.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    row.sort_keys();
    row
}

/// Whether a value is one of DynamoDB's: `{"S": "x"}`.
pub fn is_typed(value: &Value) -> bool {
    let Some((kind, value)) = only_entry(value) else { return false };
    let digits = |v: &Value| v.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    match (kind, value) {
        ("S" | "B", value) => value.is_string(),
        ("N", value) => digits(value),
        ("BOOL", value) => value.is_boolean(),
        ("NULL", value) => *value == Value::Bool(true),
        ("SS" | "BS", Value::Array(set)) => !set.is_empty() && set.iter().all(Value::is_string),
        ("NS", Value::Array(set)) => !set.is_empty() && set.iter().all(digits),
        ("L", Value::Array(list)) => list.iter().all(is_typed),
        ("M", Value::Object(map)) => map.values().all(is_typed),
        _ => false,
    }
}

/// A number as JSON can hold it exactly; with more digits than that, its digits as a string.
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
        let row = plain_map(item.as_object().unwrap());
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
        assert_eq!(plain(&json!({ "N": long })), json!(long));
        assert_eq!(plain(&json!({ "N": "1E+20" })), json!(1e20));
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
        fn plain_json_survives_the_way_there_and_back(value in any_json()) {
            prop_assert_eq!(plain(&typed(&value)), value);
        }
    }
}
