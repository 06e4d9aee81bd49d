//! A plain row against its table: what DynamoDB would refuse, said before it is asked.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{
    item,
    number::Number,
    table::{Attribute, AttributeKind, TableSpec},
};

/// DynamoDB's limit for an item, names included.
pub const MAX_ITEM_BYTES: usize = 400 * 1024;

/// And for the parts of a primary key.
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
    #[error("attribute `{attribute}` of a row of {table} is not such as {{\"S\": \"text\"}}")]
    NotTyped {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// A part of the primary key is missing.
    #[error("a row of {table} needs its key attribute `{attribute}` ({kind})")]
    MissingKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// The type that it must have.
        kind: AttributeKind,
    },
    /// A key attribute of the wrong type.
    #[error("key attribute `{attribute}` of {table} must be {kind}, not {found}")]
    WrongKind {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// The type that it must have.
        kind: AttributeKind,
        /// What stands there.
        found: String,
    },
    /// A key attribute must hold something.
    #[error("key attribute `{attribute}` of {table} must not be empty")]
    EmptyKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// A key attribute that is longer than DynamoDB takes.
    #[error("key attribute `{attribute}` of {table} has {bytes} bytes; DynamoDB takes {most}")]
    LongKey {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
        /// Its size.
        bytes: usize,
        /// The most that it may be.
        most: usize,
    },
    /// A number that would not be stored as it is written.
    #[error(
        "attribute `{attribute}` of a row of {table} has a number of more digits than can be kept here; `rehearse db load` keeps all 38"
    )]
    Inexact {
        /// Logical id of the table.
        table: String,
        /// The attribute.
        attribute: String,
    },
    /// More than DynamoDB stores in one item.
    #[error("a row of {table} has {bytes} bytes; DynamoDB stores at most {MAX_ITEM_BYTES}")]
    TooLarge {
        /// Logical id of the table.
        table: String,
        /// Its size by DynamoDB's rules.
        bytes: usize,
    },
}

impl RowError {
    /// The attribute that is wrong, when one stands there.
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
/// The first thing that DynamoDB would refuse.
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
    // An index key may be absent, but what is there must have its type.
    for attribute in table.key_attributes() {
        if let Some(value) = row.get(&attribute.name) {
            check_key(table, attribute, value)?;
        }
    }
    if let Some((attribute, _)) = row.iter().find(|(_, value)| !item::is_exact(value)) {
        return Err(RowError::Inexact { table: id(), attribute: attribute.clone() });
    }
    check_size(table, &item::typed_map(row))
}

/// Checks an item in DynamoDB's own format against its table.
///
/// # Errors
/// The first thing that DynamoDB would refuse.
pub fn check_item(table: &TableSpec, item: &Map<String, Value>) -> Result<(), RowError> {
    let id = || table.id.clone();
    for (name, value) in item {
        if !item::is_typed(value) {
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

fn check_size(table: &TableSpec, item: &Map<String, Value>) -> Result<(), RowError> {
    let range = table.key.range.as_ref().map(|range| &range.name);
    for key in table.key.attributes() {
        let most = if range == Some(&key.name) { MAX_RANGE_BYTES } else { MAX_HASH_BYTES };
        let value = item.get(&key.name).cloned().unwrap_or_default();
        let bytes = item::bytes(&Map::from_iter([(String::new(), value)]));
        if bytes > most {
            let (table, attribute) = (table.id.clone(), key.name.clone());
            return Err(RowError::LongKey { table, attribute, bytes, most });
        }
    }
    let bytes = item::bytes(item);
    if bytes > MAX_ITEM_BYTES {
        return Err(RowError::TooLarge { table: table.id.clone(), bytes });
    }
    Ok(())
}

/// A plain row's primary key as text, to tell rows apart and to order them.
pub fn key_text(table: &TableSpec, row: &Value) -> Vec<String> {
    let part = |a: &Attribute| match row.get(&a.name) {
        // 1 and 1.0 are one key.
        Some(Value::Number(number)) => number_text(&number.to_string()),
        value => value.map_or_else(String::new, Value::to_string),
    };
    table.key.attributes().map(part).collect()
}

/// The same of an item.
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
