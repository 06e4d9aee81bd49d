//! Tables and their rows, and fixtures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Response of `GET /tables/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// Logical id of the table.
    pub table: String,
    /// All rows, as plain JSON.
    pub rows: Vec<Value>,
}

/// Response of `GET /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Items {
    /// Logical id of the table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// All rows in DynamoDB's own format, ordered by key.
    pub items: Vec<Map<String, Value>>,
}

/// Body of `PUT /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutItems {
    /// Rows in DynamoDB's own format.
    pub items: Vec<Map<String, Value>>,
    /// Check the rows, and write none.
    #[serde(default)]
    pub check_only: bool,
}

/// Response of `PUT /tables/{id}/items`: the rows that were written or would be.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Logical id of the table.
    pub table: String,
    /// The key of each row, as text that is the same for the same key.
    pub keys: Vec<Vec<String>>,
}

/// Body of `DELETE /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteItems {
    /// Keys in DynamoDB's own format. Attributes that are not of the primary key are ignored, so a
    /// whole row may be given.
    pub keys: Vec<Map<String, Value>>,
}

/// Response of `DELETE /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeletedItems {
    /// Logical id of the table.
    pub table: String,
    /// How many rows there were with these keys.
    pub deleted: usize,
}

/// Response of `GET /tables`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Tables {
    /// The tables of the world.
    pub tables: Vec<TableInfo>,
}

/// A table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TableInfo {
    /// Logical id in the template.
    pub id: String,
    /// Name that the backend uses.
    pub name: String,
    /// Primary key.
    pub key: KeyInfo,
    /// Secondary indexes.
    pub indexes: Vec<IndexInfo>,
    /// Attribute that holds the time of expiry.
    pub ttl: Option<String>,
    /// How many rows it has.
    pub rows: usize,
}

/// The names of a key's attributes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct KeyInfo {
    /// Partition key.
    pub hash: String,
    /// Sort key.
    pub range: Option<String>,
}

/// A secondary index.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct IndexInfo {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: KeyInfo,
    /// Whether it has a partition key of its own.
    pub global: bool,
}

/// Response of `GET /fixtures`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fixtures {
    /// Names of the project's files of rows.
    pub fixtures: Vec<String>,
}

/// Response of `POST /fixtures/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoadedFixture {
    /// Its name.
    pub fixture: String,
    /// How many rows of it each table got, by the table's logical id.
    pub rows: BTreeMap<String, usize>,
}
