//! Checks rows against their table before the engine sees them, and orders them by key.

use std::cmp::Ordering;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    item,
    number::Number,
    table::{Attribute, AttributeKind, TableSpec},
};

/// DynamoDB's limit for the size of an item, attribute names included.
pub const MAX_ITEM_BYTES: usize = 400 * 1024;
/// DynamoDB's limits for the two parts of a primary key.
const MAX_HASH_BYTES: usize = 2048;
const MAX_RANGE_BYTES: usize = 1024;

/// Why a row does not fit its table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not a map.
    #[error("a row of {table} must be a map of attributes")]
    NotAMap {
        /// Logical id of the table.
        table: String,
    },
    /// An attribute of an item is not in DynamoDB's own format.
    #[error(
        "attribute `{attribute}` of a row of {table} must be written with its type, such as {{\"S\": \"text\"}}"
    )]
    NotTyped {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// A primary key attribute is missing.
    #[error("a row of {table} needs its key attribute `{attribute}` ({kind})")]
    MissingKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// The type that it must have.
        kind: AttributeKind,
    },
    /// A key attribute has the wrong type.
    #[error("key attribute `{attribute}` of {table} must be {kind}, not {found}")]
    WrongKind {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// The type that it must have.
        kind: AttributeKind,
        /// The value that it has instead.
        found: String,
    },
    /// A key attribute is empty.
    #[error("key attribute `{attribute}` of {table} must not be empty")]
    EmptyKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// A key attribute is longer than DynamoDB accepts.
    #[error("key attribute `{attribute}` of {table} has {bytes} bytes; DynamoDB takes {most}")]
    LongKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        most: usize,
    },
    /// A number has more digits than a float can keep.
    #[error(
        "attribute `{attribute}` of a row of {table} has a number of more digits than can be kept here; `rehearse db load` keeps all 38"
    )]
    Inexact {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// The row is larger than DynamoDB accepts.
    #[error("a row of {table} has {bytes} bytes; DynamoDB stores at most {MAX_ITEM_BYTES}")]
    TooLarge {
        /// Logical id of the table.
        table: String,
        /// Its size in bytes by DynamoDB's rules.
        bytes: usize,
    },
}

impl RowError {
    /// The attribute that is wrong, if the row has it.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::WrongKind { attribute, .. }
            | Self::EmptyKey { attribute, .. }
            | Self::LongKey { attribute, .. }
            | Self::Inexact { attribute, .. } => Some(attribute),
            _ => None,
        }
    }
}

/// Checks a plain row against its table.
///
/// # Errors
/// The first reason for which DynamoDB would refuse the row: not a map, a missing key attribute, a
/// key attribute of the wrong type, empty or too long, an inexact number, too many bytes.
pub fn check(table: &TableSpec, row: &Value) -> Result<(), RowError> {
    let id = || table.id.clone();
    let row = row.as_object().ok_or_else(|| RowError::NotAMap { table: id() })?;
    for attribute in table.key.attributes() {
        let value = row.get(&attribute.name).ok_or_else(|| RowError::MissingKey {
            table: id(),
            attribute: attribute.name.clone(),
            kind: attribute.kind,
        })?;
        check_key(table, attribute, value)?;
    }
    // An index key attribute may be absent, but must have the right type if present.
    for attribute in table.key_attributes() {
        if let Some(value) = row.get(&attribute.name) {
            check_key(table, attribute, value)?;
        }
    }
    if let Some((attribute, _)) = row.iter().find(|(_, value)| !item::is_exact(value)) {
        return Err(RowError::Inexact { table: id(), attribute: attribute.clone() });
    }
    check_size(table, &item::to_item(row))
}

/// Checks an item in DynamoDB's own format against its table.
///
/// # Errors
/// The first reason for which DynamoDB would refuse the item: an attribute that is not in its
/// format, a missing, empty, too long or wrongly typed key attribute, too many bytes.
pub(super) fn check_item(table: &TableSpec, item: &Map<String, Value>) -> Result<(), RowError> {
    let id = || table.id.clone();
    for (name, value) in item {
        if !item::is_attribute_value(value) {
            return Err(RowError::NotTyped { table: id(), attribute: name.clone() });
        }
    }
    for attribute in table.key_attributes() {
        let primary = table.key.attributes().any(|key| key.name == attribute.name);
        match item.get(&attribute.name) {
            None if primary => {
                let (attribute, kind) = (attribute.name.clone(), attribute.kind);
                return Err(RowError::MissingKey { table: id(), attribute, kind });
            }
            None => {}
            Some(value) => match value.get(attribute.kind.letter()).and_then(Value::as_str) {
                Some("") => {
                    let attribute = attribute.name.clone();
                    return Err(RowError::EmptyKey { table: id(), attribute });
                }
                Some(_) => {}
                None => {
                    return Err(RowError::WrongKind {
                        table: id(),
                        attribute: attribute.name.clone(),
                        kind: attribute.kind,
                        found: value.to_string(),
                    });
                }
            },
        }
    }
    check_size(table, item)
}

/// An item in DynamoDB's own format as a plain row: key attributes first, the others sorted by name.
pub fn from_item(table: &TableSpec, item: Map<String, Value>) -> Value {
    let mut attributes: Vec<(String, Value)> = item.into_iter().collect();
    let place = |name: &str| table.key.attributes().position(|a| a.name == name);
    attributes.sort_by(|(a, _), (b, _)| {
        let rank = |name| place(name).unwrap_or(usize::MAX);
        rank(a).cmp(&rank(b)).then_with(|| a.cmp(b))
    });
    attributes.into_iter().map(|(name, value)| (name, item::to_plain(&value))).collect()
}

/// Orders rows by primary key: numbers by value, everything else as text.
pub(super) fn compare_keys(table: &TableSpec, a: &Value, b: &Value) -> Ordering {
    let orders = table.key.attributes().map(|attribute| {
        let (a, b) = (&a[&attribute.name], &b[&attribute.name]);
        match attribute.kind {
            AttributeKind::Number => {
                let number = |value: &Value| value.as_f64().unwrap_or_default();
                number(a).total_cmp(&number(b))
            }
            AttributeKind::String | AttributeKind::Binary => a.as_str().cmp(&b.as_str()),
        }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}

fn check_size(table: &TableSpec, item: &Map<String, Value>) -> Result<(), RowError> {
    let range = table.key.range.as_ref().map(|range| &range.name);
    for key in table.key.attributes() {
        let most = if range == Some(&key.name) { MAX_RANGE_BYTES } else { MAX_HASH_BYTES };
        let value = item.get(&key.name).cloned().unwrap_or_default();
        let bytes = item::size_bytes(&Map::from_iter([(String::new(), value)]));
        if bytes > most {
            let (table, attribute) = (table.id.clone(), key.name.clone());
            return Err(RowError::LongKey { table, attribute, bytes, most });
        }
    }
    let bytes = item::size_bytes(item);
    if bytes > MAX_ITEM_BYTES {
        return Err(RowError::TooLarge { table: table.id.clone(), bytes });
    }
    Ok(())
}

/// The primary key of a plain row as text: equal keys give equal texts.
pub fn key_text(table: &TableSpec, row: &Value) -> Vec<String> {
    let part = |a: &Attribute| match row.get(&a.name) {
        // 1 and 1.0 are the same key.
        Some(Value::Number(number)) => number_text(&number.to_string()),
        value => value.map_or_else(String::new, Value::to_string),
    };
    table.key.attributes().map(part).collect()
}

/// As [`key_text`], of an item.
pub(super) fn item_key_text(table: &TableSpec, item: &Map<String, Value>) -> Vec<String> {
    let part = |a: &Attribute| {
        let value = item.get(&a.name).and_then(|value| value.get(a.kind.letter()));
        let text = value.and_then(Value::as_str).unwrap_or_default();
        if a.kind == AttributeKind::Number { number_text(text) } else { text.into() }
    };
    table.key.attributes().map(part).collect()
}

fn number_text(text: &str) -> String {
    Number::parse(text).map_or_else(|| text.into(), |number| number.to_string())
}

fn check_key(table: &TableSpec, attribute: &Attribute, value: &Value) -> Result<(), RowError> {
    let fits = match (attribute.kind, value) {
        (AttributeKind::String, Value::String(_)) | (AttributeKind::Number, Value::Number(_)) => {
            true
        }
        (AttributeKind::Binary, Value::String(text)) => STANDARD.decode(text).is_ok(),
        _ => false,
    };
    if !fits {
        return Err(RowError::WrongKind {
            table: table.id.clone(),
            attribute: attribute.name.clone(),
            kind: attribute.kind,
            found: describe(value),
        });
    }
    if value.as_str() == Some("") {
        return Err(RowError::EmptyKey {
            table: table.id.clone(),
            attribute: attribute.name.clone(),
        });
    }
    Ok(())
}

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => format!("the boolean {flag}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the string {text:?}"),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a map".into(),
    }
}
