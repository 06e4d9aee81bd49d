//! Arguments of tool calls: those that scenarios have, and values at the edges of what a schema allows.

use rand::{Rng, seq::IndexedRandom};
use serde_json::{Map, Number, Value, json};

use super::ingredients::Ingredients;

/// Texts at the edges of what programs read: nothing, blanks, dates that do not exist, many characters,
/// other scripts, and what means something elsewhere.
const EDGE_TEXTS: [&str; 14] = [
    "",
    " ",
    "0",
    "-1",
    "null",
    "2026-02-29",
    "2026-13-01",
    "9999-12-31",
    "0001-01-01",
    "25:00",
    "12:00 AM",
    "<b>&amp;</b> \u{202e}",
    "Zoë 修理 🔧",
    "'; DROP TABLE x; --",
];
/// Length of a text that is longer than anybody types.
const LONG: usize = 2_000;

/// Arguments for a call of `tool`. A reference that an earlier result has given is taken up when
/// `references` holds its name.
pub(super) fn arguments(
    random: &mut impl Rng,
    all: &Ingredients,
    tool: &str,
    schema: &Value,
    references: &[String],
) -> Map<String, Value> {
    let seen = all.calls.get(tool).and_then(|seen| seen.choose(random));
    let names: Vec<&String> = match schema["properties"].as_object() {
        Some(properties) => properties.keys().collect(),
        None => seen.into_iter().flat_map(Map::keys).collect(),
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut arguments = Map::new();
    for name in names {
        let schema = &schema["properties"][name];
        let before = seen.and_then(|seen| seen.get(name));
        if !required.contains(&name.as_str()) && (before.is_none() || random.random_ratio(1, 4)) {
            continue;
        }
        let before = before.filter(|value| is_known(value, references));
        let value = match before {
            _ if references.contains(name) && random.random_ratio(3, 4) => {
                // What was to be saved may not have been there.
                json!(format!("{{{{ {name} | default('none') }}}}"))
            }
            Some(value) if random.random_ratio(4, 5) => value.clone(),
            _ => value(random, schema),
        };
        arguments.insert(name.clone(), value);
    }
    arguments
}

/// Whether a value needs nothing that no step has saved.
fn is_known(value: &Value, references: &[String]) -> bool {
    let known = references.iter().cloned().collect();
    super::ingredients::has_only(value, &known)
}

/// A value that the schema allows, mostly at its edges.
fn value(random: &mut impl Rng, schema: &Value) -> Value {
    if let Some(allowed) = schema["enum"].as_array() {
        return allowed.choose(random).cloned().unwrap_or_default();
    }
    for alternatives in ["anyOf", "oneOf"] {
        let chosen = schema[alternatives].as_array().and_then(|all| all.choose(random));
        if let Some(chosen) = chosen {
            return value(random, chosen);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.choose(random).and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("null") => Value::Null,
        Some("boolean") => json!(random.random::<bool>()),
        Some("integer") => {
            let least = schema["minimum"].as_i64().unwrap_or(i64::from(i32::MIN));
            let most = schema["maximum"].as_i64().unwrap_or(i64::from(i32::MAX));
            let edges = [least, least.saturating_add(1), 0, 1, most.saturating_sub(1), most];
            let inside: Vec<i64> =
                edges.into_iter().filter(|edge| (least..=most).contains(edge)).collect();
            json!(inside.choose(random))
        }
        Some("number") => {
            let least = schema["minimum"].as_f64().unwrap_or(-1e9);
            let most = schema["maximum"].as_f64().unwrap_or(1e9);
            let edges = [least, most, f64::midpoint(least, most)];
            Number::from_f64(edges[random.random_range(0..edges.len())]).into()
        }
        Some("array") => {
            let count = random.random_range(0..3);
            (0..count).map(|_| value(random, &schema["items"])).collect()
        }
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, schema)| (name.clone(), value(random, schema))).collect()
        }
        _ if random.random_ratio(1, 8) => json!("x".repeat(LONG)),
        _ => json!(EDGE_TEXTS[random.random_range(0..EDGE_TEXTS.len())]),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_value_is_one_that_the_schema_allows() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let integer =
                value(&mut random, &json!({ "type": "integer", "minimum": 1, "maximum": 3 }));
            assert!((1..=3).contains(&integer.as_i64().unwrap()), "{integer}");
            let one = value(&mut random, &json!({ "type": "string", "enum": ["a", "b"] }));
            assert!(["a", "b"].contains(&one.as_str().unwrap()));
            let maybe = value(&mut random, &json!({ "type": ["string", "null"] }));
            assert!(maybe.is_string() || maybe.is_null());
        }
    }

    #[test]
    fn what_is_required_is_there_and_a_saved_reference_is_taken_up() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let schema = json!({
            "properties": { "id": { "type": "string" }, "note": { "type": "string" } },
            "required": ["id"],
        });
        let none = Ingredients::default();
        let all: Vec<_> = (0..50)
            .map(|_| arguments(&mut random, &none, "cancel", &schema, &["id".to_owned()]))
            .collect();
        assert!(all.iter().all(|arguments| arguments.contains_key("id")));
        let takes_up =
            |arguments: &Map<String, Value>| arguments["id"] == "{{ id | default('none') }}";
        assert!(all.iter().any(takes_up) && !all.iter().all(takes_up));
    }
}
