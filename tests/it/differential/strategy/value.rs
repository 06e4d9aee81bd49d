//! Rows, keys and values, few enough to meet each other.

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// A table, rarely one that is not there.
pub fn table() -> impl Strategy<Value = &'static str> {
    prop_oneof![12 => Just("Pairs"), 6 => Just("Counted"), 1 => Just("Nowhere")]
}

fn text(values: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    select(values.to_vec()).prop_map(|text| json!({ "S": text }))
}

fn number(values: &[&'static str]) -> impl Strategy<Value = Value> + use<> {
    select(values.to_vec()).prop_map(|number| json!({ "N": number }))
}

/// A key of a table.
pub fn key(table: &str) -> BoxedStrategy<Map<String, Value>> {
    if table == "Counted" {
        (text(&["x", "y"]), number(&["1", "2", "-3", "1.5"]))
            .prop_map(|(id, n)| [("id".to_owned(), id), ("n".to_owned(), n)].into_iter().collect())
            .boxed()
    } else {
        (text(&["p", "q", "é✓"]), text(&["a", "b", "turn#1", "turn#2"]))
            .prop_map(|(pk, sk)| {
                [("pk".to_owned(), pk), ("sk".to_owned(), sk)].into_iter().collect()
            })
            .boxed()
    }
}

/// A key that is now and then none.
pub fn odd_key(table: &str) -> BoxedStrategy<Map<String, Value>> {
    let odd = |change: fn(&mut Map<String, Value>)| {
        key(table).prop_map(move |mut key| {
            change(&mut key);
            key
        })
    };
    prop_oneof![
        30 => key(table),
        1 => odd(|key| drop(key.remove("sk"))),
        1 => odd(|key| drop(key.insert("extra".into(), json!({ "S": "e" })))),
        1 => odd(|key| drop(key.insert("pk".into(), json!({ "N": "1" })))),
        1 => odd(|key| drop(key.insert("pk".into(), json!({ "S": "" })))),
        1 => odd(|key| drop(key.insert("n".into(), json!({ "S": "1" })))),
    ]
    .boxed()
}

/// An item of a table: its key and some attributes.
pub fn item(table: &str) -> BoxedStrategy<Map<String, Value>> {
    let attributes = prop::collection::vec(attribute(), 0..5);
    (odd_key(table), attributes)
        .prop_map(|(mut item, attributes)| {
            for (name, value) in attributes {
                item.insert(name.into(), value);
            }
            item
        })
        .boxed()
}

/// A name and a value that may stand there; the index's keys have their type, nearly always.
fn attribute() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        4 => value().prop_map(|value| ("a", value)),
        2 => value().prop_map(|value| ("b", value)),
        2 => number(&["0", "1", "41"]).prop_map(|value| ("v", value)),
        3 => text(&["slot", "lead"]).prop_map(|value| ("kind", value)),
        3 => number(&["1", "2", "10"]).prop_map(|value| ("at", value)),
        1 => value().prop_map(|value| ("kind", value)),
        2 => prop::collection::vec(entry(), 0..3).prop_map(|list| ("list", json!({ "L": list }))),
        2 => entry().prop_map(|entry| ("m", entry)),
        1 => text(&["h1", "h2"]).prop_map(|value| ("holder", value)),
        1 => set().prop_map(|value| ("set", value)),
        1 => text(&["booked", ""]).prop_map(|value| ("status", value)),
    ]
}

/// An entry of a queue.
pub fn entry() -> impl Strategy<Value = Value> {
    (select(vec!["SM1", "SM2"]), select(vec!["10", "20"])).prop_map(
        |(sid, until)| json!({ "M": { "sid": { "S": sid }, "until_ms": { "N": until } } }),
    )
}

fn set() -> impl Strategy<Value = Value> {
    select(vec![json!({ "SS": ["a", "b"] }), json!({ "SS": ["b"] }), json!({ "SS": ["c", "é"] })])
}

/// Any value, rarely one that DynamoDB refuses.
pub fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => text(&["", "a", "b", "é✓", "2:00 PM", "a longer text"]),
        8 => number(&["0", "1", "-1", "2", "1.0", "0.10", "007", "-0", "1e3", "1.5E-3",
            "12345678901234567890123456789012345678", "1E-130", "9.9E+125"]),
        2 => any::<bool>().prop_map(|flag| json!({ "BOOL": flag })),
        1 => Just(json!({ "NULL": true })),
        2 => select(vec![json!({ "B": "AQI=" }), json!({ "B": "" })]),
        2 => set(),
        1 => select(vec![json!({ "NS": ["1", "2.0"] }), json!({ "BS": ["AQI="] })]),
        2 => prop::collection::vec(entry(), 0..2).prop_map(|list| json!({ "L": list })),
        2 => Just(json!({ "M": { "x": { "N": "1" }, "y": { "L": [{ "S": "" }, { "NULL": true }] } } })),
        1 => odd_value(),
    ]
}

fn odd_value() -> impl Strategy<Value = Value> {
    select(vec![
        json!({ "N": "" }),
        json!({ "N": "abc" }),
        json!({ "N": "1e126" }),
        json!({ "N": "1e-131" }),
        json!({ "N": "123456789012345678901234567890123456789" }),
        json!({ "SS": [] }),
        json!({ "SS": ["a", "a"] }),
        json!({ "NS": ["1", "1.0"] }),
        json!({ "S": "a", "N": "1" }),
        json!({}),
    ])
}
