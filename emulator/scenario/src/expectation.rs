//! What must hold after a step: `expect:` and `always:`.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{dispatch, reply::Replies};
use rehearse_core::matcher::Matcher;

/// Expectations of tables, texts, calls and cost, all since the scenario's start.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// By logical id.
    #[serde(default)]
    pub tables: BTreeMap<String, Table>,
    /// All texts sent since the start.
    #[serde(default)]
    pub sms: Option<Replies>,
    /// How often each exchange happened, by its name in the journal: `openai.responses: 2`.
    #[serde(default)]
    pub calls: BTreeMap<String, Count>,
    /// The cost of the scenario so far.
    #[serde(default)]
    pub cost: Cost,
}

/// What a conversation costs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Segments of all texts sent by the shop; Twilio's own notices are free.
    #[serde(default)]
    pub segments: Option<Count>,
    /// Requests to the model.
    #[serde(default)]
    pub model_calls: Option<Count>,
}

/// The rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    /// `unchanged`: no row is new, changed or deleted since the start.
    Unchanged,
    /// A list: exactly the rows that are new or changed since the start, in any order.
    Changed(Vec<Matcher>),
    /// `{ where, count, rows }`: the whole table.
    Whole(WholeTable),
}

/// An expectation on the whole table.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WholeTable {
    /// Which rows; all when left out.
    #[serde(rename = "where", default)]
    pub filter: Option<Matcher>,
    /// How many rows there are.
    #[serde(default)]
    pub count: Option<Count>,
    /// Exactly these rows, in any order.
    #[serde(default)]
    pub rows: Option<Vec<Matcher>>,
}

/// A number, or its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    at_least: u64,
    at_most: u64,
}

impl Count {
    /// Whether a number is within the bounds.
    pub fn allows(self, number: u64) -> bool {
        (self.at_least..=self.at_most).contains(&number)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (least, most) if least == most => write!(f, "{least}"),
            (0, most) => write!(f, "at most {most}"),
            (least, u64::MAX) => write!(f, "at least {least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Bounds {
            at_least: Option<u64>,
            at_most: Option<u64>,
        }

        struct CountVisitor;

        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number, or { at_least, at_most }")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
                Ok(Count { at_least: number, at_most: number })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Count, A::Error> {
                let bounds = Bounds::deserialize(MapAccessDeserializer::new(map))?;
                let (at_least, at_most) = (bounds.at_least, bounds.at_most);
                if at_least.is_none() && at_most.is_none() {
                    return Err(de::Error::custom("say at_least, at_most or both"));
                }
                let (at_least, at_most) = (at_least.unwrap_or(0), at_most.unwrap_or(u64::MAX));
                if at_least > at_most {
                    return Err(de::Error::custom("at_least is more than at_most"));
                }
                Ok(Count { at_least, at_most })
            }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor;

        impl<'de> Visitor<'de> for TableVisitor {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("unchanged, a list of rows, or { where, count, rows }")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Table, E> {
                match word {
                    "unchanged" => Ok(Table::Unchanged),
                    other => Err(E::unknown_variant(other, &["unchanged"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Table, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = seq.next_element()? {
                    rows.push(row);
                }
                Ok(Table::Changed(rows))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("say where, count or rows"));
                };
                let whole: WholeTable = dispatch::map_from(key, map)?;
                if whole.count.is_none() && whole.rows.is_none() {
                    return Err(de::Error::custom("'where' needs 'count' or 'rows' beside it"));
                }
                Ok(Table::Whole(whole))
            }
        }

        deserializer.deserialize_any(TableVisitor)
    }
}

impl JsonSchema for Count {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = serde_json::json!({ "type": "integer", "minimum": 0 });
        json_schema!({
            "description": "A number, or { at_least, at_most }",
            "type": ["integer", "object"],
            "minimum": 0,
            "properties": { "at_least": number, "at_most": number },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

impl JsonSchema for Table {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Table".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let row = generator.subschema_for::<Matcher>();
        let whole = generator.subschema_for::<WholeTable>();
        json_schema!({
            "description": "unchanged; a list: exactly the rows that are new or changed; { where, count, rows }: the whole table",
            "if": { "type": "array" },
            "then": { "items": row },
            "else": { "if": { "type": "string" }, "then": { "const": "unchanged" }, "else": whole },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(yaml: &str) -> Result<T, String> {
        serde_saphyr::from_str(yaml).map_err(|e| e.to_string())
    }

    #[test]
    fn every_form_of_a_table() {
        assert_eq!(read("unchanged"), Ok(Table::Unchanged));
        assert_eq!(read("[]"), Ok(Table::Changed(vec![])));
        assert!(matches!(read("[{ a: 1 }]"), Ok(Table::Changed(rows)) if rows.len() == 1));
        let whole: Table = read("{ where: { a: 1 }, count: 0 }").unwrap();
        assert!(matches!(whole, Table::Whole(w) if w.filter.is_some() && w.rows.is_none()));
    }

    #[test]
    fn wrong_forms_are_named() {
        for (yaml, says) in [
            ("same", "unchanged"),
            ("{ were: {} }", "expected one of where, count, rows"),
            ("{ where: { a: 1 } }", "needs 'count' or 'rows'"),
            ("{ count: -1 }", "whole number"),
            ("{ count: { at_least: 3, at_most: 2 } }", "more than"),
            ("{ count: {} }", "at_least, at_most"),
        ] {
            let error = read::<Table>(yaml).unwrap_err();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }

    #[test]
    fn counts_have_bounds_and_a_name() {
        for (yaml, allowed, name) in [
            ("2", vec![2], "2"),
            ("{ at_most: 1 }", vec![0, 1], "at most 1"),
            ("{ at_least: 3 }", vec![3, 4], "at least 3"),
            ("{ at_least: 1, at_most: 2 }", vec![1, 2], "1 to 2"),
        ] {
            let count: Count = read(yaml).unwrap();
            let found: Vec<u64> = (0..5).filter(|n| count.allows(*n)).collect();
            assert_eq!((found, count.to_string().as_str()), (allowed, name));
        }
    }
}
