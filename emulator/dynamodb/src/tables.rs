//! Tables as `CreateTable` describes them, and their names.

use rehearse_core::{
    names,
    table::{Index, Key, Projection, TableSpec},
};
use serde_json::{Value, json};

/// The body of a `CreateTable` request for a table with on-demand billing.
pub(super) fn create_table_request(table: &TableSpec) -> Value {
    let attributes: Value = table
        .key_attributes()
        .into_iter()
        .map(|a| json!({ "AttributeName": a.name, "AttributeType": a.kind.letter() }))
        .collect();
    let mut request = json!({
        "TableName": table.name,
        "KeySchema": key_schema(&table.key),
        "AttributeDefinitions": attributes,
        "BillingMode": "PAY_PER_REQUEST",
    });
    for (member, global) in [("GlobalSecondaryIndexes", true), ("LocalSecondaryIndexes", false)] {
        let indexes: Vec<Value> =
            table.indexes.iter().filter(|i| i.global == global).map(index).collect();
        if !indexes.is_empty() {
            request[member] = indexes.into();
        }
    }
    request
}

/// The logical id most similar to `id`, if any is similar.
pub(super) fn nearest_table(tables: &[TableSpec], id: &str) -> Option<String> {
    names::nearest(id, tables.iter().map(|table| table.id.as_str())).map(str::to_owned)
}

fn key_schema(key: &Key) -> Value {
    let roles = ["HASH", "RANGE"];
    key.attributes()
        .zip(roles)
        .map(|(a, role)| json!({ "AttributeName": a.name, "KeyType": role }))
        .collect()
}

fn index(index: &Index) -> Value {
    let projection = match &index.projection {
        Projection::All => json!({ "ProjectionType": "ALL" }),
        Projection::KeysOnly => json!({ "ProjectionType": "KEYS_ONLY" }),
        Projection::Include(names) => {
            json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": names })
        }
    };
    json!({ "IndexName": index.name, "KeySchema": key_schema(&index.key), "Projection": projection })
}
