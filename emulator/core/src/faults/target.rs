//! Restricting a fault to calls on some table or row.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Restricts a fault to calls on a table, a row or both. The default restricts nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct FaultTarget {
    /// Logical id of a table that the call touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Attributes that one key or item of the call must have, as plain JSON.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub key: Map<String, Value>,
}

/// What faults need to know of a call.
pub struct FaultableCall<'c> {
    /// The exchange's name.
    pub name: &'c str,
    /// Returns the rows that the call reads or writes. Called only when a fault has a target.
    pub touched: &'c (dyn Fn() -> Vec<TouchedRow> + Sync),
    /// Whether it is a read that may return stale rows.
    pub eventually_consistent: bool,
    /// Logical id of the function that makes it, when that is known.
    pub function: Option<&'c str>,
}

/// A table that a call touches, or a row of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchedRow {
    /// Logical id.
    pub table: String,
    /// Attributes of its key or item, as plain JSON; none when the call names no row.
    pub attributes: Map<String, Value>,
}

impl<'c> FaultableCall<'c> {
    /// A call of this name that touches no rows.
    pub fn named(name: &'c str) -> Self {
        Self { name, touched: &Vec::new, eventually_consistent: false, function: None }
    }
}

impl FaultTarget {
    /// Whether the fault applies to a call.
    pub fn matches(&self, call: &FaultableCall<'_>) -> bool {
        if self.table.is_none() && self.key.is_empty() {
            return true;
        }
        (call.touched)().iter().any(|touched| self.matches_row(touched))
    }

    /// Whether the fault applies to a row that a call touches.
    pub fn matches_row(&self, touched: &TouchedRow) -> bool {
        let TouchedRow { table, attributes } = touched;
        self.table.as_ref().is_none_or(|wanted| wanted == table)
            && self.key.iter().all(|(name, wanted)| attributes.get(name) == Some(wanted))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_and_a_key_must_be_of_the_same_row() {
        let touched = || {
            [("Leads", json!({ "id": "a" })), ("Slots", json!({ "id": "b" }))]
                .map(|(table, row)| TouchedRow {
                    table: table.into(),
                    attributes: row.as_object().unwrap().clone(),
                })
                .to_vec()
        };
        let call = FaultableCall {
            touched: &touched,
            ..FaultableCall::named("dynamodb.TransactWriteItems")
        };
        let matches = |table: Option<&str>, key: Value| {
            let key = key.as_object().unwrap().clone();
            FaultTarget { table: table.map(Into::into), key }.matches(&call)
        };
        assert!(matches(None, json!({})));
        assert!(matches(Some("Slots"), json!({ "id": "b" })));
        assert!(matches(None, json!({ "id": "a" })));
        assert!(!matches(Some("Slots"), json!({ "id": "a" })));
        assert!(!matches(Some("Owners"), json!({})));
        assert!(!matches(None, json!({ "id": "a", "at": 1 })));
    }
}
