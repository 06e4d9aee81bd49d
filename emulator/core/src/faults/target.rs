//! Which of the calls with one name a fault strikes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A table, a row or both; nothing is any call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FaultTarget {
    /// Logical id of a table that the call touches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Attributes of a key or an item that the call carries, plain.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub key: Map<String, Value>,
}

/// One call, as far as faults are aimed at it.
pub struct FaultableCall<'c> {
    /// The exchange's name.
    pub name: &'c str,
    /// What it touches; asked for only when a fault is aimed.
    pub touched: &'c (dyn Fn() -> Vec<TouchedRow> + Sync),
    /// Whether it is a read that may be stale.
    pub eventual: bool,
    /// Logical id of the function that makes it, when that is known.
    pub function: Option<&'c str>,
}

/// A table that a call touches, or a row of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TouchedRow {
    /// Logical id.
    pub table: String,
    /// Attributes of its key or item, plain; none when the call names no row.
    pub attributes: Map<String, Value>,
}

impl<'c> FaultableCall<'c> {
    /// A call of which only the name is known.
    pub fn named(name: &'c str) -> Self {
        Self { name, touched: &Vec::new, eventual: false, function: None }
    }
}

impl FaultTarget {
    /// Whether a call is aimed at.
    pub fn takes(&self, call: &FaultableCall<'_>) -> bool {
        if self.table.is_none() && self.key.is_empty() {
            return true;
        }
        (call.touched)().iter().any(|touched| self.hits(touched))
    }

    /// Whether one of the rows that a call touches is aimed at.
    pub fn hits(&self, touched: &TouchedRow) -> bool {
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
        let takes = |table: Option<&str>, key: Value| {
            let key = key.as_object().unwrap().clone();
            FaultTarget { table: table.map(Into::into), key }.takes(&call)
        };
        assert!(takes(None, json!({})));
        assert!(takes(Some("Slots"), json!({ "id": "b" })));
        assert!(takes(None, json!({ "id": "a" })));
        assert!(!takes(Some("Slots"), json!({ "id": "a" })));
        assert!(!takes(Some("Owners"), json!({})));
        assert!(!takes(None, json!({ "id": "a", "at": 1 })));
    }
}
